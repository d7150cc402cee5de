"""What the API makes of changes, on plain values: the other side of what is decided about a pool."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from proxyctl.pools.changes import Change, Decision, Kind
from proxyctl.pools.pool import Pool
from proxyctl.state.record import Intent, ItemRecord, Outcome
from tests.pools.rows import e164, flags_of, pool_of, sid


def index_of(change: Change) -> int:
    """The number that a change is about."""
    if change.sid is not None:
        return int(change.sid[2:], 16)
    return int((change.item.phone_number or "")[-4:])


def carried_out(pool: Pool, decisions: Iterable[Decision]) -> Pool:
    """The pool after all changes; each has to be one that the API would take."""
    flags = flags_of(pool)
    for change in decisions:
        if not isinstance(change, Change):
            continue
        index = index_of(change)
        assert (index in flags) is (change.kind is not Kind.ADD), f"{change.kind} of {e164(index)}"
        if change.kind is Kind.REMOVE:
            del flags[index]
        else:
            flags[index] = bool(change.is_reserved)
    busy = {index: pool.by_sid[sid(index)].in_use or 0 for index in flags if sid(index) in pool.by_sid}
    return pool_of(flags, busy)


def recorded(decisions: Sequence[Decision], outcomes: Sequence[str | None] = ()) -> list[ItemRecord]:
    """What the history holds of a run: its changes, each with its outcome (default: done; None: none)."""
    changes = [decision for decision in decisions if isinstance(decision, Change)]
    states = [*outcomes, *("done" for _ in changes)][: len(changes)]
    return [
        record(index, change, state)
        for index, (change, state) in enumerate(zip(changes, states, strict=True))
    ]


def record(index: int, change: Change, state: str | None) -> ItemRecord:
    intent = Intent(
        str(change.kind),
        change.item.input,
        change.sid,
        change.number.phone_number if change.number else change.item.phone_number,
        before={"is_reserved": change.number.is_reserved} if change.number else None,
        after=None if change.is_reserved is None else {"is_reserved": change.is_reserved},
    )
    if state is None:
        return ItemRecord(index, intent, None, 1)
    number = index_of(change)
    outcome = Outcome(state, change.kind.done, f"PN{number:032x}", e164(number))
    return ItemRecord(index, intent, outcome, 1, lost=state == "lost")
