"""Which request may be sent now: chains in order, places counted, what fails is rolled back. Pure.

A chain sets out only when it holds a place for every step up to the first final one. What it gave up stays its own
until then. So nothing leaves before there is a place for it, and a rollback always finds its place. One item may be in
transit at first, one more for each that arrives; a rollback that is refused ends all departures. The API judges what
follows the first final step: no other item of a run takes places there.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from proxyctl.bulk.outcomes import Result, Task
from proxyctl.errors import ProxyctlError, RefusedError, TemporaryError, reworded
from proxyctl.writes.plan import IN_TRANSIT, MOST_IN_TRANSIT, Chain, Plan, Room, Step
from proxyctl.writes.requests import CREATE_SERVICE, Request, Seen

State = Literal["done", "failed", "unknown", "skipped"]
Places = Counter[Room]


class NoRoomError(RefusedError):
    """No other item makes room for it."""


@dataclass(slots=True, eq=False)
class Progress:
    """How far a chain has come, and how it ended.

    ``actions`` are the words of what was done, in order, ``seen`` is the last resource. ``pending`` are the requests by
    which the item would be in a safe place again: it is not. ``rolled_back``: it goes back to where it was, or has
    gone back.
    """

    chain: Chain
    todo: list[Step]
    state: State = "skipped"
    error: ProxyctlError | None = None
    seen: Mapping[str, Any] | None = None
    actions: list[str] = field(default_factory=list)
    pending: list[Request] = field(default_factory=list)
    rolled_back: bool = False
    rollbacks: list[Step] = field(default_factory=list)  # what takes it back to where it was, the last first
    held: Places = field(default_factory=Counter)  # places that it has, for the steps to come
    owed: Places = field(default_factory=Counter)  # places given up, its own until it is safe


class Flow:
    """The state of one run of a plan, for the engine: `start`, then `follow` each result; `stop` ends departures."""

    def __init__(self, plan: Plan) -> None:
        self.created: dict[str, str] = {}  # the SIDs of what this run created, by name
        self._progress = [Progress(chain, list(chain.steps)) for chain in plan.chains]
        self._free: Places = Counter(plan.free)
        self._free[IN_TRANSIT] = self._departures = 1
        self._limited = {*plan.free, IN_TRANSIT}
        self._spares = plan.spares
        self._waiting: dict[tuple[bool, bool, tuple[Room, ...]], deque[Progress]] = {}
        self._sent: list[tuple[Progress, Step]] = []  # by the index of a task
        self._open = 0
        self._stopped: ProxyctlError | None = None
        self._closed: dict[Room, ProxyctlError] = {}
        for progress in self._progress:
            self._wait(progress)

    # What may be sent

    def start(self) -> Iterable[Task]:
        """Return what may be sent at once."""
        return list(self._admit())

    def follow(self, result: Result) -> Iterable[Task]:
        """Take in a result; return what may be sent now."""
        self._open -= 1
        progress, step = self._sent[result.index]
        if result.state == "done":
            self._done(progress, step, result)
        else:
            self._failed(progress, step, result)
        tasks = []
        if progress.todo:
            tasks.append(self._send(progress))
        elif progress.state != "unknown":  # nobody knows where it is: it keeps its places
            self._release(progress)
        return [*tasks, *self._admit()]

    def stop(self, error: ProxyctlError) -> Iterable[Task]:
        """Begin nothing more: what is on its way goes back with the next result."""
        self._stopped = error
        self._give_up_waiting(error)
        return []

    @property
    def in_transit(self) -> int:
        """How many items are between two places now."""
        return self._departures - self._free[IN_TRANSIT]

    def ends(self) -> list[Progress]:
        """Return how each chain ended, in order."""
        return self._progress

    # Results

    def _done(self, progress: Progress, step: Step, result: Result) -> None:
        seen: Seen | None = result.detail
        raw = seen.raw if seen is not None else None
        if raw is not None and not step.request.verb.beside:
            progress.seen = raw
        progress.actions.append(result.action or step.request.verb.done)
        if step.then is not None and raw is not None:
            progress.todo = [*step.then(raw), *progress.todo]
        if step.request.verb.creates and step.request.sid is None and raw is not None:
            self.created[step.request.name] = str(raw["sid"])
        if not step.request.verb.reads:  # its place is kept until the chain ends
            progress.held.subtract(step.takes)
        if progress.rolled_back and step.request in progress.pending:
            progress.pending.remove(step.request)
        if step.final:
            self._arrived(progress, step)
        elif step.rollback is not None:
            progress.rollbacks.append(step.rollback)
            progress.owed.update(step.frees)
        closed = next((self._closed[room] for room in progress.held if room in self._closed), None)
        if progress.rollbacks and (self._stopped or closed):
            self._roll_back(progress, self._stopped or closed, "skipped")
        if not progress.todo and not progress.rolled_back:
            progress.state = "done"

    def _arrived(self, progress: Progress, step: Step) -> None:
        """The item is safe: what it gave up is free for others, and one more may be in transit."""
        self._free.update(progress.owed + Counter(step.frees))
        progress.owed.clear()
        progress.rollbacks.clear()
        if progress.held.pop(IN_TRANSIT, 0):
            more = not progress.rolled_back and self._departures < MOST_IN_TRANSIT
            self._departures += more
            self._free[IN_TRANSIT] += 1 + more

    def _failed(self, progress: Progress, step: Step, result: Result) -> None:
        error = result.error
        assert error is not None
        cause = progress.error = progress.error or error
        if result.full and step.takes:
            self._close(step.takes[0], error)
        if progress.rolled_back:
            text = f"left where it is, since {step.request.name} could not be put back: {error.message}"
            self._close(IN_TRANSIT, reworded(error, text))
        if step.request.verb is CREATE_SERVICE:
            missing = TemporaryError(f"Service {step.request.name} was not created")
            for room in step.frees:
                self._close(room, missing)
        if result.state == "unknown":
            progress.state, progress.todo = "unknown", []
        elif progress.rollbacks:
            self._roll_back(progress, error, "skipped" if result.state == "skipped" else "failed")
        elif progress.rolled_back:
            progress.state, progress.todo = "failed", []
            if cause is not error:  # why it had to go back, and why it could not
                text = f"{cause.message.rstrip('.')}. It could not be put back: {error.message}"
                progress.error = reworded(cause, text)
        else:
            halfway = any(action != "unchanged" for action in progress.actions)
            progress.pending = [one.request for one in (step, *progress.todo)] if halfway else []
            progress.state = "skipped" if result.state == "skipped" and not halfway else "failed"
            progress.todo = []

    def _roll_back(self, progress: Progress, error: ProxyctlError | None, state: State) -> None:
        """Go back to where the item was: the places that it gave up are still its own. ``state`` is its end then."""
        in_transit = progress.held.pop(IN_TRANSIT, 0)
        self._release(progress)
        progress.held, progress.owed = progress.owed + Counter({IN_TRANSIT: in_transit}), Counter()
        progress.todo, progress.rollbacks = progress.rollbacks[::-1], []
        progress.pending = [step.request for step in progress.todo]
        progress.rolled_back, progress.state, progress.error = True, state, progress.error or error

    def _close(self, room: Room, error: ProxyctlError) -> None:
        """No other can have a place here: those that wait for one are skipped."""
        self._closed.setdefault(room, error)
        for (_, _, needs), queue in self._waiting.items():
            if room in needs:
                give_up(queue, self._closed[room])

    def _give_up_waiting(self, error: ProxyctlError | None) -> None:
        waiting, self._waiting = self._waiting, {}
        for (_, _, needs), queue in waiting.items():
            give_up(queue, error or self._no_room(needs))

    def _no_room(self, needs: Iterable[Room]) -> NoRoomError:
        replaced = any(room in self._spares and self._free[room] <= 0 for room in needs)
        why = "not changed: its replacement did not come" if replaced else "no other change makes room for it"
        return NoRoomError(why)

    # Places

    def _needs(self, progress: Progress) -> tuple[Room, ...]:
        """The places of all steps up to the first final one."""
        needs: Places = Counter()
        for step in progress.todo:
            needs.update(step.takes)
            if step.final:
                break
            needs[IN_TRANSIT] = 1
        return tuple(sorted(room for room in needs.elements() if room in self._limited))

    def _wait(self, progress: Progress) -> None:
        first = progress.todo[0]
        leaves = bool(first.takes) and all(room in self._spares for room in first.takes)
        exchanges = first.final and not leaves and not self._limited.isdisjoint(first.frees)
        # What only leaves comes last: others may bring what it waits for.
        key = (not exchanges, leaves and first.final, self._needs(progress))
        self._waiting.setdefault(key, deque()).append(progress)

    def _admit(self) -> Iterator[Task]:
        """Begin what there is room for. Each exchange that waits keeps a place, or all could come to a halt."""
        kept: Places = Counter()
        for key, queue in sorted(self._waiting.items(), key=lambda entry: entry[0]):
            plain, _, needs = key
            while queue and all(self._free[room] > (kept[room] if plain else 0) for room in needs):
                progress = queue.popleft()
                self._free.subtract(needs)
                progress.held.update(needs)
                yield self._send(progress)
            if not plain:
                kept.update({room: len(queue) for room in needs})
            if not queue:
                self._waiting.pop(key, None)
        if not self._open and self._waiting:
            self._give_up_waiting(self._stopped)

    def _release(self, progress: Progress) -> None:
        self._free.update(progress.held)
        progress.held.clear()

    def _send(self, progress: Progress) -> Task:
        step = progress.todo.pop(0)
        self._open += 1
        request = step.request
        if self.created:
            request = replace(
                request,
                parent=self.created.get(request.parent, request.parent),
                session=self.created.get(request.session, request.session),
                sid=request.sid or (None if request.verb.creates else self.created.get(request.name)),
            )
        call = request.call()
        self._sent.append((progress, step))
        # The place that the item is bound for: where it is refused to one, no other departs for it.
        bound = next((one.takes for one in (step, *progress.todo) if one.final), ())
        return Task(
            index=len(self._sent) - 1,
            lane=call.lane,
            room=next(iter(bound), None),
            repeatable=not request.verb.creates,
            rescue=progress.rolled_back or self._stopped is not None,
            payload=Sending(request, call, step.then is not None),
        )


@dataclass(frozen=True, slots=True)
class Sending:
    """The payload of a task: a request with its call; ``resolves``: the step says itself what follows from what is
    there.
    """

    request: Request
    call: Any
    resolves: bool


def give_up(queue: deque[Progress], error: ProxyctlError) -> None:
    """Leave where they are what waits for a place."""
    while queue:
        progress = queue.popleft()
        progress.state, progress.error, progress.todo = "skipped", error, []
