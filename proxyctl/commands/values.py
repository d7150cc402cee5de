"""How the values of options are read, and what is said when they can't be: the parser's own words name its types,
these name what a person may type. Apart from the options, since every command's values are read this way.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from typer._click.types import IntParamType, IntRange, ParamType
from typer._types import TyperChoice

MOST_SHOWN = 60


class WholeNumber(IntRange):
    """A whole number, within a range where there is one."""

    name = "whole number"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        number = whole(value)
        low = self.min is not None and number is not None and number < self.min
        high = self.max is not None and number is not None and number > self.max
        if number is None or low or high:
            limits = self._describe_range()
            within = f" of {limits}" if limits.startswith("at") else f" {limits}".rstrip()
            self.fail(f"{shown(str(value))} is not a whole number{within}.", param, ctx)
        return number

    def _describe_range(self) -> str:
        if self.min is None:
            return ""
        return f"at least {self.min}" if self.max is None else f"from {self.min} to {self.max}"


class Choice(TyperChoice[Any]):
    """One of a few words."""

    def get_invalid_choice_message(self, value: Any, ctx: Any) -> str:
        """Return what the words are, and which one is near."""
        words = [str(choice) for choice in self.choices]
        return f"{shown(str(value))} is not one of {', '.join(words)}.{did_you_mean(str(value), words)}"


def plain(kind: ParamType) -> ParamType:
    """Return the type of an option in a form that speaks plainly; the others as they are."""
    if isinstance(kind, IntRange) and not kind.clamp:
        return WholeNumber(kind.min, kind.max)
    if type(kind) is IntParamType:
        return WholeNumber()
    if type(kind) is TyperChoice:
        return Choice(kind.choices, kind.case_sensitive)
    return kind


def whole(value: Any) -> int | None:
    """Read a whole number as a person writes it; None for anything else, 5,000 digits included."""
    if isinstance(value, int):
        return value
    return int(value) if re.fullmatch(r"[+-]?[0-9]{1,30}", value) else None


def shown(text: str) -> str:
    """Quote what was typed, at a length that can be read and harmless for a terminal."""
    return ascii(text if len(text) <= MOST_SHOWN else text[:MOST_SHOWN] + "...")


def did_you_mean(text: str, known: Sequence[str], *, cutoff: float = 0.6) -> str:
    """Return `` Did you mean 'x'?`` for the nearest of ``known``, or nothing."""
    folded = {name.casefold(): name for name in reversed(known)}
    near = get_close_matches(text.casefold(), folded, n=1, cutoff=cutoff)
    return f" Did you mean '{folded[near[0]]}'?" if near else ""
