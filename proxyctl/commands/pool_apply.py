"""Carrying out a plan for several Services in one run: confirmation, locks, history, progress, rows and exit code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proxyctl.bulk.outcomes import RunReport, Work
from proxyctl.commands import bulk, pool_files
from proxyctl.commands.bulk_report import Ended, conclusion, duration_text
from proxyctl.commands.writing import BulkJournal, bulk_journal, change_intent, show_calls
from proxyctl.errors import OutputError, ProxyctlError, exit_status
from proxyctl.pools.apply import AccountWriter
from proxyctl.pools.flow import Flow, Sending
from proxyctl.pools.plan import Action, Left, Plan, Step, check_limits

if TYPE_CHECKING:
    from proxyctl.api.models import Service
    from proxyctl.runtime import Runtime
    from proxyctl.state.history import RunRecorder

SHOWN = 20
ORDER = (*(action.done for action in Action), "unchanged", "skipped", "unknown", "failed")


@dataclass(frozen=True, slots=True)
class EndedIn(Ended):
    """How one item ended, and in which Service."""

    service: str = ""
    service_sid: str | None = None

    def row(self) -> dict[str, Any]:
        """Return the row that is printed."""
        row = Ended.row(self)
        if self.item.sid is None and self.item.phone_number is None:
            row["sid"] = self.service_sid
        return {**row, "service": self.service}


class AccountJournal(BulkJournal):
    """The engine's journal for works on several Services; ``kept`` are webhooks by SID and by number."""

    kept: Mapping[str, Mapping[str, str]] = {}

    def intent_of(self, work: Work) -> dict[str, Any]:
        """Return what the history keeps of a request before it is sent."""
        from proxyctl.commands.webhooks import settings_for

        sending: Sending = work.payload
        step = sending.step
        where = {"service_sid": sending.service_sid, "service": sending.service}
        if sending.change is not None:
            kept = settings_for(self.kept, sending.change) if step.action is Action.ADD else None
            webhooks = {"webhooks": dict(kept)} if kept is not None else {}
            return {**change_intent(sending.change, step.item), **where, **webhooks}
        settings = {"before": dict(step.before), "after": dict(step.settings)}
        return {"action": f"{step.action}_service", "input": step.service, **where, **settings}


def apply(runtime: Runtime, file: str, *, prune: bool, keep_webhooks: bool = False) -> None:
    """Change the account to what ``file`` says; raises the error that the run ends with."""
    from proxyctl.pools.world import list_services
    from proxyctl.render.pool_shapes import SERVICE_RESULT

    runtime.out.check(SERVICE_RESULT)
    wanted = pool_files.read(runtime, file)
    failed_to = bulk.check_failed_to(runtime.options.failed_to, file, *wanted.files)
    runtime.guard_writes()
    services = list_services(runtime.client)
    names = [one.name for one in wanted.services]
    sids = [services[name].sid if name in services else None for name in names]
    with runtime.lock(*dict.fromkeys(sids)):
        if not runtime.options.dry_run:
            services = list_services(runtime.client)  # as they are under the lock
        run = AccountRun(runtime, pool_files.compute(runtime, wanted, services, prune=prune))
        if runtime.options.dry_run:
            run.show_requests()
            return
        if keep_webhooks:
            run.keep_webhooks()
        run.carry_out()
    run.report(failed_to)


