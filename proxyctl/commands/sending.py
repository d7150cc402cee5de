"""How the engine sends a run, and the line that shows it; its record, written request by request."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Self

from proxyctl.api.models import Service
from proxyctl.bulk.engine import Engine
from proxyctl.bulk.outcomes import Done, Result, RunReport, Task
from proxyctl.bulk.outcomes import Outcome as BulkOutcome
from proxyctl.commands.in_transit import Left, forget_finished, say_unfinished, typed_command
from proxyctl.commands.report import Report
from proxyctl.errors import OutputError, ProxyctlError, UsageError
from proxyctl.input.items import Item
from proxyctl.pools.pool import flag_word
from proxyctl.runtime import Runtime
from proxyctl.state.history import RunRecorder
from proxyctl.state.record import Intent, Outcome, RunInfo, counted_alike
from proxyctl.state.transit import Transit
from proxyctl.writes.executor import Executor
from proxyctl.writes.flow import Flow, Progress
from proxyctl.writes.plan import Plan
from proxyctl.writes.reading import Reader
from proxyctl.writes.requests import ATTACH, CREATE_SERVICE, Request, Seen

NOT_RECORDED = "the run could not be recorded"
NOTHING_SENT = "the history can't be written, and nothing was sent"


def load_what_reports(runtime: Runtime) -> None:
    """Import what the report needs before the first write: afterwards, files or memory may have run out."""
    import csv
    import encodings.idna

    from proxyctl import explaining
    from proxyctl.render import output, shapes

    _ = (csv, encodings.idna, explaining, output, shapes, runtime.out)


def run_engine(runtime: Runtime, flow: Flow, journal: Journal) -> RunReport:
    """Send what the flow allows, until there is no more; a line on a terminal shows how far it is."""
    options = runtime.options
    total = sum(len(end.chain.foreseen) for end in flow.ends()) if runtime.draws else 0
    try:
        return Engine(
            Executor(runtime.access.client, Reader(runtime.access.client, runtime.access.gates, lent=True)),
            gates=runtime.access.gates,
            clock=runtime.clock,
            journal=journal,
            observer=watch(runtime, journal.title, total),
            stop=runtime.stop,
            retries=options.retries,
            max_errors=options.max_errors,
            deadline=options.deadline,
            time_left=runtime.time_left,
        ).run(flow)
    finally:
        runtime.console.clear()


def watch(runtime: Runtime, title: str, total: int) -> Callable[[Result], None]:
    """Draw the line of a run of several requests, and return what keeps it up to date."""
    from proxyctl.render.progress import BulkLine

    if total <= 1:
        return lambda result: None

    def waiting() -> str:
        seconds = runtime.access.gates.paused(runtime.clock.monotonic())
        return f"429: waiting {seconds:.0f} s" if seconds >= 1 else ""

    def take(result: Result) -> None:
        if result.state != "skipped":
            line.done += 1
            line.failed += result.state != "done"
        live.update()

    line = BulkLine(title, total, waiting)
    live = runtime.draw(line)
    return take


class Journal:
    """The engine's journal: each request before it is sent, and what came of it, in one record for all rounds of a run.

    The record is begun with the first round, or at the end of a run that sent nothing. What can't be written is
    reported once: by the engine, which stops at it, or at the end of the command. With --no-history there is one as
    well while numbers are in transit.
    """

    def __init__(
        self, runtime: Runtime, title: str, service: Service | None, names: Sequence[str], undoes: str | None
    ) -> None:
        self.title = title  # of the line that shows the run
        self._runtime = runtime
        self._service, self._names = service, names
        runtime.services = names or runtime.services
        self._undoes = undoes
        self._recorder: RunRecorder | None = None
        self._lefts: list[Left] | None = None  # what earlier runs left in transit
        self._transit: str | None = None  # this run's id, while it has numbers in transit
        self._first = self._next = 0  # the index of this round's first request, and of the next round's
        self._reported = self._sent = False
        self._tried: set[Item] = set()  # what has requests, in any round

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Leave the record as it is, without an end where the run broke off. Record what failed with nothing sent."""
        if self._recorder is not None:
            self._recorder.close()
        elif isinstance(error, ProxyctlError) and not isinstance(error, UsageError):
            with suppress(ProxyctlError):  # the error itself is reported
                self._end(Report(), error)

    @property
    def run(self) -> str | None:
        """The id of the record; None where nothing was recorded."""
        return self._recorder.id if self._recorder is not None else None

    def say_unfinished(self, service_sids: Sequence[str | None]) -> None:
        """Name once what earlier runs left in transit."""
        if self._lefts is None:
            self._lefts = say_unfinished(self._runtime, service_sids)

    def begin_round(self, plan: Plan, service_sids: Sequence[str | None]) -> None:
        """Begin a round, whose requests are numbered from 0 again. OutputError: nothing was sent."""
        runtime = self._runtime
        self._first = self._next
        self._tried.update(chain.item for chain in plan.chains)
        steps = [step for chain in plan.chains for step in chain.steps]
        leaving = any(not step.final and step.request.verb.removes for step in steps)
        attaches = sum(chain.request.verb is ATTACH for chain in plan.chains)
        try:
            if self._recorder is None and (leaving or attaches or not runtime.options.no_history):
                self._recorder = runtime.history.begin(self._info(plan), runtime.access.server_now)
            if self._recorder is not None and self._transit is None and (leaving or attaches):
                sids = tuple(sid for sid in service_sids if sid is not None)
                attaching = 0 if leaving else attaches
                runtime.transits.begin(Transit(self._recorder.id, sids, runtime.command, attaching))
                self._transit = self._recorder.id
        except OutputError as error:
            if not runtime.options.no_history:
                raise said_of(error, NOTHING_SENT) from None

    def arrived(self, ends: Iterable[Progress]) -> None:
        """Forget what was in transit where all of it is in its place, after a round."""
        left = any(end.pending or end.state == "unknown" for end in ends)
        if self._transit is not None and not left:
            with suppress(OutputError):  # later runs see that nothing is left
                self._runtime.transits.end(self._transit)
            self._transit = None

    def _info(self, plan: Plan) -> RunInfo:
        runtime, service, profile = self._runtime, self._service, self._runtime.profile
        return RunInfo(
            command=typed_command(runtime),
            verb=runtime.verb,
            profile=profile.name,
            account_sid=runtime.data_account,
            service_sid=service.sid if service else None,
            service_name=service.unique_name if service else None,
            services=self._names or None,
            user=user_name(),
            host=socket.gethostname(),
            undoes=self._undoes,
            unreserved=found_in(plan, flag_word(False)),
            reserved=found_in(plan, flag_word(True)),
        )

    def intent(self, task: Task) -> None:
        """Record what is about to be sent."""
        request = task.payload.request
        if not request.verb.reads:
            index = self._first + task.index
            self._next = max(self._next, index + 1)
            lost = NOT_RECORDED if self._sent else NOTHING_SENT
            self._keep(lambda recorder: recorder.intent(index, intent_of(request)), lost)
            self._sent = True

    def outcome(self, task: Task, outcome: BulkOutcome) -> None:
        """Record what came of it."""
        request, index = task.payload.request, self._first + task.index
        if not request.verb.reads:
            self._keep(lambda recorder: recorder.outcome(index, outcome_of(request, outcome)), NOT_RECORDED)

    def _keep(self, write: Callable[[RunRecorder], None], lost: str) -> None:
        """Write to the record; ``lost`` is said where that fails. --no-history goes on without a record then."""
        if self._recorder is None:
            return
        try:
            write(self._recorder)
        except OutputError as error:
            if not self._runtime.options.no_history:
                self._reported = True
                raise said_of(error, lost) from None
            self._recorder.close()
            self._recorder = None

    def end(self, report: Report) -> None:
        """Record the end of the run. One that could not be recorded to its end is reported when the command ends."""
        self._runtime.counts = counted_alike(report.counts)
        if self._lefts:
            forget_finished(self._runtime, self._lefts, report)
        try:
            self._end(report, report.error())
        except OutputError as unwritten:
            if not self._reported:
                self._runtime.late_errors.append(said_of(unwritten, NOT_RECORDED))

    def _end(self, report: Report, error: ProxyctlError | None) -> None:
        """Record what failed with nothing sent for it, and the end; forget what --no-history kept for a while."""
        runtime, recorder, clean = self._runtime, self._recorder, self._runtime.kept.clean
        if recorder is None and (runtime.options.no_history or runtime.options.dry_run):
            return
        if recorder is None:  # nothing was sent
            self._undoes = None if error else self._undoes  # of a run that is still as it was
            recorder = runtime.history.begin(self._info(Plan()), runtime.access.server_now)
        elif runtime.options.no_history and self._transit is None:
            recorder.close()
            with suppress(OutputError):
                runtime.history.forget(recorder.id)
            return
        refused = [end for end in report.ends if end.action == "failed" and end.item not in self._tried]
        for index, end in enumerate(refused, self._next):
            row = end.row()
            facts = {key: row[key] for key in ("input", "sid", "phone_number", "service")}
            why = row["error"] or {}
            message = clean(why.get("message") or "")
            recorder.refused(index, {**facts, "code": why.get("code"), "message": message})
        said = error is None or error.message.startswith(report.summary())
        recorder.end(
            report.counts,
            int(error.exit_code) if error else 0,
            seconds=round(runtime.clock.monotonic() - runtime.started, 3),
            message=None if error is None or said else clean(error.message),
        )


