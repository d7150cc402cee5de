"""Reads TOML that nobody vouches for, and knows where in it a key or an element stands: for the config file and for
pool files. What would keep the parser busy for seconds is refused first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

DEEPEST = 50
MOST_PARTS = 16  # of a key; a.b.c has three
MOST_PARTS_IN_ALL = 100_000
MOST_ELEMENTS = 2_000_000  # of lists, and lines

Key = tuple[str, ...]
# What a value of each type is called.
TYPE_WORDS: dict[type, str] = {
    int: "a whole number",
    str: "text in quotes",
    list: "a list",
    dict: "a table",
    bool: "true or false",
}


class TomlFlaw(ValueError):
    """A file that is not sane TOML: ``line`` (from 1) and ``what`` is wrong there."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line = line
        self.what = what


def parse_toml(data: bytes, longest_line: int) -> tuple[dict[str, Any], str]:
    """Return the document and its text; ``longest_line`` is in characters. Raises TomlFlaw."""
    import tomllib

    text = _text(data)
    _refuse_bombs(text, longest_line)
    try:
        return tomllib.loads(text), text
    except tomllib.TOMLDecodeError as error:
        what, _, place = str(error).partition(" (at ")
        found = re.match(r"line (\d+), column (\d+)", place)
        line = int(found[1]) if found else text.count("\n") + 1
        if re.match("Cannot (overwrite|declare|mutate)", what):
            what = "the key or table is repeated"
        raise TomlFlaw(line, what) from None
    except (RecursionError, ValueError) as error:
        what = "is nested too deeply" if isinstance(error, RecursionError) else "has a number out of range"
        raise TomlFlaw(1, f"the file {what}") from None


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise TomlFlaw(data.count(b"\n", 0, error.start) + 1, "the file is not UTF-8 text") from None


# Strings and comments. One whose end is missing takes the rest of the text: the parser gets no further either.
TEXTS = partial(
    re.sub,
    r'"""(?:[^"\\]++|\\.|"(?!""))*+(?:"{3,5})?'
    r"|'''(?:[^']++|'(?!''))*+(?:'{3,5})?"
    r'|"(?:[^"\\\n]++|\\.)*+(?:"|.*+)'
    r"|'[^'\n]*+(?:'|.*+)"
    r"|#[^\n]*+",
    flags=re.DOTALL,
)
WORDS = partial(re.findall, r"[^=,\[\]{}]+")  # a key is one
BRACKETS = partial(re.findall, r"[\[\]{}]")


def _refuse_bombs(text: str, longest_line: int) -> None:
    """Refuse lines, keys and nesting that no file needs: the parser takes quadratic time for dotted keys and recurses
    for nesting. What stands in strings and comments does not count.
    """
    bare = TEXTS(lambda found: '""' + "\n" * found[0].count("\n"), text)
    if sum(map(bare.count, "=.[")) > MOST_PARTS_IN_ALL:
        raise TomlFlaw(1, f"the file has more than {MOST_PARTS_IN_ALL} parts of keys")
    if sum(map(bare.count, ",\n")) > MOST_ELEMENTS:
        raise TomlFlaw(1, f"the file has more than {MOST_ELEMENTS} lines and elements of lists")
    lengths = [len(line) for line in text.split("\n")]
    if max(lengths) > longest_line:
        number = lengths.index(max(lengths)) + 1
        raise TomlFlaw(number, f"the line is longer than {longest_line} characters")
    depth = 0
    for number, line in enumerate(bare.split("\n"), start=1):
        if "." in line and any(word.count(".") >= MOST_PARTS for word in WORDS(line)):
            raise TomlFlaw(number, f"a key has more than {MOST_PARTS} parts")
        for bracket in BRACKETS(line) if depth or "[" in line or "{" in line else ():
            depth = depth + 1 if bracket in "[{" else max(0, depth - 1)
            if depth > DEEPEST:
                raise TomlFlaw(number, f"nested deeper than {DEEPEST} levels")


TOKEN = partial(
    re.finditer,
    r'"""(?:[^\\]|\\.)*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'"
    r"|#[^\n]*"
    r"|[ \t\r]+"
    r"|\n"
    r"|[\[\]{}=,.]"
    r"|[^\s\[\]{}=,.\"'#]+"
    r"|.",
    flags=re.DOTALL,
)


class Places:
    """The lines on which the keys, tables and array elements of a document stand; its text has been parsed before."""

    def __init__(self, text: str) -> None:
        self._keys: dict[Key, int] = {}
        self._elements: dict[Key, list[int]] = {}
        self._tokens = _tokens(text)
        table: Key = ()
        for token, line in self._tokens:
            if token == "[":
                table = tuple(self._parts_up_to("\n"))
                self._record(table, line)
            elif token != "\n":
                key = (*table, _part(token), *self._parts_up_to("="))
                self._record(key, line)
                self._skip_value(key)

    def line(self, *key: str, index: int | None = None) -> int:
        """Return the line where ``key`` is set, or else the table around it opens; 1 where neither is. With ``index``,
        that of an element of the array, where it is found.
        """
        elements = self._elements.get(key, [])
        if index is not None and index < len(elements):
            return elements[index]
        for length in range(len(key), 0, -1):
            found = self._keys.get(key[:length])
            if found is not None:
                return found
        return 1

    def _parts_up_to(self, end: str) -> Iterator[str]:
        """Yield the parts of a key or a header, up to the token ``end``."""
        for token, _ in self._tokens:
            if token == end:
                return
            if token not in "[].":
                yield _part(token)

    def _record(self, key: Key, line: int) -> None:
        for length in range(1, len(key) + 1):  # a longer key opens the tables around it
            self._keys.setdefault(key[:length], line)

    def _skip_value(self, key: Key) -> None:
        """Read up to the end of the value, and note the lines of an array's elements."""
        depth = 0
        elements = self._elements.setdefault(key, [])
        expected = True
        for token, line in self._tokens:
            if token in ("[", "{"):
                depth += 1
            elif token in ("]", "}"):
                depth -= 1
            elif token == "\n" and depth == 0:
                return
            if depth == 1 and token == ",":
                expected = True
            elif expected and depth and token not in ("\n", "]") and not (depth == 1 and token == "["):
                elements.append(line)
                expected = False


def _tokens(text: str) -> Iterator[tuple[str, int]]:
    """Yield what matters of the text, each with its line."""
    line = 1
    for match in TOKEN(text + "\n"):
        token = match[0]
        if token[0] not in "# \t\r":
            yield token, line
        line += token.count("\n")


def _part(token: str) -> str:
    """Return what a part of a key says, without its quotes."""
    if token[:1] == '"' and "\\" in token:
        import tomllib

        return str(tomllib.loads(f"key = {token}")["key"])
    return token[1:-1] if token[:1] in ('"', "'") else token
