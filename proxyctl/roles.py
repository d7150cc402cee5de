"""The roles that a word can play on a screen, and the layout of lines made of such words: the only place that knows
colours.

On eleven common palettes no ANSI colour is readable everywhere, so colour goes on a sign or one word, and the sign or
the word says the same without it. Black on yellow is a badge, at most one a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from functools import partial
from itertools import groupby
from typing import NamedTuple

from proxyctl.text import ACTIONS, TYPED, lines_in, visible, with_account

# Where the terminal has no UTF-8.
ASCII = str.maketrans(
    {"✓": "+", "✗": "x", "→": "->", "…": "...", "─": "-", "–": "-", "╎": "|", "·": "."}
    | dict.fromkeys("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "*")
    | dict.fromkeys("▏▎▍", "|")
    | dict.fromkeys("▌▋▊▉█▇", "#")
    | dict.fromkeys("▁▂▃", ".")
    | dict.fromkeys("▄▅▆", ":")
)
# Letters, dashes, arrows, blocks and signs that take one column each.
_NARROW = partial(
    re.fullmatch, "[\x20-\u02ff\u2010-\u2027\u2190-\u21ff\u2500-\u259f\u2713\u2717\u2800-\u28ff]*"
)


class Screen(NamedTuple):
    """What a stream can show. ``width`` is in columns; None: it is no terminal, so there is no limit.

    ``account`` is the option that commands get which work on an account.
    """

    width: int | None = None
    color: bool = False
    ascii_only: bool = False
    encoding: str = "utf-8"
    account: str = ""

    def own(self, text: str) -> str:
        """Return a text of ours; where there is no UTF-8, its signs have their ASCII forms."""
        return text.translate(ASCII) if self.ascii_only else text


class Role(Enum):
    """What a word is there for; the value is its SGR sequence. A role makes a piece of a line: ``Role.GOOD("+")``."""

    HEADING = "1"
    NAME = "1"  # noqa: PIE796  the thing that a sentence is about, a new value
    GOOD = "1;32"
    CHANGED = "1;36"
    WARNING = "30;43"
    WARNING_FILL = "33"  # block characters alone
    BAD = "1;31"
    UNSURE = "35"
    FAINT = "2"

    def __call__(self, text: object) -> Piece:
        return Piece(str(text), self)


# The words by which an item of a run can end.
OF_ACTIONS = {action.word: Role.GOOD if action.good else Role.BAD for action in ACTIONS} | {
    "unchanged": Role.FAINT,
    "skipped": Role.WARNING,
    "unknown": Role.UNSURE,
}


# The same as a summary counts them; those that are as usual are not marked.
OF_COUNTS = {"failed": Role.BAD, "unknown": Role.UNSURE, "skipped": Role.WARNING}
_COUNT = partial(re.finditer, rf"\b({'|'.join(action.word for action in ACTIONS)}) (\d+)")


class Piece(NamedTuple):
    """A part of a line. One that is ``whole`` is never broken: it is typed or copied."""

    text: str
    role: Role | None = None
    whole: bool = False


class Line(NamedTuple):
    """Pieces side by side. What does not fit goes on below, ``hang`` columns in (None: below the first word)."""

    pieces: Sequence[Piece]
    hang: int | None = None


Part = str | Piece


def line(*parts: Part, hang: int | None = None) -> Line:
    """Return a line of words and pieces; a plain word has the terminal's own colour."""
    return Line([Piece(part) if isinstance(part, str) else part for part in parts], hang)


def lines_of(text: str) -> list[Line]:
    """Return plain text as the lines that it has, in which commands stay whole."""
    return [Line(list(_pieces(row))) for row in lines_in(text)]


def painted(text: str, role: Role | None) -> str:
    """Return ``text`` with the escape sequences of its role around it."""
    return f"\x1b[{role.value}m{text}\x1b[0m" if role and text else text


def laid_out(lines: Iterable[Line], screen: Screen = Screen()) -> str:
    """Return lines as text that ends in a newline: safe to show, broken at blanks where wider than the stream."""
    rows: list[str] = []
    for each in lines:
        pieces = [_safe(piece, screen) for piece in each.pieces]
        for row in [pieces] if screen.width is None else _folded(pieces, screen.width, each.hang):
            runs = groupby(row, key=lambda piece: piece.role if screen.color else None)
            rows.append(
                "".join(painted("".join(p.text for p in run), role) for role, run in runs).rstrip(" ")
            )
    return "".join(f"{row}\n" for row in rows)


def cells(text: str) -> int:
    """Return how many columns of a terminal ``text`` takes."""
    if text.isascii() or _NARROW(text):
        return len(text)
    from rich.cells import cell_len  # 10 ms, and most texts need it not

    return cell_len(text)


def folded(names: Sequence[str], room: int) -> str:
    """Return as many names as fit into ``room`` columns, at least one, and the count of the rest."""
    for most in range(len(names), 0, -1):
        left = len(names) - most
        text = "  ".join(names[:most]) + (f"  … and {left} more" if left else "")
        if most == 1 or cells(text) <= room:
            return text
    return ""


def with_counts(text: str) -> Line:
    """Return a summary as a line, in which the counts of the items by their ends play a role."""
    pieces, end = list[Piece](), 0
    for count in _COUNT(text):
        role = OF_COUNTS.get(count[1]) if count[2] != "0" else None
        pieces += [Piece(text[end : count.start()]), Piece(count[0], role)]
        end = count.end()
    return Line([*pieces, Piece(text[end:])], hang=2)


def plain(parts: Iterable[Part]) -> str:
    """Return parts of a line as text."""
    return "".join(part if isinstance(part, str) else part.text for part in parts)


def size(parts: Sequence[Part]) -> int:
    """Return how many columns parts of a line take."""
    return cells(plain(parts))


def _safe(piece: Piece, screen: Screen) -> Piece:
    text = visible(piece.text)
    return piece._replace(text=screen.own(with_account(text, screen.account) if piece.whole else text))


def _pieces(text: str) -> Iterator[Piece]:
    end = 0
    for typed in TYPED.finditer(text):
        yield Piece(text[end : typed.start()])
        yield Piece(typed[0], whole=True)
        end = typed.end()
    yield Piece(text[end:])


def _folded(pieces: Sequence[Piece], width: int, hang: int | None) -> list[list[Piece]]:
    """Break a line at blanks; a word may be made of several pieces."""
    plain = "".join(piece.text for piece in pieces)
    if cells(plain) <= width:
        return [list(pieces)]
    indent = len(plain) - len(plain.lstrip(" "))
    if hang is None:
        listed = plain.startswith(("- ", "→ ", "-> "), indent)
        hang = plain.find(" ", indent) + 1 if listed else indent
    rows: list[list[Piece]] = [[]]
    used, begun = 0, False
    for blank, word in _words(pieces):
        size = sum(cells(piece.text) for piece in word)
        if begun and used + cells(blank.text) + size > width:
            rows.append([Piece(" " * hang)])
            used, blank = hang, Piece("")
        rows[-1] += [blank, *word]
        used += cells(blank.text) + size
        begun = True
    return rows


def _words(pieces: Sequence[Piece]) -> Iterator[tuple[Piece, list[Piece]]]:
    """Yield each word with the blank before it."""
    blank, word = Piece(""), list[Piece]()
    for piece in pieces:
        parts = [piece.text] if piece.whole else re.findall(r" +|[^ ]+", piece.text)
        for part in parts:
            if part.isspace():
                if word:
                    yield blank, word
                    blank, word = Piece(""), []
                blank = Piece(blank.text + part, piece.role)
            else:
                word.append(piece._replace(text=part))
    yield blank, word