def found_in(plan: Plan, kind: str) -> dict[str, int]:
    """Return how many numbers of a kind the pools held that were read whole, by Service."""
    return {sid: one.held for (sid, of), one in plan.capacities.items() if of == kind and one.whole}


def intent_of(request: Request) -> Intent:
    """Return what the history keeps of a request before it is sent."""
    verb = request.verb
    before, after = request.before, dict(request.wanted) or None
    if not verb.recorded:
        before = after = None
    elif before is not None and (verb.parent_key or verb.key == "phone_number"):
        # What the run changes is enough.
        before = {name: before.get(name) for name in after or ("is_reserved", "status") if name in before}
    parent = {verb.parent_key: request.parent} if verb.parent_key and request.parent else {}
    version = (request.before or {}).get("date_updated")
    facts = {"before": before, "after": after, "version": version, **parent, **request.kept}
    return Intent(verb.name, request.name, request.sid, request.phone_number, **facts)


def outcome_of(request: Request, outcome: BulkOutcome) -> Outcome:
    """Return what the history keeps of one attempt."""
    if not isinstance(outcome, Done):
        problem = outcome.error.problem
        facts = {name: getattr(problem, name, None) for name in ("code", "status", "request_id")}
        return Outcome(type(outcome).__name__.lower(), message=outcome.error.message, **facts)
    seen: Seen = outcome.detail
    raw = seen.raw or {}
    created = request.verb is CREATE_SERVICE
    settings = request.wanted if request.verb.key == "unique_name" else ()
    after = {key: raw.get(key) for key in settings}
    return Outcome(
        "done",
        outcome.action,
        sid=None if created else raw.get("sid"),
        service_sid=raw.get("sid") if created else None,
        phone_number=raw.get("phone_number"),
        after=after or None,
        version=None if request.verb.removes else raw.get("date_updated"),
        request_id=seen.request_id,
    )


def said_of(error: OutputError, text: str) -> OutputError:
    """Say of a history that can't be written what that means."""
    return OutputError(f"{text}: {error.message}", hint=error.hint)


def user_name() -> str | None:
    """Return who is running this, where the system knows."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return None
