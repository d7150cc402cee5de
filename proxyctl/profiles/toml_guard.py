"""Reads TOML that nobody vouches for: what would keep the parser busy for seconds is refused first."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from proxyctl.errors import ConfigError
from proxyctl.visible import visible

LARGEST_FILE = 256 * 1024
LONGEST_LINE = 4096
MOST_DOTS = 64
DEEPEST = 50


def parse_toml(data: bytes, path: Path) -> tuple[dict[str, Any], str]:
    """Return the document and its text; ConfigError with file and line for anything that isn't sane TOML."""
    import tomllib

    text = _text(data, path)
    _refuse_bombs(text, path)
    try:
        return tomllib.loads(text), text
    except tomllib.TOMLDecodeError as error:
        what, _, place = str(error).partition(" (at ")
        found = re.match(r"line (\d+), column (\d+)", place)
        line = int(found[1]) if found else text.count("\n") + 1
        if re.match("Cannot (overwrite|declare|mutate)", what):
            what = "the key or table is here a second time"
        raise at_line(path, line, visible(what)) from None
    except (RecursionError, ValueError) as error:
        what = "is nested too deep" if isinstance(error, RecursionError) else "has a number out of range"
        raise at_line(path, 1, f"the file {what}") from None


def at_line(path: Path, line: int, what: str) -> ConfigError:
    """Return the error that names the place, as editors and compilers do."""
    return ConfigError(f"{path}:{line}: {what}.", hint=f"Mend line {line} of the config file.")


def _text(data: bytes, path: Path) -> str:
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise at_line(path, line, "this is not UTF-8 text") from None


def _refuse_bombs(text: str, path: Path) -> None:
    """Refuse lines and nesting that no config needs.

    The parser takes quadratic time for dotted keys and recurses for nesting. Strings and comments are not
    told apart here: what they can hold stays far below these limits, and what slips through is caught by the
    parser.
    """
    depth = 0
    for number, line in enumerate(text.split("\n"), start=1):
        if len(line) > LONGEST_LINE:
            raise at_line(path, number, f"the line is longer than {LONGEST_LINE} characters")
        if line.count(".") > MOST_DOTS:
            raise at_line(path, number, f"the line has more than {MOST_DOTS} dots")
        for bracket in re.findall(r"[\[\]{}]", line):
            depth = depth + 1 if bracket in "[{" else max(0, depth - 1)
            if depth > DEEPEST:
                raise at_line(path, number, f"nested deeper than {DEEPEST} levels")


HEADER = re.compile(r"\s*\[\[?(?P<name>[^\[\]]*)\]")
KEY = re.compile(r"""\s*(?P<key>(?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")
PART = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")


def line_of(text: str, *parts: str) -> int:
    """Return the line where the key ``parts`` is set, or else its table opens; 1 where neither is."""
    table: tuple[str, ...] = ()
    best, best_length = 1, 0
    for number, line in enumerate(text.split("\n"), start=1):
        if header := HEADER.match(line):
            table = here = _parts(header["name"])
        elif key := KEY.match(line):
            here = table + _parts(key["key"])
        else:
            continue
        # A longer key that starts with the one asked for opens its table implicitly.
        shared = len(parts) if here[: len(parts)] == parts else len(here) if parts[: len(here)] == here else 0
        if shared > best_length:
            best, best_length = number, shared
    return best


def _parts(key: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in PART.findall(key))
