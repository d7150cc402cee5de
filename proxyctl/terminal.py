"""What the terminal is and can do, from the streams and the environment: questions, width, colour, characters."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from typing import NamedTuple, TextIO

NARROWEST = 20
USUAL = 80


class Terminal(NamedTuple):
    """Which of the three streams is a terminal."""

    stdin: bool
    stdout: bool
    stderr: bool

    @property
    def interactive(self) -> bool:
        """Whether questions can be asked: stdin and stderr are both terminals."""
        return self.stdin and self.stderr


def is_terminal(stream: TextIO | None) -> bool:
    """Whether ``stream`` is an open terminal."""
    try:
        return stream is not None and stream.isatty()
    except (ValueError, OSError):
        return False


def columns_of(environ: Mapping[str, str], *streams: TextIO | None) -> int:
    """Return the columns: as COLUMNS says, else those of the first stream that is a terminal, else 80."""
    asked = environ.get("COLUMNS", "")
    if asked.isdecimal() and asked != "0":
        return max(NARROWEST, int(asked))
    for stream in streams:
        with contextlib.suppress(OSError, ValueError, AttributeError):
            columns = os.get_terminal_size(stream.fileno()).columns  # type: ignore[union-attr]
            return max(NARROWEST, columns or USUAL)  # a terminal that was never told its size says 0
    return USUAL


def is_plain(environ: Mapping[str, str], stream: TextIO | None) -> bool:
    """Whether box-drawing characters are too much for the terminal."""
    encoding = (getattr(stream, "encoding", None) or "ascii").lower().replace("-", "")
    return environ.get("TERM") == "dumb" or not encoding.startswith("utf")


def wants_color(asked: str, environ: Mapping[str, str], *, terminal: bool) -> bool:
    """Whether to colour: as --color says; else NO_COLOR, then FORCE_COLOR; else on a terminal that can."""
    if asked != "auto":
        return asked == "always"
    if environ.get("NO_COLOR"):
        return False
    return bool(environ.get("FORCE_COLOR")) or (terminal and environ.get("TERM") != "dumb")
