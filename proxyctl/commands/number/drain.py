"""What `number drain` does: reserve, wait until nobody uses the numbers, and remove each as it becomes idle.

Proxy gives a reserved number no new Sessions, and those that run go on: that is how a number is drained. It goes in
rounds: each has its lock, none is held while the Sessions end, and one record has them all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain, repeat
from pathlib import Path

from proxyctl import errors
from proxyctl.api.models import PhoneNumber, Service
from proxyctl.clock import Signalled
from proxyctl.commands import saved_file
from proxyctl.commands.number.change import refuse_elsewhere, removal
from proxyctl.commands.number.given import Given, Numbers, begin
from proxyctl.commands.report import End, Report, Row, report_of, together
from proxyctl.commands.run import Job, carry_out_round, finish
from proxyctl.commands.sending import Journal
from proxyctl.commands.session.holders import say_holders
from proxyctl.input.items import Item
from proxyctl.pools import decide
from proxyctl.pools.account import FEW
from proxyctl.pools.decide import NOT_THERE, Home
from proxyctl.pools.facts import minding_senders, senders_of
from proxyctl.pools.pool import in_use
from proxyctl.render.progress import drain_line
from proxyctl.render.shapes import RESULT, SESSION
from proxyctl.roles import Line
from proxyctl.runtime import Runtime
from proxyctl.text import counted
from proxyctl.writes.plan import Chain, Entry, NoOp, Plan, chains_of
from proxyctl.writes.requests import REMOVE, RESERVE

FIRST_PAUSES = (2.0, 4.0, 8.0, 16.0)  # seconds between two reads
LONGEST_PAUSE = 30.0


def drain(runtime: Runtime, service_name: str, numbers: Numbers, *, wait: bool, remove: bool) -> None:
    """Drain the numbers given; raises the error that the run ends with."""
    if runtime.options.through_messaging and not remove:
        raise errors.UsageError("--through-messaging needs --remove.", hint="Add --remove.")
    given = begin(runtime, numbers)
    service = runtime.account.service(service_name)
    given.require(service)
    with Journal(runtime, f"drain {service.name}", service, [service.name], None) as journal:
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
    found: Mapping[str, Row] = field(default_factory=dict)
    senders: Mapping[str, str] = field(default_factory=dict)
    saved: Path | None = None

    def __post_init__(self) -> None:
        self.home = Home(self.service.sid)
        deciding = self.given.deciding(self.decide)
        job = Job("drain", [self.service.sid], deciding, "", self.given.single, self.service, self.save)
        self.job = replace(job, foresee=self.foresee)

    def run(self) -> Report | None:
        """Go through all that was asked for; None where --dry-run only showed it."""
        if not self.round():
            return None
        try:
            if (self.waits or self.removes) and self.report.stopped is None:
                self.rounds()
        except (Signalled, errors.ProxyctlError) as end:
            stopped = errors.Interrupted(end.number) if isinstance(end, Signalled) else end
            self.report = replace(self.report, stopped=stopped)
        return self.finished()

    def rounds(self) -> None:
        """Read, remove what is idle, and wait: until no number is in use, or time is up."""
        noted, total = (0, 0), len(self.draining())
        began = self.runtime.clock.monotonic()
        for pause in chain(FIRST_PAUSES, repeat(LONGEST_PAUSE)):
            with self.runtime.stop.at_once():
                self.next_round()
            busy = self.busy()
            if not (busy and self.waits) or self.report.stopped is not None:
                return
            now = (len(busy), sum(busy))
            # Where nothing is redrawn, a line for each read would fill the log of a run that waits for hours.
            if now != noted and not self.runtime.draws:
                self.runtime.note(f"waiting: {counted(now[0], 'number')} in use by {SESSION.count(now[1])}.")
            noted = now
            since = self.runtime.clock.monotonic() - began
            line = partial(drain_line, self.journal.title, total, *now, since)
            with self.runtime.stop.at_once(), self.runtime.drawing(line):
                left = self.runtime.time_left
                self.runtime.clock.sleep(pause if left is None else min(pause, left))

    def next_round(self) -> None:
        """Read how the numbers are now, and remove what is idle. Another run's lock ends it only in the last round.

        DeadlineError where some are in use and time is up.
        """
        if not self.draining():
            return
        if self.waits:
            plan = self.later()
            now = [NoOp(one.item, one.before) if isinstance(one, Chain) else one for one in plan.entries]
            self.take(report_of(now, (), None))
            if self.busy() and self.runtime.time_left == 0:
                limit = self.runtime.options.deadline or 0
                raise errors.DeadlineError(f"the deadline of {limit:g} s was reached")
            if not plan.chains:
                return
        try:
            self.round()
        except errors.LockHeldError:
            if not self.busy():
                raise

    def round(self) -> bool:
        """Carry out one round, and take over how its items ended; False where --dry-run only showed it."""
        report = carry_out_round(self.runtime, self.job, self.journal)
        if report is not None:
            self.take(report)
        return report is not None

    def take(self, later: Report) -> None:
        """Take over how items ended; one that is as it was keeps the word that it has."""
        ends = {end.item: end for end in self.report.ends}
        for end in later.ends:
            was = ends.get(end.item)
            ends[end.item] = replace(was, seen=end.seen) if was and end.action == "unchanged" else end
        sent = together(self.report.sent, later.sent) if later.sent else self.report.sent
        where = later.where or self.report.where
        self.report = Report(tuple(ends.values()), stopped=later.stopped, sent=sent, where=where)

    def draining(self) -> dict[str, End]:
        """Return the items that are in the pool and reserved, by SID, as they were last seen."""
        ends = [end for end in self.report.ends if not (end.bad or end.note or end.action == REMOVE.done)]
        return {end.seen["sid"]: end for end in ends if end.seen is not None}

    def busy(self) -> list[int]:
        """Return how many Sessions those have that were in use when they were last seen."""
        return [end.seen["in_use"] for end in self.draining().values() if end.seen and end.seen.get("in_use")]

    # What to do

    def decide(self) -> Plan:
        """Read the pool, and decide what has to be reserved, or what comes next for what is. It is asked at first."""
        if self.report.ends or not self.given.items:
            return self.later()
        pool = self.runtime.account.pool(self.service.sid, self.given.items)
        entries = decide.decide_drain(self.given.items, pool, self.home, removing=self.removes)
        if self.removes:
            entries = self.refuse_elsewhere(entries)
            self.found = rows_by_sid(entries)
            self.senders = senders_of(self.runtime.account, self.found, self.runtime.note_once)
            if not self.runtime.options.through_messaging:
                entries = minding_senders(entries, self.senders)
        return Plan(tuple(entries), decide.capacities(pool, self.service), question=self.question)

    def later(self) -> Plan:
        """Read the numbers again, a request for each of a few, else one for each hundred in the pool; and decide."""
        draining = self.draining()
        if not draining:
            return Plan()
        items = [Item(sid, sid, None) for sid in draining]
        pool = self.runtime.account.pool(self.service.sid, items, few=FEW)
        entries = [self.after(end, pool.by_sid.get(sid)) for sid, end in draining.items()]
        return Plan(tuple(self.refuse_elsewhere(entries) if self.removes else entries))

    def after(self, end: End, number: PhoneNumber | None) -> Entry:
        """Decide what comes next for a number that was reserved: one that has left its pool needs nothing more."""
        if number is None:
            return NoOp(end.item, note=NOT_THERE)
        if number.is_reserved is False:
            text = f"{end.item.shown} was released by somebody else meanwhile."
            error = errors.RefusedError(text, hint="Run the command again to reserve it.")
            return NoOp(end.item, number.raw, error)
        if not self.removes or (self.waits and number.in_use):
            return NoOp(end.item, number.raw)
        return self.removal(end.item, number, ", and is reserved now")

    def removal(self, item: Item, number: PhoneNumber, so: str = "") -> Entry:
        """Remove a number. One that is in use is refused if nobody waits; ``so`` ends the sentence on it."""
        if number.in_use and not self.waits:
            error = in_use(number, "", so, hint="--wait waits until it is idle.")
            return NoOp(item, number.raw, error, change="remove")
        return decide.remove_chain(self.home, item, number.raw)

    def refuse_elsewhere(self, entries: Sequence[Entry]) -> list[Entry]:
        """Let numbers that are to be removed fail where another Service's pool has them."""
        return refuse_elsewhere(self.runtime, entries, self.service, "drain", "--remove")

    # What is shown, and saved

    def question(self, plan: Plan) -> list[Line]:
        """Ask at the start, for all that is to leave the pool."""
        rows = rows_by_sid(plan.entries) if self.removes else {}
        return removal(self.runtime, self.service, len(rows)) if rows else []

    def foresee(self, plan: Plan) -> Plan:
        """Return the plan with the removals: with --wait of all numbers, otherwise of those that are idle now."""
        if not self.removes:
            return plan
        return replace(plan, entries=tuple(map(self.foreseen, plan.entries)))

    def foreseen(self, entry: Entry) -> Entry:
        """Return an entry with what removes its number, if anything would."""
        row = entry.before if isinstance(entry, Chain) else entry.seen
        if row is None or (isinstance(entry, NoOp) and (entry.error or entry.note)):
            return entry
        found = self.removal(entry.item, PhoneNumber({**row, "is_reserved": True}))
        if isinstance(found, NoOp):
            return found
        if row["sid"] in self.senders and self.runtime.options.through_messaging:
            found = decide.through(found, self.senders[row["sid"]], None)
        first = entry.steps if isinstance(entry, Chain) else ()
        return replace(found, steps=(*first, *found.steps))

    def save(self, runtime: Runtime, plan: Plan) -> None:
        """Save what leaves, in one file for all rounds."""
        self.left += chains_of(plan.entries, "remove")
        if len(self.left) > 1:
            self.saved = saved_file.save_chains(runtime, self.left, self.saved, self.found)

    # The end

    def finished(self) -> Report:
        """Say what is not drained, and return the report on the whole."""
        report, draining, busy = self.report, self.draining(), self.busy()
        ends, sent = report.ends, report.sent
        if report.stopped is not None and (self.waits or self.removes):
            waiting = {end.item for end in draining.values()}
            ends = [self.unfinished(end, report.stopped) if end.item in waiting else end for end in ends]
        elif busy and not self.removes:
            numbers = counted(len(busy), "number")
            self.runtime.note(f"still in use: {numbers}. --wait waits until they are idle.")
        if self.waits and sent is not None:
            sent = replace(sent, started=self.runtime.started, ended=self.runtime.clock.monotonic())
        done = REMOVE.done if self.removes else RESERVE.done
        run, single = self.journal.run, self.given.single
        return replace(report, ends=ends, sent=sent, waited=self.waits, done=done, run=run, single=single)

    def unfinished(self, end: End, cause: errors.ProxyctlError) -> End:
        """Say what is left to do with a number of a run that ``cause`` stopped."""
        in_use = (end.seen or {}).get("in_use")
        if in_use:
            what = f"{end.item.shown} is still in use by {SESSION.count(in_use)}"
        elif self.removes:
            what = f"{end.item.shown} is reserved and idle, but was not removed"
        else:
            return end
        kind = errors.TemporaryError if isinstance(cause, errors.Interrupted) else type(cause)
        hint = cause.hint if self.given.single else None  # of several, the run's end says it once
        return replace(end, error=kind(f"{what}: {cause.message}", hint=hint, problem=cause.problem))


def rows_by_sid(entries: Sequence[Entry]) -> dict[str, Row]:
    """Return the numbers that the pool has, as it has them, each once."""
    there = [one for one in entries if isinstance(one, Chain) or one.error is None]
    rows = [one.before if isinstance(one, Chain) else one.seen for one in there]
    return {row["sid"]: row for row in rows if row is not None}
