"""What the bulk verbs share: read the items, look at the pool, decide, check, carry out, report.

Each part has a home of its own (`bulk` runs, `pools` decides and sends); this joins them for one command line:
confirmation, lock, history, progress, rows, summary and the exit code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from proxyctl.errors import NotFoundError, OutputError, ProxyctlError, UsageError, exit_status

if TYPE_CHECKING:
    from proxyctl.api.calls import Call
    from proxyctl.api.models import PhoneNumber, Service
    from proxyctl.bulk.outcomes import Journal, RunReport
    from proxyctl.commands.bulk_report import Ended
    from proxyctl.commands.writing import BulkJournal
    from proxyctl.input.items import Item, Items
    from proxyctl.pools.changes import Change, Decision, Kind, Wish
    from proxyctl.pools.pool import Pool
    from proxyctl.render.shape import Shape
    from proxyctl.runtime import Runtime
    from proxyctl.state.history import RunRecorder

SEE_HISTORY = "The work was done; 'proxyctl history list' and 'history show' tell what."


def read_input(
    runtime: Runtime, numbers: Sequence[str] | None, file: str | None, *, use_is_reserved: bool = False
) -> Items:
    """Read what a verb works on, from its arguments and ``-f FILE``; all of it is checked here."""
    from proxyctl.input.items import read_items

    if not numbers and file is None:
        raise UsageError("no numbers were given.", hint="Name them as arguments, or in a file with -f FILE.")
    items = read_items(
        numbers,
        file,
        stdin=getattr(runtime.stdin, "buffer", None),
        default_country=runtime.options.default_country,
        use_is_reserved=use_is_reserved,
    )
    if items.duplicates:
        runtime.note(f"folded {items.duplicates} duplicate{'' if items.duplicates == 1 else 's'}.")
    if items.empty_reason:
        runtime.note(items.empty_reason)
    return items


def run_verb(
    runtime: Runtime,
    service_name: str,
    numbers: Sequence[str] | None,
    file: str | None,
    wish: Wish,
    kind: type[PoolRun] | None = None,
) -> None:
    """Carry out one verb on the numbers given, as a run of ``kind``; raises the error that the run ends with."""
    from proxyctl.pools.changes import Kind
    from proxyctl.render.shapes import RESULT

    runtime.out.check(RESULT)
    items = read_input(runtime, numbers, file, use_is_reserved=wish.kind is Kind.ADD)
    failed_to = check_failed_to(runtime.options.failed_to, file)
    runtime.guard_writes()
    service = find_service(runtime, service_name, unseen=bool(items.items))
    single = file is None and len(numbers or ()) == 1
    run = (kind or PoolRun)(runtime, service, wish.kind.done, single=single)
    with runtime.lock(service.sid):
        run.decide(wish, items.items)
        if runtime.options.dry_run:
            run.show_requests()
            return
        run.carry_out()
    run.report(failed_to)


def find_service(runtime: Runtime, name_or_sid: str, *, unseen: bool) -> Service:
    """Look a Service up. Where ``unseen`` will do, a SID is taken as it is: the look at the pool tells if there is
    none, so that a run needs no request besides that look and its changes.
    """
    from proxyctl.api.models import Service
    from proxyctl.identifiers import is_sid

    if unseen and is_sid("KS", name_or_sid):
        return Service({"sid": name_or_sid})
    return runtime.client.services.find(name_or_sid)


class PoolRun:
    """One run on the pool of one Service: decisions in, requests sent, ends of all items out.

    ``done`` is the word that the summary leads with; ``single``: one number was named, so its own error is the
    run's.
    """

    def __init__(self, runtime: Runtime, service: Service, done: str, *, single: bool) -> None:
        self.runtime = runtime
        self.service = service
        self.done = done
        self.single = single
        self.decisions: Sequence[Decision] = ()
        self.engine_report: RunReport | None = None
        self._settled: Sequence[Ended] | None = None

    @property
    def changes(self) -> list[Change]:
        """The decisions that need a request."""
        from proxyctl.pools.changes import Change

        return [decision for decision in self.decisions if isinstance(decision, Change)]

    def decide(self, wish: Wish, items: Sequence[Item]) -> None:
        """Look at the pool once, decide what is missing, and check that it fits."""
        from proxyctl.pools.changes import decide_all

        if items:
            pool = look(self.runtime, self.service, items, wish.kind)
            self.take(pool, decide_all(wish, items, pool))

    def take(self, pool: Pool, decisions: Sequence[Decision]) -> None:
        """Take decisions about ``pool``; RefusedError where they would break its limits."""
        from proxyctl.pools.limits import preflight

        self.decisions = decisions
        preflight(pool, self.changes)

    def show_requests(self, removed_later: Sequence[PhoneNumber] = ()) -> None:
        """Print what would be sent, and say what would fail; ``removed_later`` leave the pool after the changes."""
        from proxyctl.commands.writing import show_calls

        numbers = self.runtime.client.phone_numbers(self.service.sid)
        show_calls(self.runtime, [*self.calls(), *(numbers.delete_call(one.sid) for one in removed_later)])
        for end in self.ends():
            if end.action == "failed":
                self.runtime.note(f"{end.item.input}: would fail: {end.error}")

    def calls(self) -> list[Call]:
        """Return the requests that would be sent if none of them failed."""
        from proxyctl.pools.writer import PoolWriter

        writer = PoolWriter(self.runtime.client, self.service.sid)
        return [writer.call_for(change) for change in self.changes]

    @property
    def idle(self) -> bool:
        """Whether there is nothing to send."""
        return not self.changes

    def carry_out(self, question: str | None = None) -> None:
        """Confirm where numbers would leave the pool (or by ``question``; '' asks nothing), then send the changes."""
        from proxyctl.pools.changes import Kind

        if self.idle:
            return
        leaving = [change.number for change in self.changes if change.kind is Kind.REMOVE and change.number]
        if question is None and leaving:
            question = self.removal_text(len(leaving), [number.sid for number in leaving])
        if question:
            self.runtime.confirm(question)
        if len(leaving) > 1:
            self.save(leaving)
        self.send()

    def save(self, leaving: Sequence[PhoneNumber]) -> None:
        """Save the numbers that leave to a pool file, by which they can come back."""
        from proxyctl.commands.way_back import save_numbers

        self.learn_name()
        save_numbers(self.runtime, self.service, leaving)

    def learn_name(self) -> None:
        """Look the Service's name up where only its SID is known."""
        if self.service.unique_name is None:
            self.service = self.runtime.client.services.find(self.service.sid)

    def send(self) -> None:
        """Send what was decided, recorded in the history."""
        from proxyctl.commands.writing import bulk_journal

        with self.runtime.stoppable(), bulk_journal(self.runtime, self.recorded, self.journal) as journal:
            self.engine_report = self.run_engine(journal)
            counts = Counter(end.action for end in self.ends())
            error = self.conclusion()
            try:
                journal.end(counts, exit_status(error) if error else 0)
            except OutputError as unwritten:  # the work is done: it has to be told all the same
                self.engine_report = replace(self.engine_report, stopped_by=unwritten)

    @property
    def recorded(self) -> Service | None:
        """The Service that the history names, if it is one alone."""
        return self.service

    def journal(self, runtime: Runtime, recorder: RunRecorder | None) -> BulkJournal:
        """Return the engine's journal for this run."""
        from proxyctl.commands.writing import BulkJournal

        return BulkJournal(runtime, recorder)

    def run_engine(self, journal: Journal) -> RunReport:
        """Carry the changes out."""
        from proxyctl.commands.bulk_engine import run_changes

        return run_changes(self.runtime, self.service, self.changes, journal)

    def removal_text(self, count: int, sids: Collection[str] = ()) -> str:
        """Say what will be removed, from which Service, and as whom; and which of ``sids`` could not come back."""
        from proxyctl.commands.way_back import captives_text

        profile = self.runtime.profile
        if not self.runtime.options.yes:  # who is asked should read a name
            self.learn_name()
        name = self.service.unique_name
        service = f"{name} ({self.service.sid})" if name else self.service.sid
        numbers = "1 number" if count == 1 else f"{count} numbers"
        return (
            f"This removes {numbers} from Service {service} "
            f"of account {profile.account_sid} (profile {profile.name}).{captives_text(self.runtime, sids)}"
        )

    def settle(
        self,
        ends: Sequence[Ended],
        stopped: ProxyctlError | None,
        done: str,
        waited: tuple[float, float] | None = None,
    ) -> None:
        """Take ``ends`` for those of this run, which went on after its own requests.

        ``waited``: when it began and ended on the clock, where most of that was waiting, so that a rate says nothing.
        """
        from proxyctl.bulk.outcomes import RunReport

        self._settled = ends
        self.done = done
        report = replace(self.engine_report or RunReport(), stopped_by=stopped)
        if waited is not None:
            report = replace(report, started=waited[0], ended=waited[1], results=[])
        self.engine_report = report

    def go_on(self, report: RunReport | None) -> None:
        """Add what another run of the engine did for the same items."""
        before = self.engine_report
        if report is None or before is None:
            self.engine_report = before or report
            return
        self.engine_report = replace(
            report,
            results=[*before.results, *report.results],
            retries=before.retries + report.retries,
            throttled=before.throttled + report.throttled,
            started=before.started,
        )

    def ends(self) -> Sequence[Ended]:
        """Return how each item ended, in the order they were given."""
        from proxyctl.commands.bulk_report import Ended, ended
        from proxyctl.pools.changes import Change

        if self._settled is not None:
            return self._settled

        results = (
            {result.index: result for result in self.engine_report.results} if self.engine_report else {}
        )
        ends = []
        position = 0
        for decision in self.decisions:
            if isinstance(decision, Change):
                if position in results:
                    ends.append(ended(decision, results[position]))
                position += 1
            else:
                action = "failed" if decision.error is not None else "unchanged"
                ends.append(Ended(decision.item, action, decision.number, decision.error))
        return ends

    def summary(self) -> str:
        """Return the line that ends the run."""
        from proxyctl.commands.bulk_report import summary

        return summary(self.ends(), self.done, self.engine_report)

    def conclusion(self) -> ProxyctlError | None:
        """Return the error that the run ends with, if it does."""
        from proxyctl.commands.bulk_report import conclusion

        return conclusion(self.ends(), self.summary(), self.engine_report, single=self.single)

    def report(self, failed_to: Path | None) -> None:
        """Print rows, failures and summary; raise the error that the run ends with."""
        from proxyctl.render.shapes import RESULT

        self.runtime.ending = True
        self.say_notes()
        ends, error = self.ends(), self.conclusion()
        kept = None if failed_to is None else (failed_to, [end for end in ends if end.bad])
        tell(self.runtime, RESULT, ends, error, self.summary(), kept, lines=not self.single)

    def say_notes(self) -> None:
        """Count what was as wanted already, by the reason."""
        from proxyctl.pools.changes import Settled

        notes = Counter(d.note for d in self.decisions if isinstance(d, Settled) and d.note)
        for note, count in notes.items():
            self.runtime.note(f"{count} unchanged: {note}.")