class AccountRun:
    """One run of a plan: requests sent, ends of all items out."""

    def __init__(self, runtime: Runtime, plan: Plan) -> None:
        check_limits(plan)
        self.runtime = runtime
        self.plan = plan
        self.flow = Flow(plan)
        self.engine_report: RunReport | None = None
        self.kept: Mapping[str, Mapping[str, str]] = {}

    def keep_webhooks(self) -> None:
        """Read the webhooks of the numbers that join a pool, for the history to keep."""
        from proxyctl.commands.webhooks import keep

        self.kept = keep(self.runtime, [step.item for step in self.plan.steps if step.action is Action.ADD])

    def journal(self, runtime: Runtime, recorder: RunRecorder | None) -> AccountJournal:
        """Return the engine's journal for this run."""
        journal = AccountJournal(runtime, recorder)
        journal.kept = self.kept
        return journal

    def show_requests(self) -> None:
        """Print what would be sent, in the order of the plan, and say what would fail."""
        writer = AccountWriter(self.runtime.client)
        show_calls(self.runtime, [writer.call_for(sending) for sending in sendings(self.plan)])
        for left in self.plan.refused:
            self.runtime.note(f"{left.item.input}: would fail: {left.error}")

    def carry_out(self, question: str | None = None) -> None:
        """Show what will be done, confirm it, and do it."""
        if not self.plan.steps:
            return
        self.runtime.confirm(question or confirmation(self.runtime, self.plan))
        self.save()
        with (
            self.runtime.stoppable(),
            bulk_journal(self.runtime, self.only_service(), self.journal) as journal,
        ):
            self.engine_report = self.run_engine(journal)
            counts = Counter(end.action for end in self.ends())
            error = self.conclusion()
            try:
                journal.end(counts, exit_status(error) if error else 0)
            except OutputError as unwritten:  # the work is done: it has to be told all the same
                self.engine_report = replace(self.engine_report, stopped_by=unwritten)

    def save(self) -> None:
        """Keep a way back where several numbers leave their pools for good."""
        from proxyctl.commands.way_back import save_pools

        leaving = [step.service for step in self.plan.steps if step.action is Action.REMOVE]
        if len(leaving) > 1:
            world = self.plan.world
            names = dict.fromkeys(leaving)
            save_pools(self.runtime, [(world.services[name], world.pools[name]) for name in names])

    def only_service(self) -> Service | None:
        """Return the Service that the run is about, if it is one alone."""
        names = self.plan.touched()
        return self.plan.world.services.get(names[0]) if len(names) == 1 else None

    def run_engine(self, journal: BulkJournal) -> RunReport:
        """Send what the flow allows, until there is no more."""
        from proxyctl.commands.bulk_engine import run_works

        writer = AccountWriter(self.runtime.client)
        flow = self.flow
        return run_works(self.runtime, writer, flow.start(), journal, len(self.plan.steps), flow.follow)

    def ends(self) -> list[EndedIn]:
        """Return how each item ended, in the order of the plan; Services that stay as they are have none."""
        done = {id(end.step): end for end in self.flow.ends(self.engine_report)}
        ends = []
        for entry in self.plan.entries:
            if isinstance(entry, Step):
                end = done[id(entry)]
                ends.append(
                    EndedIn(entry.item, end.action, end.number, end.error, entry.service, end.service_sid)
                )
            else:
                ends.append(self.left(entry))
        return ends

    def left(self, entry: Left) -> EndedIn:
        """Return the end of a number that was left as it is."""
        action = "failed" if entry.error is not None else "unchanged"
        return EndedIn(entry.item, action, entry.number, entry.error, entry.service)

    def summary(self) -> str:
        """Return the line that ends the run."""
        counts = Counter(end.action for end in self.ends())
        words = ", ".join(f"{word} {counts[word]}" for word in ORDER if counts[word] or word == "failed")
        report = self.engine_report
        return words if report is None else f"{words} in {duration_text(report.ended - report.started)}"

    def conclusion(self) -> ProxyctlError | None:
        """Return the error that the run ends with, if it does."""
        return conclusion(self.ends(), self.summary(), self.engine_report, single=False)

    def report(self, failed_to: Path | None) -> None:
        """Print rows, failures and summary; raise the error that the run ends with."""
        from proxyctl.render.pool_shapes import SERVICE_RESULT

        self.runtime.ending = True
        ends = self.ends()
        bad = [end for end in ends if end.bad and names_a_number(end)]
        kept = None if failed_to is None else (failed_to, bad)
        bulk.tell(self.runtime, SERVICE_RESULT, ends, self.conclusion(), self.summary(), kept)


def names_a_number(end: Ended) -> bool:
    """Whether an end is that of a number, not of a Service."""
    return end.item.phone_number is not None or (end.item.sid or "").startswith("PN")


def sendings(plan: Plan) -> list[Sending]:
    """Return the requests of a plan, as --dry-run shows them."""
    sids = {name: service.sid for name, service in plan.world.services.items()}
    shown = []
    for step in plan.steps:
        if step.leaving is not None and step.source is not None:
            shown.append(Sending(step, "leave", step.source, sids.get(step.source), step.leaving))
        part: Any = "service" if step.change is None else "change"
        shown.append(Sending(step, part, step.service, sids.get(step.service), step.change))
    return shown


def confirmation(runtime: Runtime, plan: Plan) -> str:
    """Say what will be done, to which Services, and as whom."""
    profile = runtime.profile
    names = plan.touched()
    services = "1 Service" if len(names) == 1 else f"{len(names)} Services"
    lines = [f"This changes {services} of account {profile.account_sid} (profile {profile.name}):"]
    for name in names:
        lines += [f"  {name}: {text}" for text in changes_text(plan, name)]
    return "\n".join(lines)


def changes_text(plan: Plan, name: str) -> list[str]:
    """Say what changes in one Service: its settings one by one, its numbers by their count."""
    lines = []
    counts: Counter[str] = Counter()
    for step in plan.steps:
        if step.service != name:
            continue
        if step.action is Action.CREATE:
            lines.append(f"create it{settings_text(step.settings)}")
        elif step.action is Action.UPDATE:
            lines += [
                f"{key} {shown(step.before[key])} → {shown(value)}" for key, value in step.settings.items()
            ]
        else:
            counts[f"move {{}} here from {step.source}" if step.source else f"{step.action} {{}}"] += 1
    lines += [words.format(number_text(count)) for words, count in counts.items()]
    leaving = sum(1 for step in plan.steps if step.source == name)
    return [*lines, *([f"{number_text(leaving)} move to other Services"] if leaving else [])]


def settings_text(settings: Mapping[str, Any]) -> str:
    """Return the settings of a new Service in words."""
    return (
        f", with {', '.join(f'{key} {shown(value)}' for key, value in settings.items())}" if settings else ""
    )


def shown(value: Any) -> str:
    """Return the value of a setting in words."""
    return "(not set)" if value in (None, "") else str(value)


def number_text(count: int) -> str:
    """Return ``1 number``, ``12 numbers``."""
    return "1 number" if count == 1 else f"{count} numbers"
