"""Reads TOML that nobody vouches for, and knows where in it a key or an element stands: for the config file and for
pool files. What would keep the parser busy for seconds is refused first.
"""

from __future__ import annotations

import re
from bisect import bisect
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
_TEXTS = (
    r'"""(?:[^"\\]++|\\.|"(?!""))*+(?:"{3,5})?'
    r"|'''(?:[^']++|'(?!''))*+(?:'{3,5})?"
    r'|"(?:[^"\\\n]++|\\.)*+(?:"|.*+)'
    r"|'[^'\n]*+(?:'|.*+)"
    r"|#[^\n]*+"
)
TEXTS = partial(re.sub, _TEXTS, flags=re.DOTALL)
EACH_TEXT = partial(re.finditer, _TEXTS, flags=re.DOTALL)
PARTS = partial(re.findall, r'"(?:[^"\\]|\\.)*"|\'[^\']*\'|[^\s."\'\[\]]+')  # of a key
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


class Places:
    """The lines on which the keys, tables and array elements of a document stand; its text has been parsed before."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._texts = [found.start() for found in EACH_TEXT(text) if found[0][0] != "#"]
        self._keys: dict[Key, int] = {}  # where each begins, in characters
        self._values: dict[Key, int] = {}
        # As long as the text: where a bracket or = stands, none is within a string or comment.
        bare = TEXTS(lambda found: re.sub(r"[^\n]", " " if found[0][0] == "#" else "_", found[0]), text)
        table: Key = ()
        start = depth = 0
        for line in bare.split("\n"):
            if depth == 0 and line.lstrip().startswith("["):
                table = self._record((), start, start + line.rindex("]"))
            elif depth == 0 and "=" in line:
                value = start + line.index("=")
                self._values[self._record(table, start, value)] = value
            depth += sum(1 if bracket in "[{" else -1 for bracket in BRACKETS(line))
            start += len(line) + 1

    def line(self, *key: str, index: int | None = None) -> int:
        """Return the line where ``key`` is set, or else the table around it opens; 1 where neither is. With ``index``,
        that of a text in the array, where it is found.
        """
        known = (key[:length] for length in range(len(key), 0, -1))
        start = next((self._keys[each] for each in known if each in self._keys), 0)
        if index is not None and key in self._values:
            place = bisect(self._texts, self._values[key]) + index
            start = self._texts[place] if place < len(self._texts) else start
        return self._text.count("\n", 0, start) + 1

    def _record(self, table: Key, start: int, end: int) -> Key:
        """Take in the key or header between two places, and return it whole."""
        key = (*table, *map(_part, PARTS(self._text[start:end])))
        for length in range(1, len(key) + 1):  # a longer key opens the tables around it
            self._keys.setdefault(key[:length], start)
        return key


def _part(token: str) -> str:
    """Return what a part of a key says, without its quotes."""
    if token[0] == '"' and "\\" in token:
        import tomllib

        return str(tomllib.loads(f"key = {token}")["key"])
    return token[1:-1] if token[0] in "\"'" else token