def look(runtime: Runtime, service: Service, items: Sequence[Item], kind: Kind) -> Pool:
    """Read the pool: number by number where only a few are named and no limit is at stake, else whole."""
    from proxyctl.pools.changes import Kind
    from proxyctl.pools.pool import FEW, look_at_pool, look_for, look_up

    sids = [item.sid for item in items if item.sid is not None]
    # The limits can only be checked against the whole pool; for one number the API itself is as exact.
    most = FEW if kind is Kind.REMOVE else 1
    try:
        if len(sids) == len(items) and len(sids) <= most:
            return look_up(runtime.client, service.sid, sids)
        if len(items) == 1 and items[0].phone_number is not None:
            return look_for(runtime.client, service.sid, items[0].phone_number)
        return look_at_pool(runtime.client, service.sid)
    except NotFoundError:
        runtime.client.services.find(service.sid)  # says so where it is the Service that is missing
        raise


def tell(
    runtime: Runtime,
    shape: Shape,
    ends: Sequence[Ended],
    error: ProxyctlError | None,
    summary: str,
    kept: tuple[Path, Sequence[Ended]] | None,
    *,
    lines: bool = True,
) -> None:
    """Tell how a run ended: rows, what --failed-to keeps, a line for each failure, the summary or the error.

    What can't be written is told as well, and stops none of the rest.
    """
    from proxyctl.commands.bulk_report import failure_lines

    lost = []
    if rows_wanted(runtime, failed=error is not None):
        lost.append(lost_output(lambda: runtime.out.rows(shape, [[end.row() for end in ends]])))
    if kept is not None:
        path, bad = kept
        lost.append(lost_output(lambda: write_failed(path, bad), f"--failed-to {path}"))
    if error is None:
        runtime.note(summary)
    elif lines:
        for text in failure_lines(ends):
            runtime.say(text)
    losses = [each for each in lost if each is not None]
    failure = error or (losses.pop() if losses else None)
    for loss in losses:
        runtime.warn(loss.message)
    if failure is not None:
        raise failure


