"""What `number drain` does: reserve, wait until nobody uses the numbers, and remove them.

Proxy gives a reserved number no new Sessions, and those that run go on: that is how a number is drained. Each part is
a run of its own, with its lock; no lock is held while the Sessions end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from proxyctl.commands import way_back
from proxyctl.commands.number.change import read_for_verb, removal_text
from proxyctl.commands.report import End, Report
from proxyctl.commands.run import Job, carry_out, check_failed_to, read_input, say_refused, show_calls, tell
from proxyctl.errors import DeadlineError, Interrupted, ProxyctlError, RefusedError, TemporaryError
from proxyctl.input.items import Item
from proxyctl.pools.account import FEW
from proxyctl.pools.chains import Home, capacities
from proxyctl.pools.decide import Wish, decide_all, decide_drain, leaving
from proxyctl.render.shapes import RESULT, SESSION
from proxyctl.stop import Signalled
from proxyctl.words import counted
from proxyctl.writes.plan import Entry, Plan, Settled
from proxyctl.writes.requests import REMOVE, RESERVE

if TYPE_CHECKING:
    from proxyctl.api.models import Service
    from proxyctl.runtime import Runtime

FIRST_PAUSE = 2.0  # seconds between two reads; doubled up to the longest
LONGEST_PAUSE = 30.0


def drain(
    runtime: Runtime,
    service_name: str,
    numbers: Sequence[str] | None,
    file: str | None,
    *,
    wait: bool,
    remove: bool,
) -> None:
    """Drain the numbers given; raises the error that the run ends with."""
    runtime.out.check(RESULT)
    items = read_input(runtime, numbers, file).items
    failed_to = check_failed_to(runtime, file)
    runtime.guard_writes()
    service = runtime.account.service(service_name)
    single = file is None and len(numbers or ()) == 1
    drained = Drain(runtime, service, items, single=single, wait=wait, remove=remove).run()
    tell(runtime, RESULT, drained, failed_to)


class Drain:
    """One draining run, in parts. Once something was written, whatever ends it (an outage, a signal, another run's
    lock) is kept, so that all that was done is told.
    """

    def __init__(
        self,
        runtime: Runtime,
        service: Service,
        items: Sequence[Item],
        *,
        single: bool,
        wait: bool,
        remove: bool,
    ) -> None:
        self.runtime = runtime
        self.service = service
        self.home = Home(service.sid)
        self.items = items
        self.single = single
        self.waiting = wait
        self.removing = remove
        self.started = runtime.clock.monotonic()
        self.report = Report()

    def run(self) -> Report | None:
        """Go through all that was asked for; None where --dry-run only showed it."""
        job = Job([self.service.sid], self.reserving, "reserved", self.single, self.service, show=self.show)
        reserved = carry_out(self.runtime, job)
        if reserved is None:
            return None
        self.take(reserved)
        try:
            with self.runtime.stop.at_once():
                if self.waiting and self.report.stopped is None:
                    self.wait()
                if self.removing and self.report.stopped is None:
                    self.remove_idle()
        except (Signalled, ProxyctlError) as end:
            stopped = Interrupted(end.number) if isinstance(end, Signalled) else end
            self.report = replace(self.report, stopped=stopped)
        return self.finished()

    def take(self, report: Report) -> None:
        """Take over how the items of a part ended, and what stopped it."""
        self.report = self.report.then(report)
        # A signal that came as the last answers did stopped nothing there; it has to here.
        self.report = replace(self.report, stopped=self.report.stopped or self.runtime.stop.error)

    # Reserving

    def reserving(self) -> Plan:
        """Read the pool, and decide what has to be reserved; asks first where the numbers are to leave the pool."""
        if not self.items:
            return Plan()
        pool = read_for_verb(self.runtime, self.service, self.items, Wish(RESERVE))
        entries = decide_drain(self.items, pool, self.home, removing=self.removing)
        sids = found(entries)
        question = removal_text(self.runtime, self.service, sids) if self.removing and sids else None
        return Plan(tuple(entries), capacities(pool, "the pool"), question=question)

    def show(self, plan: Plan) -> None:
        """Print what would be sent if all were idle at once."""
        from proxyctl.api.resources import remove_number

        sids = found(plan.entries) if self.removing else []
        calls = [step.request.call() for chain in plan.chains for step in chain.steps]
        show_calls(self.runtime, [*calls, *(remove_number(self.service.sid, sid) for sid in sids)])
        say_refused(self.runtime, plan)
        rows = rows_by_sid(plan.entries)
        busy = sum(1 for sid in sids if rows[sid].get("in_use"))
        if busy:
            self.runtime.note(f"{counted(busy, 'number')} in use now: removed only when idle.")

    # Waiting

    def draining(self) -> list[End]:
        """The ends of items that are in the pool and reserved, as they were last seen."""
        return [
            end
            for end in self.report.ends
            if not end.bad and end.action != REMOVE.done and end.seen is not None
        ]

    def busy(self) -> dict[str, int]:
        """Return, by SID, how many Sessions those have that were in use when they were last seen."""
        rows = [end.seen for end in self.draining() if end.seen is not None]
        return {row["sid"]: row["in_use"] for row in rows if row.get("in_use")}

    def read(self) -> None:
        """Read how the numbers are now: a request for each of a few, else one for each hundred in the pool."""
        sids = {end.seen["sid"] for end in self.draining() if end.seen is not None}
        items = [Item(sid, sid, None) for sid in sids]
        pool = self.runtime.account.pool(self.service.sid, items, few=FEW)
        draining = set(self.draining_items())
        ends = []
        for end in self.report.ends:
            if end.item in draining and end.seen is not None:
                number = pool.by_sid.get(end.seen["sid"])
                # Without a number it has left the pool: there is nothing to wait for any more.
                released = number is not None and number.is_reserved is False
                error = released_meanwhile(end.item) if released else None
                end = replace(
                    end,
                    seen=None if number is None else number.raw,
                    error=error,
                    action="failed" if released else end.action,
                )
            ends.append(end)
        self.report = replace(self.report, ends=tuple(ends))

    def draining_items(self) -> list[Item]:
        """The items that are in the pool and reserved."""
        return [end.item for end in self.draining()]

    def wait(self) -> None:
        """Read again and again, until no number is in use or time is up."""
        told = (0, 0)
        for pause in pauses():
            self.read()
            busy = self.busy()
            left = self.runtime.time_left
            if not busy:
                return
            if left is not None and left <= 0:
                deadline = self.runtime.options.deadline or 0
                raise DeadlineError(f"the deadline of {deadline:g} s was reached")
            now = (len(busy), sum(busy.values()))
            if now != told:  # a line for each read would fill the log of a run that waits for hours
                self.runtime.note(f"waiting: {counted(now[0], 'number')} in use by {SESSION.count(now[1])}.")
            told = now
            self.runtime.clock.sleep(pause if left is None else min(pause, left))

    # Removing

    def remove_idle(self) -> None:
        """Remove what nobody uses; what is in use stays, and is told."""
        items = self.draining_items()
        if not items:
            return

        def removing() -> Plan:
            pool = read_for_verb(self.runtime, self.service, items, Wish(REMOVE))
            return Plan(tuple(decide_all(Wish(REMOVE), items, pool, self.home)))  # confirmed at the start

        def save(plan: Plan) -> None:
            going = leaving(plan.entries)
            if len(going) > 1:
                way_back.save_leaving(self.runtime, going)

        job = Job([self.service.sid], removing, REMOVE.done, self.single, self.service, save)
        removed = carry_out(self.runtime, job)
        if removed is not None:
            self.take(removed)

    # The end

    def finished(self) -> Report:
        """Say what is not drained, and return the report on the whole."""
        report, busy = self.report, self.busy()
        draining = set(self.draining_items())
        ends = list(report.ends)
        if report.stopped is not None and (self.waiting or self.removing):
            ends = [
                replace(end, error=self.unfinished(end, report.stopped)) if end.item in draining else end
                for end in ends
            ]
        elif busy and not self.removing:
            self.runtime.note(
                f"still in use: {counted(len(busy), 'number')}; --wait waits until they are idle."
            )
        if self.waiting:
            report = replace(report, started=self.started, ended=self.runtime.clock.monotonic(), waited=True)
        done = REMOVE.done if self.removing else RESERVE.done
        return replace(report, ends=tuple(self.told(end) for end in ends), done=done, single=self.single)

    def unfinished(self, end: End, cause: ProxyctlError) -> ProxyctlError | None:
        """Say what is left to do with a number of a run that ``cause`` stopped."""
        in_use = (end.seen or {}).get("in_use")
        if in_use:
            what = f"{end.item.input} is still in use by {SESSION.count(in_use)}"
        elif self.removing:
            what = f"{end.item.input} is reserved and idle, but was not removed"
        else:
            return None
        kind = TemporaryError if isinstance(cause, Interrupted) else type(cause)
        hint = cause.hint if self.single else None  # of several, the run's end tells it once
        return kind(f"{what}: {cause.message}", hint=hint, problem=cause.problem)

    def told(self, end: End) -> End:
        """Give the advice that fits: `number remove`, whose words these are, has other options."""
        if not (end.seen or {}).get("in_use") or not isinstance(end.error, RefusedError):
            return end
        hint = "Run it again." if self.waiting else "--wait waits until it is idle."
        return replace(end, error=RefusedError(end.error.message, hint=hint, problem=end.error.problem))


def found(entries: Sequence[Entry]) -> list[str]:
    """Return the SIDs of the numbers that the pool has, each once."""
    return list(rows_by_sid(entries))


def rows_by_sid(entries: Sequence[Entry]) -> dict[str, Mapping[str, Any]]:
    """Return the numbers that the pool has, as it has them."""
    rows = (entry.seen if isinstance(entry, Settled) else entry.before for entry in entries)
    return {row["sid"]: row for row in rows if row is not None}


def released_meanwhile(item: Item) -> ProxyctlError:
    """Say that a number can't drain, since it gets new Sessions again."""
    return RefusedError(
        f"{item.input} was released by somebody else meanwhile.", hint="Run it again to reserve it once more."
    )


def pauses() -> Iterator[float]:
    """Yield the pauses between reads: 2 s, doubling to 30 s."""
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(LONGEST_PAUSE, pause * 2)
