"""Which number of its Service's pool a participant gets: the table of the documents, as a pure function.

A number is dropped for the first reason of the table that holds. Where none is left, that reason is the refusal.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

# Countries whose numbers serve each other's people, and those that take numbers of the United States.
_BRITISH = frozenset({"GB", "GG", "IM", "JE"})
_TAKES_US = frozenset({"AG", "AI", "BM", "BS", "MS", "TC", "VG", "VI"})
_NORTH_AMERICAN = re.compile(r"\+1([0-9]{3})[0-9]{7}")


class Number(NamedTuple):
    """A number of the pool: whether calls and messages pass through it, and in how many active Sessions it is."""

    sid: str
    phone_number: str
    iso_country: str
    voice: bool
    sms: bool
    is_reserved: bool
    load: int = 0


@dataclass(frozen=True, slots=True)
class Settings:
    """What the Service, the Session and the sandbox's guesses have to say."""

    geo_match_level: str = "country"
    number_selection_behavior: str = "prefer-sticky"
    mode: str = "voice-and-message"
    mode_given: bool = False
    all_held: int = 80208


@functools.lru_cache(maxsize=4096)
def country_of(identifier: str) -> str | None:
    """The country of a phone number in E.164; None for one that can't be reached."""
    import phonenumbers as plans

    if not re.fullmatch(r"\+[1-9][0-9]{1,14}", identifier):
        return None
    try:
        parsed = plans.parse(identifier)
    except plans.NumberParseException:
        return None
    country = plans.region_code_for_number(parsed)
    return country if country and plans.is_valid_number_for_region(parsed, country) else None


def choose(
    pool: Sequence[Number],
    identifier: str,
    held: Collection[str],
    had: Collection[str],
    settings: Settings,
) -> Number | int:
    """Return the number of ``pool`` that ``identifier`` gets, or Twilio's code of the refusal.

    ``held`` are the numbers that it has in active Sessions, ``had`` those that it ever had.
    """
    left = list(pool)
    if not left:
        return 80205
    for fits, code in _steps(identifier, held, settings):
        kept = [number for number in left if fits(number)]
        if not kept:
            return code or _incapable(left)
        left = kept
    return min(_preferred(left, had, settings), key=lambda number: number.load)


def _steps(
    identifier: str, held: Collection[str], settings: Settings
) -> list[tuple[Callable[[Number], bool], int]]:
    """What drops numbers, in order, with the code for none left; 0 where that depends on those that were."""
    countries, area = _countries(identifier), _area(identifier)
    by_area = area is not None and settings.geo_match_level == "area-code"
    return [
        (lambda number: number.iso_country in countries, 80203),
        (lambda number: not by_area or _area(number.phone_number) == area, 80206),
        (lambda number: _is_capable(number, settings), 0),
        (lambda number: not number.is_reserved, 80207),
        (lambda number: number.phone_number not in held, settings.all_held),
    ]


def _countries(identifier: str) -> Collection[str]:
    """The countries whose numbers an identifier may get."""
    country = country_of(identifier) or ""
    if country in _BRITISH:
        return _BRITISH
    return (country, "US") if country in _TAKES_US else (country,)


def _area(phone_number: str) -> str | None:
    """The area code of a North American number; elsewhere areas don't count."""
    found = _NORTH_AMERICAN.fullmatch(phone_number)
    return found[1] if found else None


def _is_capable(number: Number, settings: Settings) -> bool:
    """Whether the number can do what the Session's mode wants. Without a mode, either will do."""
    if settings.mode == "voice-only":
        return number.voice
    if settings.mode == "message-only":
        return number.sms
    return number.voice and number.sms if settings.mode_given else number.voice or number.sms


def _incapable(left: Sequence[Number]) -> int:
    """The refusal where the capability is what lacks."""
    return 80202 if any(number.voice for number in left) else 80201


def _preferred(left: Sequence[Number], had: Collection[str], settings: Settings) -> Sequence[Number]:
    """Those that are better than the others of ``left``, if any are."""
    both = [number for number in left if number.voice and number.sms]
    if both and settings.mode == "voice-and-message":
        left = both
    sticky = settings.number_selection_behavior == "prefer-sticky"
    return [number for number in left if (number.phone_number in had) is sticky] or left