def rows_wanted(runtime: Runtime, *, failed: bool) -> bool:
    """Whether rows go to stdout: not at a terminal, and not with --quiet, unless a format was asked for."""
    if runtime.options.quiet:
        return failed and runtime.options.output is not None
    return not runtime.console.terminal.stdout or runtime.options.output is not None


def lost_output(write: Callable[[], object], what: str = "the rows") -> OutputError | None:
    """Write ``what``; return the error where it is lost: the work is done all the same, and has yet to be told."""
    try:
        write()
    except BrokenPipeError:
        return OutputError(f"{what} could not be written: whoever read it has gone.", hint=SEE_HISTORY)
    except OutputError as error:
        return OutputError(error.message, hint=SEE_HISTORY)
    except OSError as error:
        return OutputError(f"{what} could not be written: {error.strerror or error}", hint=SEE_HISTORY)
    return None


def check_failed_to(name: str | None, *inputs: str | None) -> Path | None:
    """Refuse a --failed-to that can't be written, or that is one of ``inputs``, before anything is sent."""
    from proxyctl.input.output_file import check_output_file

    return check_output_file("--failed-to", name, inputs)


def write_failed(path: Path, ends: Sequence[Ended]) -> None:
    """Write the inputs that are not as wanted yet, in a form that -f takes; an empty file where all are."""
    from proxyctl.input.items import failed_to_text
    from proxyctl.input.output_file import write_output_file

    write_output_file(path, failed_to_text(end.item for end in ends).encode())
