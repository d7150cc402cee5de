"""What `number add --keep-webhooks` and `number remove --restore-webhooks` do besides adding and removing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from proxyctl.commands.bulk import PoolRun
from proxyctl.commands.bulk_report import Ended
from proxyctl.commands.writing import BulkJournal
from proxyctl.errors import AuthenticationError, NotFoundError, ProxyctlError, RefusedError, TemporaryError
from proxyctl.pools.changes import Change, Kind, Settled
from proxyctl.pools.webhooks import (
    RESTORE,
    KeptWebhooks,
    Restoring,
    RestoringWriter,
    Settings,
    is_own,
    read_webhooks,
    settings_of,
    work_for,
)

if TYPE_CHECKING:
    from proxyctl.api.calls import Call
    from proxyctl.bulk.outcomes import Journal, Result, RunReport, Work
    from proxyctl.input.items import Item
    from proxyctl.pools.changes import Wish
    from proxyctl.runtime import Runtime
    from proxyctl.state.history import RunRecorder


class WebhookJournal(BulkJournal):
    """The engine's journal for runs that keep webhooks or put them back; ``kept``: by SID and by number."""

    kept: Mapping[str, Settings] = {}

    def intent_of(self, work: Work) -> dict[str, Any]:
        """Return what the history keeps of a request before it is sent."""
        if isinstance(work.payload, Restoring):
            one = work.payload
            names = {"input": one.item.input, "sid": one.sid, "phone_number": one.item.phone_number}
            return {"action": RESTORE, **names, "webhooks": dict(one.settings)}
        settings = settings_for(self.kept, work.payload)
        intent = super().intent_of(work)
        return intent if settings is None else {**intent, "webhooks": dict(settings)}


def settings_for(kept: Mapping[str, Settings], change: Change) -> Settings | None:
    """Return the webhooks that are kept for the number of a change."""
    number = change.number.phone_number if change.number else None
    names = (change.sid, change.item.phone_number, number)
    return next((kept[name] for name in names if name is not None and name in kept), None)


class KeepingRun(PoolRun):
    """Adds numbers, and keeps their webhooks in the history."""

    kept: Mapping[str, Settings] = {}

    def decide(self, wish: Wish, items: Sequence[Item]) -> None:
        """Decide, and read the webhooks of the numbers that are to join."""
        super().decide(wish, items)
        self.kept = keep(self.runtime, [change.item for change in self.changes if change.kind is Kind.ADD])

    def journal(self, runtime: Runtime, recorder: RunRecorder | None) -> BulkJournal:
        """Return a journal that keeps the webhooks."""
        journal = WebhookJournal(runtime, recorder)
        journal.kept = self.kept
        return journal


def keep(runtime: Runtime, items: Sequence[Item]) -> dict[str, Settings]:
    """Return the webhooks of ``items`` by SID and by number; those that Proxy itself has set are not worth keeping."""
    from proxyctl.errors import UsageError

    if runtime.options.no_history:
        raise UsageError(
            "--keep-webhooks keeps them in the history.", hint="Leave out --no-history, or --keep-webhooks."
        )
    numbers = read_webhooks(runtime.client, items)
    return {name: settings_of(number) for name, number in numbers.items() if is_own(number)}


