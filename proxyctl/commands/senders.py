"""What `messaging check` and `messaging attach` do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from proxyctl.api.models import MessagingPhoneNumber
from proxyctl.commands.bulk import PoolRun, check_failed_to, read_input
from proxyctl.commands.bulk_report import Ended
from proxyctl.commands.writing import BulkJournal
from proxyctl.identifiers import require_sid
from proxyctl.pools.a2p import Attachment, Pair, all_items, decide_all, findings, preflight
from proxyctl.pools.captives import find_captives
from proxyctl.pools.changes import Settled
from proxyctl.pools.messaging import Senders
from proxyctl.pools.pool import look_at_pool

if TYPE_CHECKING:
    from proxyctl.api.calls import Call
    from proxyctl.api.models import MessagingService, Service
    from proxyctl.bulk.outcomes import Journal, Outcome, RunReport, Work
    from proxyctl.input.items import Item
    from proxyctl.pools.a2p import Decision
    from proxyctl.runtime import Runtime
    from proxyctl.state.history import RunRecorder

PAGE = 500


def check(runtime: Runtime, service_name: str, messaging_service: str) -> None:
    """Print what is wrong; CheckError where something is."""
    from proxyctl.commands.pool_audit import conclude, show_mends
    from proxyctl.render.pool_shapes import FINDING

    runtime.out.check(FINDING)
    require_sid("MG", messaging_service)
    pair = look(runtime, *named(runtime, service_name, messaging_service))
    found = list(findings(pair))
    rows = [finding.row() for finding in found]
    runtime.out.rows(FINDING, [rows[start : start + PAGE] for start in range(0, len(rows), PAGE)])
    if runtime.format == "table":
        show_mends(runtime, found)
    conclude(runtime, found)


def named(runtime: Runtime, service_name: str, messaging_service: str) -> tuple[Service, MessagingService]:
    """Look both up; NotFoundError where one does not exist."""
    client = runtime.client
    return client.services.find(service_name), client.messaging.fetch(messaging_service)


def look(runtime: Runtime, service: Service, messaging: MessagingService, items: Sequence[Item] = ()) -> Pair:
    """Read the pool, the Messaging Service, and which other one has numbers of the pool that are not in it.

    Only ``items`` are looked for in the others, where there are any.
    """
    client = runtime.client
    pages = client.messaging.phone_numbers(messaging.sid).list()
    members = {raw.sid: raw.phone_number for page in pages for raw in map(MessagingPhoneNumber, page.items)}
    pair = Pair(service, look_at_pool(client, service.sid), messaging, members)
    asked = [number for item in items if (number := pair.pool.find(item)) is not None]
    missing = {number.sid for number in (asked if items else pair.missing)} - set(members)
    return replace(pair, elsewhere=find_captives(client, missing))


def attach(
    runtime: Runtime,
    service_name: str,
    messaging_service: str,
    numbers: Sequence[str] | None,
    file: str | None,
) -> None:
    """Put the numbers given, or all that should be, into a Messaging Service; raises the error of the run."""
    from proxyctl.render.shapes import RESULT

    runtime.out.check(RESULT)
    require_sid("MG", messaging_service)
    given = bool(numbers) or file is not None
    items = read_input(runtime, numbers, file).items if given else ()
    failed_to = check_failed_to(runtime.options.failed_to, file)
    runtime.guard_writes()
    service, messaging = named(runtime, service_name, messaging_service)
    run = AttachRun(runtime, service, messaging, single=file is None and len(numbers or ()) == 1)
    with runtime.lock(service.sid):
        if items or not given:
            run.look_and_decide(items)
        if runtime.options.dry_run:
            run.show_requests()
            return
        run.carry_out()
    run.report(failed_to)


class AttachRun(PoolRun):
    """One run that puts numbers into a Messaging Service."""

    def __init__(
        self, runtime: Runtime, service: Service, messaging: MessagingService, *, single: bool
    ) -> None:
        super().__init__(runtime, service, "added", single=single)
        self.messaging = messaging
        self.wanted: Sequence[Decision] = ()

    def look_and_decide(self, items: Sequence[Item]) -> None:
        """Look at both, decide for ``items`` (none: all that should be there), and check that it can be done."""
        pair = look(self.runtime, self.service, self.messaging, items)
        self.wanted = decide_all(items or all_items(pair), pair)
        self.decisions = [decision for decision in self.wanted if isinstance(decision, Settled)]
        preflight(pair, len(self.attachments))

    @property
    def attachments(self) -> list[Attachment]:
        """The decisions that need a request."""
        return [decision for decision in self.wanted if isinstance(decision, Attachment)]

    @property
    def idle(self) -> bool:
        """Whether there is nothing to send."""
        return not self.attachments

    def calls(self) -> list[Call]:
        """Return the requests that would be sent."""
        numbers = self.runtime.client.messaging.phone_numbers(self.messaging.sid)
        return [numbers.create_call(one.number.sid) for one in self.attachments]

    def carry_out(self, question: str | None = None) -> None:
        """Confirm, and send."""
        if not self.idle:
            self.runtime.confirm(question or self.question())
            self.send()

    def question(self) -> str:
        """Say what will be done, to whom."""
        from proxyctl.render.shapes import PHONE_NUMBER

        messaging, profile = self.messaging, self.runtime.profile
        return (
            f"This puts {PHONE_NUMBER.count(len(self.attachments))} of Service {self.service.unique_name} "
            f"({self.service.sid}) into Messaging Service {messaging.friendly_name} ({messaging.sid}) "
            f"of account {profile.account_sid} (profile {profile.name})."
        )

    def journal(self, runtime: Runtime, recorder: RunRecorder | None) -> BulkJournal:
        """Return a journal that names the Messaging Service."""
        return AttachJournal(runtime, recorder)

    def run_engine(self, journal: Journal) -> RunReport:
        """Put the numbers in."""
        from proxyctl.bulk.outcomes import Work
        from proxyctl.commands.bulk_engine import run_works

        sid = self.messaging.sid
        writer = AttachWriter(Senders(self.runtime.client, sid))
        works = [
            Work(index, f"{sid} POST", sid, False, payload=(sid, one))
            for index, one in enumerate(self.attachments)
        ]
        return run_works(self.runtime, writer, works, journal, len(works))

    def ends(self) -> Sequence[Ended]:
        """Return how each item ended, in the order they were given."""
        results = (
            {result.index: result for result in self.engine_report.results} if self.engine_report else {}
        )
        ends: list[Ended] = []
        position = 0
        for decision in self.wanted:
            if isinstance(decision, Attachment):
                result = results.get(position)
                position += 1
                if result is not None:
                    state = self.done if result.state == "done" else result.state
                    ends.append(Ended(decision.item, state, decision.number, result.error))
            else:
                action = "failed" if decision.error is not None else "unchanged"
                ends.append(Ended(decision.item, action, decision.number, decision.error))
        return ends


class AttachJournal(BulkJournal):
    """The engine's journal for numbers that are put into a Messaging Service."""

    def intent_of(self, work: Work) -> dict[str, Any]:
        """Return what the history keeps of a request before it is sent."""
        messaging_service, one = work.payload
        return {
            "action": "attach",
            "input": one.item.input,
            "sid": one.number.sid,
            "phone_number": one.number.phone_number,
            "messaging_service_sid": messaging_service,
        }


class AttachWriter:
    """Carries out the works; called from many threads."""

    def __init__(self, senders: Senders) -> None:
        self.senders = senders

    def send(self, work: Work) -> Outcome:
        """Send a work once."""
        _, one = work.payload
        return self.senders.attach(one.item.input, one.number.sid)

    def look(self, works: Sequence[Work]) -> dict[int, Outcome | None]:
        """Look which of ``works`` are in the Messaging Service now."""
        return {work.index: self.senders.look(work.payload[1].number.sid, attached=True) for work in works}
