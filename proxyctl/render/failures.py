"""The items of a run that failed: a line for each in a pipe, and at a terminal one block for each reason, so that a
thousand numbers with one cause are three lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from proxyctl.roles import Line, Piece, Role, folded, line, lines_of
from proxyctl.text import first_of, lines_in

SHOWN_REASONS = 10
INDENT = 4
SIGNS = {"failed": Role.BAD("✗"), "unknown": Role.UNSURE("?"), "skipped": Role.WARNING("!")}
_REQUEST = re.compile(r"^(?:GET|POST|DELETE) \S+: ")


class Failure(NamedTuple):
    """An item that is not as wanted. ``names`` are all by which a message may name it, the usual one first."""

    names: Sequence[str]
    action: str
    message: str
    hint: str = ""

    @property
    def one_line(self) -> str:
        """The item as it was given, what happened, what to do next."""
        name = self.names[-1]
        words = self.message.removeprefix(f"{name} ")
        return " ".join((f"{name}: {self.action}:", *sentences(words, *lines_in(self.hint))))

    def of_any(self, text: str) -> str:
        """Return a text about this item as one about any that shares its reason: without the request and the name."""
        text = without_request(text)
        for name in sorted(self.names, key=len, reverse=True):
            text = text.removeprefix(f"{name} ").replace(name, "NUMBER")
        return text.removeprefix("is ")


def a_line_each(failures: Sequence[Failure], skipped: Sequence[Failure]) -> list[str]:
    """Return a line for each item: the first 20, and the count of the rest. Skipped ones share a line a cause."""
    lines = first_of(
        [failure.one_line for failure in failures], "more. -o json or --failed-to FILE has them all."
    )
    causes = [failure.message for failure in skipped]
    return [*lines, *(f"{causes.count(cause)} skipped: {cause}" for cause in dict.fromkeys(causes))]


def by_reason(failures: Sequence[Failure], width: int) -> Iterator[Line]:
    """Yield a block for each reason: the count and the reason, as many numbers as fit one line, what to do."""
    groups: dict[tuple[str, str], list[Failure]] = {}
    for failure in failures:
        groups.setdefault((failure.action, failure.of_any(failure.message)), []).append(failure)
    counts = [f"{len(group)} {action}" for (action, _), group in groups.items()]
    longest = max(map(len, counts[:SHOWN_REASONS]), default=0)
    for (action, reason), group in list(groups.items())[:SHOWN_REASONS]:
        count = f"{len(group)} {action}"
        sign = SIGNS[action]
        shown = Piece(count, None if action == "skipped" else sign.role)  # at most one badge a line
        blank = " " * (longest - len(count) + 2)
        yield line(sign, " ", shown, blank, reason.rstrip("."), hang=longest + 4)
        if action == "skipped":
            continue
        names = folded([failure.names[0] for failure in group], width - INDENT)
        yield line(" " * INDENT, names, hang=INDENT)
        for hint in dict.fromkeys(hint for one in group for hint in hints_of(one, alone=len(group) == 1)):
            words = lines_of(hint)[0].pieces  # commands stay whole
            yield Line([Piece(" " * INDENT), Piece("→ "), *words], hang=INDENT + 2)
    if len(groups) > SHOWN_REASONS:
        rest = sum(len(group) for group in list(groups.values())[SHOWN_REASONS:])
        yield line(f"… and {rest} more. -o json or --failed-to FILE has them all.")


def hints_of(failure: Failure, *, alone: bool) -> list[str]:
    """Return what to do, as sentences; of several numbers, NUMBER stands for each."""
    hints = lines_in(failure.hint)
    return sentences(*(hints if alone else map(failure.of_any, hints)), capital=True)


def without_request(text: str) -> str:
    """Return an error's words without the request that they begin with: one of many that met the same."""
    return _REQUEST.sub("", text)


def sentences(*texts: str, capital: bool = False) -> list[str]:
    """Return the texts that are there as sentences that can stand in a row; the first may begin small."""
    said = [text if text.endswith((".", "!", "?")) else f"{text}." for text in texts if text]
    first = 0 if capital else 1
    return [*said[:first], *(text[:1].upper() + text[1:] for text in said[first:])]
