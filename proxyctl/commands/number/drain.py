"""What `number drain` does: reserve, wait until nobody uses the numbers, and remove each as it becomes idle.

Proxy gives a reserved number no new Sessions, and those that run go on: that is how a number is drained. It goes in
rounds: each has its lock, none is held while the Sessions end, and one record has them all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, repeat
from pathlib import Path
from typing import Any

from proxyctl.api.models import PhoneNumber, Service
from proxyctl.clock import Signalled
from proxyctl.commands import saved_file
from proxyctl.commands.number.change import refuse_elsewhere, removal
from proxyctl.commands.number.given import Given, Numbers, begin
from proxyctl.commands.report import End, Report
from proxyctl.commands.run import Job, carry_out_round, finish
from proxyctl.commands.sending import Journal
from proxyctl.commands.session.holders import say_holders
from proxyctl.errors import (
    DeadlineError,
    Interrupted,
    LockHeldError,
    ProxyctlError,
    RefusedError,
    TemporaryError,
    UsageError,
)
from proxyctl.input.items import Item
from proxyctl.pools.account import FEW
from proxyctl.pools.decide import (
    NOT_THERE,
    Home,
    Wish,
    capacities,
    decide_all,
    decide_drain,
    leaving,
    remove_chain,
    through,
)
from proxyctl.pools.facts import minding_senders, senders_of
from proxyctl.pools.pool import Pool, in_use
from proxyctl.render.progress import DrainLine
from proxyctl.render.shapes import RESULT, SESSION
from proxyctl.roles import Line
from proxyctl.runtime import Runtime
from proxyctl.text import counted
from proxyctl.writes.plan import Chain, Entry, NoOp, Plan
from proxyctl.writes.requests import REMOVE, RESERVE

FIRST_PAUSES = (2.0, 4.0, 8.0, 16.0)  # seconds between two reads
LONGEST_PAUSE = 30.0


def drain(
    runtime: Runtime,
    service_name: str,
    numbers: Numbers,
    file: str | None = None,
    *,
    wait: bool,
    remove: bool,
) -> None:
    """Drain the numbers given; raises the error that the run ends with."""
    if runtime.options.through_messaging and not remove:
        raise UsageError("--through-messaging is for numbers that leave their pool.", hint="Add --remove.")
    given = begin(runtime, numbers, file)
    service = runtime.account.service(service_name)
    given.require(service)
    name = service.name
    with Journal(runtime, service, [name], title=f"drain {name}") as journal:
        report = Drain(runtime, service, given, journal, wait, remove).run()
        if report is not None:
            journal.end(report)
    say_holders(runtime, service, report, drained=True)
    finish(runtime, RESULT, report, given.rest)


@dataclass
class Drain:
    """One draining run. Once something was written, whatever ends it (an outage, a signal, another run's lock) is kept,
    so that all that was done is reported. ``left``: what was, or is about to be, removed; ``found``: as it was.
    """

    runtime: Runtime
    service: Service
    given: Given
    journal: Journal
    waits: bool
    removes: bool
    report: Report = field(default_factory=Report)
    left: list[Chain] = field(default_factory=list)
    found: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    saved: Path | None = None
    permitted: set[str] = field(default_factory=set)
    senders: Mapping[str, str] = field(default_factory=dict)

    def run(self) -> Report | None:
        """Go through all that was asked for; None where --dry-run only showed it."""
        job = self.job(self.given.deciding(self.reserving), foresee=self.foresee)
        if not self.round(job):
            return None
        try:
            if (self.waits or self.removes) and self.report.stopped is None:
                self.rounds()
            if self.removes and self.report.stopped is None:
                self.check_gone()
        except (Signalled, ProxyctlError) as end:
            stopped = Interrupted(end.number) if isinstance(end, Signalled) else end
            self.report = replace(self.report, stopped=stopped)
        return self.finished()

    def job(self, decide: Callable[[], Plan], **more: Any) -> Job:
        """Return the job of one round; what was permitted in one is permitted in all."""
        service, single = self.service, self.given.single
        more |= {"service": service, "permitted": self.permitted}
        return Job("drain", [service.sid], decide, single=single, **more)

    def round(self, job: Job) -> bool:
        """Carry out one round, and take over how its items ended; False where --dry-run only showed it."""
        report = carry_out_round(self.runtime, job, self.journal)
        if report is not None:
            self.report = self.report.then(report)
        return report is not None

    def rounds(self) -> None:
        """Read, remove what is idle, and wait: until no number is in use, or time is up."""
        noted, total = (0, 0), len(self.draining())
        began = self.runtime.clock.monotonic()
        for pause in chain(FIRST_PAUSES, repeat(LONGEST_PAUSE)):
            with self.runtime.stop.at_once():
                if self.waits:
                    self.read()
                if self.removes:
                    self.remove_idle()
            busy = self.busy()
            if not (busy and self.waits) or self.report.stopped is not None:
                return
            now = (len(busy), sum(busy.values()))
            # Where nothing is redrawn, a line for each read would fill the log of a run that waits for hours.
            if now != noted and not self.runtime.draws:
                self.runtime.note(f"waiting: {counted(now[0], 'number')} in use by {SESSION.count(now[1])}.")
            noted = now
            line = DrainLine(self.journal.title, total, *now, self.runtime.clock.monotonic() - began)
            with self.runtime.stop.at_once(), self.runtime.drawing(line):
                left = self.runtime.time_left
                self.runtime.clock.sleep(pause if left is None else min(pause, left))

    # Reserving

    def reserving(self) -> Plan:
        """Read the pool, and decide what has to be reserved; asks first where the numbers are to leave the pool."""
        items = self.given.items
        if not items:
            return Plan()
        pool = self.runtime.account.pool(self.service.sid, items)
        entries = decide_drain(items, pool, Home(self.service.sid), removing=self.removes)
        if self.removes:
            entries = self.refuse_elsewhere(entries)
            self.found = rows_by_sid(entries)
            self.senders = senders_of(self.runtime.account, rows_by_sid(entries), self.runtime.note_once)
            if not self.runtime.options.through_messaging:
                entries = minding_senders(entries, self.senders)
        return Plan(tuple(entries), capacities(pool, self.service), question=self.question)

    def question(self, plan: Plan) -> list[Line]:
        """Ask at the start, for all that is to leave the pool."""
        rows = rows_by_sid(plan.entries) if self.removes else {}
        return removal(self.runtime, self.service, len(rows)) if rows else []

    def foresee(self, plan: Plan) -> Plan:
        """Return the plan with the removals: with --wait of all numbers, otherwise of those that are idle now."""
        if not self.removes:
            return plan
        busy = sum(1 for row in rows_by_sid(plan.entries).values() if row.get("in_use"))
        if busy and self.waits and self.runtime.options.dry_run:
            self.runtime.note(f"{counted(busy, 'number')} in use now. They are removed when idle.")
        return replace(plan, entries=tuple(map(self.removal_of, plan.entries)))

    def removal_of(self, entry: Entry) -> Entry:
        """Return an entry with what removes its number, if anything would."""
        row = entry.before if isinstance(entry, Chain) else entry.seen
        if row is None or (isinstance(entry, NoOp) and (entry.error or entry.note)):
            return entry
        if row.get("in_use") and not self.waits:
            error = in_use(PhoneNumber(dict(row)), "", hint="--wait waits until it is idle.")
            return NoOp(entry.item, row, error, change="remove")
        chain = remove_chain(Home(self.service.sid), entry.item, row)
        if row["sid"] in self.senders and self.runtime.options.through_messaging:
            chain = through(chain, self.senders[row["sid"]], None)
        first = entry.steps if isinstance(entry, Chain) else ()
        return replace(chain, steps=(*first, *chain.steps))

    # Waiting

    def draining(self, *, idle: bool = False) -> dict[Item, Mapping[str, Any]]:
        """Return the items that are in the pool and reserved, as they were last seen; ``idle``: those not in use."""
        return {
            end.item: end.seen
            for end in self.report.ends
            if not end.bad and end.action != REMOVE.done and end.seen is not None
            if not (idle and end.seen.get("in_use"))
        }

    def busy(self) -> dict[str, int]:
        """Return, by SID, how many Sessions those have that were in use when they were last seen."""
        return {row["sid"]: row["in_use"] for row in self.draining().values() if row.get("in_use")}

    def read(self) -> None:
        """Read how the numbers are now: a request for each of a few, else one for each hundred in the pool.

        DeadlineError where some are in use and time is up.
        """
        draining = self.draining()
        items = [Item(sid, sid, None) for sid in {row["sid"] for row in draining.values()}]
        self.see(self.runtime.account.pool(self.service.sid, items, few=FEW), draining)
        if self.busy() and self.runtime.time_left == 0:
            raise DeadlineError(f"the deadline of {self.runtime.options.deadline or 0:g} s was reached")

    def see(self, pool: Pool, items: Collection[Item]) -> None:
        """Take over how ``items`` are in the pool now; one that has left it needs nothing any more."""
        ends = []
        for end in self.report.ends:
            if end.item in items and end.seen is not None:
                number = pool.by_sid.get(end.seen["sid"])
                end = replace(end, seen=None if number is None else number.raw)
                if number is not None and number.is_reserved is False:
                    hint = "Run the command again to reserve it."
                    error = RefusedError(
                        f"{end.item.shown} was released by somebody else meanwhile.", hint=hint
                    )
                    end = replace(end, error=error, action="failed")
            ends.append(end)
        self.report = replace(self.report, ends=tuple(ends))

    # Removing

    def remove_idle(self) -> None:
        """Remove what was not in use when it was last seen. Another run's lock ends it only in the last round."""
        items = list(self.draining(idle=self.waits))
        job = self.job(lambda: self.removing(items), save=self.save)
        try:
            if items:
                self.round(job)
        except LockHeldError:
            if not self.busy():
                raise

    def removing(self, items: Sequence[Item]) -> Plan:
        """Read again, and decide; what is in use again is waited for. It was confirmed at the start."""
        pool = self.runtime.account.pool(self.service.sid, items, few=FEW)
        if self.waits:
            self.see(pool, items)
            still = self.draining(idle=True)
            items = [item for item in items if item in still]
        entries = decide_all(Wish(REMOVE), items, pool, Home(self.service.sid))
        return Plan(tuple(self.refuse_elsewhere(entries)))

    def refuse_elsewhere(self, entries: Sequence[Entry]) -> list[Entry]:
        """Let numbers that are to be removed fail where another Service's pool has them."""
        return refuse_elsewhere(self.runtime, entries, self.service, "drain", "--remove")

    def check_gone(self) -> None:
        """Check that numbers which left the pool by another's hand are in no other pool."""
        gone = [
            NoOp(end.item, note=NOT_THERE)
            for end in self.report.ends
            if end.seen is None and end.note is None and not end.bad and end.action != REMOVE.done
        ]
        found = {entry.item: entry.error for entry in self.refuse_elsewhere(gone) if isinstance(entry, NoOp)}
        ends = [
            replace(end, action="failed", error=error) if (error := found.get(end.item)) else end
            for end in self.report.ends
        ]
        self.report = replace(self.report, ends=tuple(ends))

    def save(self, runtime: Runtime, plan: Plan) -> None:
        """Save what leaves, in one file for all rounds."""
        self.left += leaving(plan.entries)
        if len(self.left) > 1:
            self.saved = saved_file.save_chains(runtime, self.left, self.saved, self.found)

    # The end

    def finished(self) -> Report:
        """Say what is not drained, and return the report on the whole."""
        report, draining, busy = self.report, self.draining(), self.busy()
        ends = [self.advised(end) for end in report.ends]
        if report.stopped is not None and (self.waits or self.removes):
            stopped = report.stopped
            ends = [
                replace(end, error=self.unfinished(end, stopped)) if end.item in draining else end
                for end in ends
            ]
        elif busy and not self.removes:
            self.runtime.note(
                f"still in use: {counted(len(busy), 'number')}. --wait waits until they are idle."
            )
        if self.waits:
            report = replace(
                report, started=self.runtime.started, ended=self.runtime.clock.monotonic(), waited=True
            )
        done = REMOVE.done if self.removes else RESERVE.done
        return replace(report, ends=tuple(ends), done=done, run=self.journal.run, single=self.given.single)

    def unfinished(self, end: End, cause: ProxyctlError) -> ProxyctlError | None:
        """Say what is left to do with a number of a run that ``cause`` stopped."""
        in_use = (end.seen or {}).get("in_use")
        if in_use:
            what = f"{end.item.shown} is still in use by {SESSION.count(in_use)}"
        elif self.removes:
            what = f"{end.item.shown} is reserved and idle, but was not removed"
        else:
            return None
        kind = TemporaryError if isinstance(cause, Interrupted) else type(cause)
        hint = cause.hint if self.given.single else None  # of several, the run's end says it once
        return kind(f"{what}: {cause.message}", hint=hint, problem=cause.problem)

    def advised(self, end: End) -> End:
        """Give the advice that fits: `number remove`, whose words these are, has other options."""
        if self.waits or not (end.seen or {}).get("in_use") or not isinstance(end.error, RefusedError):
            return end
        text = f"{end.error.message.rstrip('.')}, and is reserved now."
        hint = "--wait waits until it is idle."
        return replace(end, error=RefusedError(text, hint=hint, problem=end.error.problem))


def rows_by_sid(entries: Sequence[Entry]) -> dict[str, Mapping[str, Any]]:
    """Return the numbers that the pool has, as it has them, each once."""
    rows = (
        entry.before if isinstance(entry, Chain) else entry.seen if entry.error is None else None
        for entry in entries
    )
    return {row["sid"]: row for row in rows if row is not None}
