"""The limits of a pool, and the check that a run keeps within them before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable

from proxyctl.errors import RefusedError
from proxyctl.pools.changes import Change, Kind
from proxyctl.pools.pool import Pool
from proxyctl.pools.refusals import SPREAD

# Twilio's documented limits for each Service.
MOST_RESERVED = 5000
MOST_UNRESERVED = 500


def after(pool: Pool, changes: Iterable[Change]) -> tuple[int, int]:
    """Return how many (reserved, unreserved) numbers ``pool`` would hold after ``changes``."""
    reserved, unreserved = pool.reserved, pool.unreserved
    for change in changes:
        match change.kind:
            case Kind.ADD if change.is_reserved:
                reserved += 1
            case Kind.ADD:
                unreserved += 1
            case Kind.RESERVE:
                reserved, unreserved = reserved + 1, unreserved - 1
            case Kind.RELEASE:
                reserved, unreserved = reserved - 1, unreserved + 1
            case Kind.REMOVE if change.number is not None and change.number.is_reserved:
                reserved -= 1
            case Kind.REMOVE:
                unreserved -= 1
    return reserved, unreserved


def preflight(pool: Pool, changes: list[Change]) -> None:
    """Raise RefusedError where ``changes`` would break a limit of the pool; a part of a pool can't be judged."""
    if not pool.complete:
        return
    reserved, unreserved = after(pool, changes)
    over = []
    if reserved > max(MOST_RESERVED, pool.reserved):
        over.append(f"{reserved} reserved numbers (now {pool.reserved}, the limit is {MOST_RESERVED})")
    if unreserved > max(MOST_UNRESERVED, pool.unreserved):
        over.append(
            f"{unreserved} unreserved numbers (now {pool.unreserved}, the limit is {MOST_UNRESERVED})"
        )
    if over:
        raise RefusedError(
            f"the pool would hold {' and '.join(over)}: nothing was sent.",
            hint=SPREAD,
        )
