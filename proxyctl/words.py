"""What is said to people in one way: amounts, durations, and the words by which an item of a run can end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class End(NamedTuple):
    """``good``: the item is as wanted now. ``meaning`` is given where the word alone does not say it."""

    word: str
    good: bool
    colour: str
    meaning: str = ""


CHANGED = ["created", "updated", "deleted", "added", "reserved", "released", "removed", "moved", "restored"]
# In the order in which a summary counts them.
ENDS = (
    *(End(word, True, "green") for word in CHANGED),
    End("unchanged", True, "dim"),
    End("skipped", False, "yellow", "not tried"),
    End("unknown", False, "magenta", "may have been carried out; the next run settles it"),
    End("failed", False, "red"),
)
ORDER = tuple(end.word for end in ENDS)
GOOD = frozenset(end.word for end in ENDS if end.good)
NOT_GOOD = frozenset(end.word for end in ENDS if not end.good)
# Records of the history count other successes too: requests of `api` that were sent, and in old ones what was done.
COUNTED_GOOD = GOOD | {"sent", "done"}
COLOURS = {end.word: end.colour for end in ENDS}


def in_words() -> str:
    """Return all of them as a part of a sentence."""
    *others, last = (f"{end.word} ({end.meaning})" if end.meaning else end.word for end in ENDS)
    return f"{', '.join(others)} or {last}"


def did_you_mean(text: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the nearest of ``known`` in any case, or nothing."""
    from difflib import get_close_matches

    near = get_close_matches(text.casefold(), list(known), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def counted(count: int, thing: str, things: str | None = None) -> str:
    """Return ``1 number``, ``12 numbers``; ``things`` is the plural where no s makes it."""
    return f"{count} {thing if count == 1 else things or thing + 's'}"


def duration_text(seconds: float) -> str:
    """Return a duration: ``0.4s``, ``52s``, ``2m46s``, ``1h02m``."""
    if seconds < 10:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02}m"
