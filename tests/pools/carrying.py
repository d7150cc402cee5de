"""What the API makes of what is decided about a pool, on plain values, and what the history keeps of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from proxyctl.api.models import Service
from proxyctl.bulk.outcomes import Done, Lost, Refused
from proxyctl.commands.sending import intent_of, outcome_of
from proxyctl.errors import RefusedError, ServerError
from proxyctl.input.items import Item
from proxyctl.pools.decide import Home
from proxyctl.pools.desired import World
from proxyctl.pools.pool import Pool
from proxyctl.state.record import ItemRecord
from proxyctl.writes.plan import Chain, Entry
from proxyctl.writes.requests import ADD, REMOVE, Request, Seen
from tests.pools.rows import SERVICE, e164, flags_of, pool_of, sid

NAME = "masking"
HOME = Home(SERVICE, NAME)
BAD = {"lost": Lost(ServerError("lost")), "refused": Refused(RefusedError("no"))}


def index_of(thing: Request | Item) -> int:
    """Which number of `rows` a request or an item is about."""
    return int(thing.sid[2:], 16) if thing.sid is not None else int((thing.phone_number or "")[-4:])


def requests_of(entries: Iterable[Entry]) -> Iterator[Request]:
    for entry in entries:
        if isinstance(entry, Chain):
            (step,) = entry.steps
            yield step.request


def carried_out(pool: Pool, requests: Iterable[Request]) -> Pool:
    """The pool afterwards; each request has to be one that the API would take."""
    flags = flags_of(pool)
    for request in requests:
        index = index_of(request)
        assert (index in flags) is (request.verb is not ADD), f"{request.verb.name} {e164(index)}"
        if request.verb is REMOVE:
            del flags[index]
        else:
            flags[index] = bool(request.wanted.get("is_reserved"))
    return pool_of(
        flags, {index: pool.by_sid[sid(index)].in_use or 0 for index in flags if sid(index) in pool.by_sid}
    )


def recorded(requests: Sequence[Request], ends: Sequence[str | None] = ()) -> list[ItemRecord]:
    """What the history holds of a run: its requests, each with its end (by default "done"; None: nobody knows)."""
    known = [*ends, *("done" for _ in requests)][: len(requests)]
    return [record(i, request, end) for i, (request, end) in enumerate(zip(requests, known, strict=True))]


def record(index: int, request: Request, end: str | None) -> ItemRecord:
    number = index_of(request)
    done = Done(request.verb.done, Seen({"sid": sid(number), "phone_number": e164(number)}))
    outcome = None if end is None else outcome_of(request, BAD.get(end, done))
    return ItemRecord(index, intent_of(request), outcome, 1, lost=end == "lost")


def world_of(pool: Pool) -> World:
    """An account with one Service."""
    return World({NAME: Service({"sid": SERVICE, "unique_name": NAME})}, {NAME: pool})
