"""Writing man(7): escaping, and the few macros that the pages are made of."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

ESCAPES = str.maketrans(
    {"\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti", '"': "\\(dq"}
)
COLUMNS = 68  # of an example, which is set in by 11 of the 80
WIDTH = 100  # of input lines, which readers of the source see


def escaped(text: str) -> str:
    """Return ``text`` so that it shows as it is, wherever in a line it stands; copied hyphens stay hyphens."""
    plain = text.replace("…", "...").translate(ESCAPES)
    return "".join(c if c.isascii() else f"\\[u{ord(c):04X}]" for c in plain)


def guarded(line: str) -> str:
    """Return an escaped line that may begin with what would be a macro."""
    return f"\\&{line}" if line.startswith((".", "'")) else line


def text(*sentences: str) -> list[str]:
    """Return lines of running text; the lines of the source mean nothing."""
    lines = textwrap.wrap(" ".join(sentences), WIDTH, break_long_words=False, break_on_hyphens=False)
    return [guarded(escaped(line)) for line in lines]


def paragraph(words: str) -> list[str]:
    return [".PP", *text(words)]


def section(title: str) -> list[str]:
    return [f".SH {escaped(title.upper())}" if " " not in title else f'.SH "{escaped(title.upper())}"']


def subsection(title: str) -> list[str]:
    return [f'.SS "{escaped(title)}"']


def term(head: str, words: str) -> list[str]:
    """Return a term, ready-made with `bold` and `italic`, and what it means."""
    return [".TP", guarded(head), *(text(words) if words else ["\\&"])]


def code(lines: str) -> list[str]:
    """Return an example that keeps its lines."""
    shown = [guarded(escaped(line)) if line else "\\&" for line in lines.splitlines()]
    return [".PP", ".RS 4", ".nf", *shown, ".fi", ".RE"]


def command_lines(lines: Sequence[str]) -> list[str]:
    """Return examples for a shell; a line that is too long for 80 columns continues on the next one."""
    return code("\n".join(shown for line in lines for shown in continued(line)))


def continued(line: str) -> list[str]:
    """Break a command line between its words where it is too long, as a shell takes it."""
    lines = [""]
    for word in re.findall(r"(?:'[^']*'|\"[^\"]*\"|[^ ])+", line):
        if lines[-1] and len(lines[-1]) + len(word) > COLUMNS - 3:
            lines[-1] += " \\"
            lines.append("    " + word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip() if len(lines) == 1 else f"{lines[-1]} {word}"
    return lines


def bold(words: str) -> str:
    return f"\\fB{escaped(words)}\\fR"


def italic(words: str) -> str:
    return f"\\fI{escaped(words)}\\fR"
