"""What `number move` does: look at both pools, decide, and let each number go from one to the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from proxyctl.commands.bulk import PoolRun, check_failed_to, read_input
from proxyctl.commands.bulk_report import Ended
from proxyctl.commands.writing import BulkJournal, change_intent
from proxyctl.errors import NotFoundError, UsageError
from proxyctl.pools.changes import Settled
from proxyctl.pools.limits import preflight
from proxyctl.pools.moving import Move, Moves, Moving, Route, Trails, decide_all, trail
from proxyctl.pools.pool import look_at_pool

if TYPE_CHECKING:
    from proxyctl.api.calls import Call
    from proxyctl.api.models import Service
    from proxyctl.bulk.outcomes import Journal, RunReport, Work
    from proxyctl.input.items import Item
    from proxyctl.pools.moving import Decision, Unfinished
    from proxyctl.pools.pool import Pool
    from proxyctl.runtime import Runtime
    from proxyctl.state.history import RunRecorder


def move(
    runtime: Runtime,
    source_name: str,
    target_name: str,
    numbers: Sequence[str] | None,
    file: str | None,
    *,
    through_messaging: bool,
) -> None:
    """Move the numbers given; raises the error that the run ends with."""
    from proxyctl.render.shapes import RESULT

    runtime.out.check(RESULT)
    items = read_input(runtime, numbers, file).items
    failed_to = check_failed_to(runtime.options.failed_to, file)
    runtime.guard_writes()
    services = runtime.client.services
    source, target = services.find(source_name), services.find(target_name)
    if source.sid == target.sid:
        raise UsageError(f"--from and --to name the same Service: {source.unique_name} ({source.sid}).")
    run = MoveRun(runtime, source, target, single=file is None and len(numbers or ()) == 1)
    with runtime.lock(source.sid, target.sid):
        run.look_and_decide(items, through=through_messaging)
        if runtime.options.dry_run:
            run.show_requests()
            return
        run.carry_out()
    run.report(failed_to)


class MoveRun(PoolRun):
    """One run that moves numbers from one pool to another."""

    def __init__(self, runtime: Runtime, source: Service, target: Service, *, single: bool) -> None:
        super().__init__(runtime, source, "moved", single=single)
        self.target = target
        self.moving: Sequence[Decision] = ()
        self.flow = Moves((), source.sid, target.sid)

    @property
    def recorded(self) -> Service | None:
        """No Service alone: each request is recorded with its own."""
        return None

    def look_and_decide(self, items: Sequence[Item], *, through: bool) -> None:
        """Look at both pools, the Messaging Services and what was left undone; decide, and check that it fits."""
        if not items:
            return
        pools = [self.pool_of(service) for service in (self.service, self.target)]
        route = Route(pools[0], pools[1], through=through)
        route = replace(route, unfinished=self.left_undone(items, route))
        sids = self.sids_of(items, route)
        route = replace(route, captives=find_captives(self.runtime, sids))
        self.moving = decide_all(items, route)
        self.decisions = [decision for decision in self.moving if isinstance(decision, Settled)]
        preflight(route.target, [one.adding for one in self.moves if "change" in one.parts])
        self.flow = Moves(self.moves, self.service.sid, self.target.sid)

    def pool_of(self, service: Service) -> Pool:
        """Read a pool; NotFoundError that names the Service where it is gone."""
        try:
            return look_at_pool(self.runtime.client, service.sid)
        except NotFoundError:
            self.runtime.client.services.find(service.sid)
            raise

    def left_undone(self, items: Sequence[Item], route: Route) -> dict[str, Unfinished]:
        """Read in the history what a run that was cut off had left undone for numbers that are not as they were."""
        wanted: set[str] = set()
        for item in items:
            number = route.source.find(item) or route.target.find(item)
            if number is None:
                wanted |= {name for name in (item.sid, item.phone_number) if name}
            elif route.through:
                wanted |= {name for name in (number.sid, number.phone_number) if name}
        return unfinished(self.runtime, wanted, self.service.sid)

    @staticmethod
    def sids_of(items: Sequence[Item], route: Route) -> set[str]:
        """Return the SIDs of the numbers that may be in a Messaging Service, and matter."""
        sids = set()
        for item in items:
            undone = route.left_undone(item)
            here = route.source.find(item) or (route.target.find(item) if undone else None)
            if here is not None:
                sids.add(here.sid)
            elif undone is not None:
                sids.add(undone.sid)
        return sids

    @property
    def moves(self) -> list[Move]:
        """The decisions that need requests."""
        return [decision for decision in self.moving if isinstance(decision, Move)]

    def carry_out(self, question: str | None = None) -> None:
        """Confirm, and move."""
        if not self.idle:
            self.runtime.confirm(question or self.question())
            self.send()

    def question(self) -> str:
        """Say what will be moved, from where to where, and as whom."""
        from proxyctl.render.shapes import PHONE_NUMBER

        profile = self.runtime.profile
        names = [f"{service.unique_name} ({service.sid})" for service in (self.service, self.target)]
        lines = [
            f"This moves {PHONE_NUMBER.count(len(self.moves))} from Service {names[0]} to Service {names[1]} "
            f"of account {profile.account_sid} (profile {profile.name})."
        ]
        through = sum("detach" in one.parts for one in self.moves)
        if through:
            lines.append(
                f"  {through} of them leave their Messaging Service for it, and are put back into it."
            )
        return "\n".join(lines)

    def calls(self) -> list[Call]:
        """Return the requests that would be sent, number by number, if none of them failed."""
        from proxyctl.pools.move_writer import MoveWriter

        writer = MoveWriter(self.runtime.client)
        chains = (Moves([one], self.service.sid, self.target.sid).all() for one in self.moves)
        return [writer.call_for(moving) for chain in chains for moving in chain]

    @property
    def idle(self) -> bool:
        """Whether there is nothing to move."""
        return not self.moves

    def journal(self, runtime: Runtime, recorder: RunRecorder | None) -> BulkJournal:
        """Return a journal that keeps what a later run needs to go on."""
        journal = MoveJournal(runtime, recorder)
        journal.services = {one.sid: one.unique_name for one in (self.service, self.target)}
        journal.way = (self.service.sid, self.target.sid)
        return journal

    def run_engine(self, journal: Journal) -> RunReport:
        """Send what the moves allow, until there is no more."""
        from proxyctl.commands.bulk_engine import run_works
        from proxyctl.pools.move_writer import MoveWriter

        writer = MoveWriter(self.runtime.client)
        requests = sum(len(one.parts) for one in self.moves)
        return run_works(self.runtime, writer, self.flow.start(), journal, requests, self.flow.follow)

    def summary(self) -> str:
        """Return the line that ends the run; its rate is that of numbers, not of requests."""
        from proxyctl.bulk.outcomes import Result
        from proxyctl.commands.bulk_report import summary

        ends, report = self.ends(), self.engine_report
        if report is not None:
            moved = (end for end in ends if end.action == "moved")
            report = replace(report, results=[Result(index, "done") for index, _ in enumerate(moved)])
        return summary(ends, self.done, report)

    def ends(self) -> Sequence[Ended]:
        """Return how each item ended, in the order they were given."""
        report = self.engine_report
        results = report.results if report is not None else ()
        stopped = report.stopped_by if report is not None else None
        done = iter(self.flow.ends(results, stopped))
        ends = []
        for decision in self.moving:
            if isinstance(decision, Move):
                end = next(done)
                if report is not None:
                    ends.append(Ended(decision.item, end.action, end.number, end.error))
            else:
                action = "failed" if decision.error is not None else "unchanged"
                ends.append(Ended(decision.item, action, decision.number, decision.error))
        return ends


class MoveJournal(BulkJournal):
    """The engine's journal for moves."""

    services: dict[str, str | None]
    way: tuple[str, str]

    def intent_of(self, work: Work) -> dict[str, Any]:
        """Return what the history keeps of a request before it is sent."""
        moving: Moving = work.payload
        kept: dict[str, Any] = {"move": trail(moving.move, *self.way)}
        if moving.change is None:
            kept["messaging_service_sid"] = moving.service_sid
            described = {
                **change_intent(moving.move.leaving, moving.move.item),
                "before": None,
                "after": None,
            }
            return {**described, "action": moving.part, **kept}
        kept |= {"service_sid": moving.service_sid, "service": self.services.get(moving.service_sid)}
        return {**change_intent(moving.change, moving.move.item), **kept}


def unfinished(runtime: Runtime, wanted: set[str], source_sid: str) -> dict[str, Unfinished]:
    """Read the history, newest first, for what moves from this Service had left undone for these numbers."""
    from proxyctl.commands.records import read_back

    trails = Trails(wanted, source_sid)
    read_back(runtime, trails)
    return trails.found


def find_captives(runtime: Runtime, sids: set[str]) -> dict[str, str]:
    """Ask the account's Messaging Services which of the numbers they have."""
    from proxyctl.pools.captives import find_captives as find

    return find(runtime.client, sids)
