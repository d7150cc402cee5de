"""Whether a thing is still as a run left it. Pure.

Later runs of the history may have changed it. What anything else did shows in the date of its last change, which each
record keeps as its version.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from proxyctl.pools.decide import ABSENT
from proxyctl.state.record import ItemRecord, RunDetail
from proxyctl.writes import requests

Version = str | None  # the date of the last change; ABSENT: it is not there; None: not known
Place = tuple[str, str]  # what a thing is in, and one of its names

SOMETHING_ELSE = ""
OURS = "ours"
PRESENT = True  # the state of a number that a Messaging Service has
WEBHOOKS = (requests.SET_WEBHOOKS.name, requests.RESTORE_WEBHOOKS.name)
# By action, the state that it found and the one that it left, of a number in a pool or in a Messaging Service.
STATES: Mapping[str, Callable[[ItemRecord], tuple[Any, Any]]] = {
    requests.ADD.name: lambda record: (ABSENT, bool(flag(record.after))),
    requests.REMOVE.name: lambda record: (flag(record.intent.before), ABSENT),
    requests.RESERVE.name: lambda record: (False, True),
    requests.RELEASE.name: lambda record: (True, False),
    requests.ATTACH.name: lambda record: (ABSENT, PRESENT),
    requests.DETACH.name: lambda record: (PRESENT, ABSENT),
}
FIELDS = (requests.UPDATE_SERVICE, requests.UPDATE_SESSION, requests.CLOSE_SESSION)
CHANGES = {*STATES, *WEBHOOKS, *(verb.name for verb in FIELDS)}


def flag(state: Mapping[str, Any] | None) -> bool | None:
    """Return ``is_reserved`` of a recorded state."""
    value = (state or {}).get("is_reserved")
    return value if isinstance(value, bool) else None


def version_of(raw: Mapping[str, Any] | None) -> Version:
    """Return the version of a resource as the API has it now; None: it is not there."""
    return ABSENT if raw is None else raw.get("date_updated")


def fields_of(record: ItemRecord) -> frozenset[str]:
    """Return the fields of a resource that a record changed."""
    before, after = record.intent.before or {}, record.after or {}
    return frozenset(key for key in before if key in after and not requests.same(before[key], after[key]))


class Touch(NamedTuple):
    """What one run did to one thing. ``undoes``: the run that it took back. ``certain``: it happened."""

    run: str
    undoes: str | None
    fields: frozenset[str]
    found: Version
    left: Version
    certain: bool


def touch_of(run: RunDetail, records: Sequence[ItemRecord]) -> Touch:
    """Return what ``records``, all about one thing, come to."""
    first, last = records[0], records[-1]
    found: Any = None
    left: Any = None
    if (made := STATES.get(first.done or "")) and (ended := STATES.get(last.done or "")):
        found, left = made(first)[0], ended(last)[1]
        fields = frozenset() if found == left else frozenset(["state"])
    else:
        fields = frozenset().union(*map(fields_of, records))
    was = ABSENT if found == ABSENT else first.intent.version
    now = ABSENT if left == ABSENT else last.outcome.version if last.outcome else None
    return Touch(run.run.id, run.run.undoes, fields, was, now, last.happened == "yes")


class Since:
    """What happened since a run to what it changed: `take` each later run, the newest first."""

    def __init__(self, run: RunDetail) -> None:
        self._run = run
        places = (place for record in run.items for place in self._places(run, record))
        self._touches: dict[Place, list[Touch]] = {place: [] for place in places}

    def take(self, run: RunDetail) -> None:
        """Take in a later run."""
        groups: dict[Place, list[ItemRecord]] = {}
        adds = (one for one in run.items if one.intent.action == requests.ADD.name and one.happened != "no")
        came = frozenset(name for one in adds for name in one.names)
        for record in run.items:
            places = self._places(run, record)
            if record.happened == "no" or self._touches.keys().isdisjoint(places):
                continue
            group = next((groups[place] for place in places if place in groups), [])
            group.append(record)
            groups.update(dict.fromkeys(places, group))
        for place, group in groups.items():
            if place in self._touches:
                touch = touch_of(run, group)
                if group[-1].intent.move is not None and group[-1].names.isdisjoint(came):
                    touch = touch._replace(left=None)  # in transit: how it went on could not be recorded
                self._touches[place].append(touch)

    @staticmethod
    def _places(run: RunDetail, record: ItemRecord) -> list[Place]:
        intent = record.intent
        if intent.action not in CHANGES:
            return []
        parent = intent.messaging_service_sid or intent.service_sid or run.run.service_sid or ""
        if intent.action in WEBHOOKS:
            parent = "webhooks"
        return [(parent, name) for name in sorted(record.names)]

    def changed_by(self, records: Sequence[ItemRecord], now: Version) -> str | None:
        """Return the later run that changed what ``records`` of the run are about; None: it is as the run left it.

        ``now`` is its version. Each run found the version that the one before it left: where that does not hold, it
        is SOMETHING_ELSE that changed it. A run that was taken back since does not count, nor does what took it back.
        OURS: this run itself was being taken back, and that was cut off.
        """
        mine = touch_of(self._run, records)
        undone: list[Touch] = []
        known = {place for record in records for place in self._places(self._run, record)}
        for touch in max((self._touches.get(place, []) for place in known), key=len, default=[]):
            if not touch.certain and touch.found is not None and touch.found == now:
                continue  # it did not happen
            if not agree(touch.left, now):
                return SOMETHING_ELSE
            if undone and undone[-1].undoes == touch.run:
                undone.pop()
            elif touch.undoes is not None:
                undone.append(touch)
            elif touch.fields & mine.fields:
                return touch.run
            now = touch.found
        if undone:
            return OURS if all(touch.undoes == mine.run for touch in undone) else undone[0].run
        return None if agree(mine.left, now) else SOMETHING_ELSE


def agree(one: Version, other: Version) -> bool:
    """Whether two versions may be one."""
    return one is None or other is None or one == other