class RestoringRun(PoolRun):
    """Changes a pool, and puts the webhooks of the numbers that leave it back; ``kept``: by SID and by number."""

    kept: Mapping[str, Settings] = {}
    restored: Mapping[int, Restoring] = {}  # by the index of the work
    late: Sequence[Restoring] = ()  # of numbers that have left the pool before

    def decide(self, wish: Wish, items: Sequence[Item]) -> None:
        """Decide, and look in the history for the webhooks that are to be put back."""
        super().decide(wish, items)
        self.find_kept()

    def find_kept(self) -> None:
        """Look in the history for the webhooks of the numbers that leave, and of those that have left already."""
        from proxyctl.commands.records import read_back

        absent = [
            decision.item
            for decision in self.decisions
            if isinstance(decision, Settled) and decision.number is None and decision.error is None
        ]
        wanted = {name for item in absent for name in (item.sid, item.phone_number) if name}
        for change in self.leaving:
            number = change.number.phone_number if change.number else None
            wanted |= {name for name in (change.sid, number) if name}
        search = KeptWebhooks(wanted)
        read_back(self.runtime, search)
        self.kept = search.found
        self.late = self.left_before(absent)
        unknown = sum(settings_for(self.kept, change) is None for change in self.leaving)
        if unknown:
            numbers = "1 number" if unknown == 1 else f"{unknown} numbers"
            self.runtime.note(f"no webhooks were kept for {numbers}: they stay as Proxy leaves them.")

    @property
    def leaving(self) -> list[Change]:
        """The changes that take a number out."""
        return [change for change in self.changes if change.kind is Kind.REMOVE]

    def left_before(self, absent: Sequence[Item]) -> list[Restoring]:
        """Return what is left to put back, of numbers whose webhooks nobody has set since they left."""
        known = [item for item in absent if (item.sid or item.phone_number) in self.kept]
        numbers = read_webhooks(self.runtime.client, known) if known else {}
        late = []
        for item in known:
            number = numbers.get(item.sid or item.phone_number or "")
            if number is not None and not is_own(number):
                settings = self.kept[item.sid or item.phone_number or ""]
                late.append(Restoring(replace(item, phone_number=number.phone_number), number.sid, settings))
        return late

    @property
    def idle(self) -> bool:
        """Whether there is nothing to send."""
        return not self.changes and not self.late

    def calls(self) -> list[Call]:
        """Return the requests that would be sent if none of them failed."""
        writer = RestoringWriter(self.runtime.client, self.service.sid)
        own = [one for change in self.leaving if (one := self.restoring(change)) is not None]
        return [*super().calls(), *(writer.restoring_call(one) for one in (*own, *self.late))]

    def restoring(self, change: Change) -> Restoring | None:
        """Return what has to be put back once ``change`` is made."""
        settings = settings_for(self.kept, change)
        if change.kind is not Kind.REMOVE or settings is None or change.sid is None:
            return None
        number = change.number.phone_number if change.number else change.item.phone_number
        return Restoring(replace(change.item, phone_number=number), change.sid, settings)

    def journal(self, runtime: Runtime, recorder: RunRecorder | None) -> BulkJournal:
        """Return a journal that keeps what is to be put back until it is."""
        journal = WebhookJournal(runtime, recorder)
        journal.kept = {
            change.sid: one.settings
            for change in self.leaving
            if change.sid is not None and (one := self.restoring(change)) is not None
        }
        return journal

    def run_engine(self, journal: Journal) -> RunReport:
        """Send the changes; as soon as a number has left, put its webhooks back."""
        from proxyctl.commands.bulk_engine import run_works
        from proxyctl.pools.writer import work_for as change_work

        changes = self.changes
        count = len(changes)
        restored = {count + index: one for index, one in enumerate(self.late)}
        works = [change_work(index, change, self.service.sid) for index, change in enumerate(changes)]
        works += [work_for(index, one) for index, one in restored.items()]
        self.restored = restored

        def follow(result: Result) -> list[Work]:
            if result.index >= count or result.state != "done":
                return []
            one = self.restoring(changes[result.index])
            if one is None:
                return []
            index = count + len(restored)
            restored[index] = one
            return [work_for(index, one)]

        writer = RestoringWriter(self.runtime.client, self.service.sid)
        return run_works(self.runtime, writer, works, journal, len(works), follow)

    def ends(self) -> Sequence[Ended]:
        """Return how each item ended; one whose webhooks were not put back has failed."""
        ends = super().ends()
        report = self.engine_report
        if report is None or self._settled is not None:
            return ends
        results = {result.index: result for result in report.results}
        to_do = {one.item.input: one for change in self.leaving if (one := self.restoring(change))}
        to_do |= {one.item.input: one for one in self.late}
        by_input = {one.item.input: results.get(index) for index, one in self.restored.items()}
        told = []
        for end in ends:
            result = by_input.get(end.item.input)
            unsettled = end.item.input in to_do and not end.bad
            if unsettled and (result is None or result.state != "done"):
                error = not_restored(end, result.error if result else report.stopped_by)
                end = replace(end, action="failed", error=error)
            told.append(end)
        return told


def not_restored(end: Ended, error: ProxyctlError | None) -> ProxyctlError:
    """The error for a number that has left the pool, and whose webhooks are not as they were."""
    why = f": {error.message.rstrip('.')}" if error is not None else ""
    lasting = isinstance(error, RefusedError | NotFoundError | AuthenticationError)
    kind = type(error) if error is not None and lasting else TemporaryError
    return kind(
        f"{end.item.input} is out of the pool, but its webhooks were not put back{why}.",
        hint="The same command again puts them back.",
        problem=error.problem if error is not None else None,
    )
