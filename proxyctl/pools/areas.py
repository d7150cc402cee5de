"""Where unreserved numbers are from: Proxy matches a participant by country, or by area code. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from proxyctl.pools.pool import Pool
from proxyctl.writes.plan import Plan

AREA_CODES = ("US", "CA")  # countries in which Proxy matches by area code


def areas_of(row: Mapping[str, Any]) -> list[str]:
    """Return the areas of a number as a pool has it: its country, and its North American area code (``+1415``)."""
    country, number = row.get("iso_country"), row.get("phone_number")
    areas = [country] if isinstance(country, str) else []
    return [*areas, number[:5]] if country in AREA_CODES and isinstance(number, str) else areas


def areas_in(pool: Pool, level: str | None) -> Mapping[str, int]:
    """Count the unreserved numbers of a pool by country, and by area code where ``level`` matches by that."""
    free = (number.raw for number in pool.by_sid.values() if not number.is_reserved)
    areas = Counter(area for row in free for area in areas_of(row))
    return areas if level == "area-code" else {area: n for area, n in areas.items() if area[0] != "+"}


def lost_areas(plan: Plan) -> Iterator[str]:
    """Say which areas lose their last unreserved number, of pools that were read whole and keep others.

    The country of a number that joins is not known: one that begins alike is taken for a replacement.
    """
    for room, one in plan.capacities.items():
        if not one.areas:
            continue
        steps = [step for chain in plan.chains for step in chain.steps]
        going = [step.request.before or {} for step in steps if room in step.frees]
        coming = [step.request.phone_number or "" for step in steps if room in step.takes]
        begun = {number[:2] for number in coming}
        for area, there in one.areas.items():
            lost = [row for row in going if area in areas_of(row)]
            if there <= len(lost) < one.held and not any(row["phone_number"][:2] in begun for row in lost):
                yield f"{one.name} loses its last unreserved number of {area}"
