"""Finding the entry of a code. The numbers never collide: exit codes lie below 100 (and 129, 130, 143), HTTP
statuses below 600, Twilio's codes above.
"""

from __future__ import annotations

from functools import cache

from proxyctl.explaining.explanation import Explanation

NEAR = 3
LEAST_OF_TWILIO = 1000


def explanation_of(code: int) -> Explanation | None:
    """Return the entry of ``code``, None where there is none."""
    return _table().get(code)


def twilio_code(code: int | None) -> Explanation | None:
    """Return the entry of a code that an answer bore; a server's small number is none of our exit codes."""
    return None if code is None or code < LEAST_OF_TWILIO else explanation_of(code)


def near_codes(code: int) -> list[Explanation]:
    """Return entries that may have been meant: of one digit more, less or else, then the next in number."""
    known = _table()
    typos = sorted(other for other in known if _one_off(str(code), str(other)))
    nearest = sorted(known, key=lambda other: (abs(other - code), other))
    return [known[other] for other in dict.fromkeys(typos + nearest)][:NEAR]


def _one_off(given: str, other: str) -> bool:
    """Whether the two differ by one digit that was changed, left out, added or swapped with its neighbour."""
    if len(given) == len(other):
        places = [place for place, pair in enumerate(zip(given, other, strict=True)) if pair[0] != pair[1]]
        swapped = len(places) == 2 and places[1] == places[0] + 1 and sorted(given) == sorted(other)
        return len(places) == 1 or swapped
    long, short = sorted((given, other), key=len, reverse=True)
    return len(long) == len(short) + 1 and any(
        long[:place] + long[place + 1 :] == short for place in range(len(long))
    )


@cache
def _table() -> dict[int, Explanation]:
    from proxyctl.explaining import own_codes, platform_codes, pool_codes, session_codes

    parts = (own_codes.ENTRIES, platform_codes.ENTRIES, pool_codes.ENTRIES, session_codes.ENTRIES)
    return {entry.code: entry for part in parts for entry in part}
