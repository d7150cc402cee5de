"""What a run reads back of earlier ones. What they left in transit, each later run on one of the Services names."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TypeVar

from proxyctl.commands.report import Report
from proxyctl.errors import ConfigError, NotFoundError, OutputError, RefusedError
from proxyctl.pools.moves import Trails, Unfinished, move_command
from proxyctl.pools.pool import flag_word
from proxyctl.pools.webhooks import KeptWebhooks
from proxyctl.runtime import Runtime
from proxyctl.state.record import RunDetail
from proxyctl.state.transit import Transit
from proxyctl.text import counted, cut
from proxyctl.writes.plan import Plan, Room

CONTINUED_WITHIN = 43_200.0  # seconds: a file that is applied again later may say something else by then
Search = TypeVar("Search", Trails, KeptWebhooks)
LONGEST_COMMAND = 1000  # characters: the items of a run have all the numbers


@dataclass(frozen=True, slots=True)
class Left:
    """What a run left unfinished: how many numbers, the command that finishes it, and the numbers of a move."""

    run: str
    count: int
    command: str
    numbers: tuple[Unfinished, ...] = ()

    @property
    def in_transit(self) -> str:
        """Say how many numbers are."""
        return f"{counted(self.count, 'number is', 'numbers are')} in transit"


def unfinished(runtime: Runtime, service_sids: Collection[str | None]) -> list[Left]:
    """Return what earlier runs left in transit from or to these Services; forget runs that left nothing."""
    found: list[Left] = []
    with suppress(OutputError, ConfigError):  # without a state directory nothing is known
        for transit in runtime.transits.of(service_sids):
            with suppress(NotFoundError):  # its record has been rotated away
                detail = runtime.history.show(transit.run)
                if detail.run.status == "running":
                    continue
                lefts = list(left_by(runtime, transit, detail))
                if lefts:
                    found += lefts
                    continue
            runtime.transits.end(transit.run)
    return found


def numbers_left(runtime: Runtime, service_sids: Collection[str | None]) -> dict[str, Unfinished]:
    """Return the numbers that earlier runs left in transit from or to these Services, by SID and number."""
    numbers = (one for left in unfinished(runtime, service_sids) for one in left.numbers)
    return {name: one for one in numbers for name in (one.sid, one.phone_number) if name}


def left_by(runtime: Runtime, transit: Transit, detail: RunDetail) -> Iterator[Left]:
    """Yield what a run left, by its record and those of later runs: a move for each pair of Services."""
    moved = [record for record in detail.items if record.intent.move is not None]
    names = {name for record in moved for name in record.names}
    trails = read_back(runtime, Trails(names, None), detail)
    by_route: dict[tuple[str | None, str | None], dict[str, Unfinished]] = {}
    for one in trails.found.values():
        by_route.setdefault((one.trail.source, one.trail.target), {})[one.sid] = one
    for numbers in by_route.values():
        shown = sorted(one.phone_number or one.sid for one in numbers.values())
        made = [one.trail for one in numbers.values()]
        through = any(trail.messaging_service for trail in made)
        command = move_command(made[0], shown, through=through)
        yield Left(transit.run, len(numbers), command, tuple(numbers.values()))
    missing = transit.attaches - sum(record.happened == "yes" for record in detail.items)
    undone = (run.undoes == transit.run for run in runtime.history.runs())  # read where it matters
    if transit.attaches and missing > 0 and not any(undone):
        yield Left(transit.run, missing, transit.command)


def say_unfinished(runtime: Runtime, service_sids: Collection[str | None]) -> list[Left]:
    """Name what earlier runs left in transit, --quiet or not."""
    lefts = unfinished(runtime, service_sids)
    for left in lefts:
        finish = f"Run '{left.command}' to finish it."
        runtime.warn(f"run {left.run} has not finished: {left.in_transit}. {finish}")
    return lefts


def forget_finished(runtime: Runtime, lefts: Sequence[Left], report: Report) -> None:
    """Forget the runs of ``lefts`` that this one finished: by its command, or by where it found all their numbers."""
    typed = runtime.command
    rows = [end.row() for end in report.ends if not end.bad]
    safe = {name for row in rows for name in (row["sid"], row["phone_number"]) if name}

    def is_safe(left: Left) -> bool:
        if not left.numbers:
            return left.command == typed and report.error() is None
        through = runtime.options.through_messaging
        back_in = through or not any(one.trail.messaging_service for one in left.numbers)
        return back_in and all({one.sid, one.phone_number} & safe for one in left.numbers)

    with suppress(OutputError):
        for run in {left.run for left in lefts}:
            if all(is_safe(left) for left in lefts if left.run == run):
                runtime.transits.end(run)


def refuse_in_transit(runtime: Runtime, service_sid: str, name: str) -> None:
    """Raise RefusedError where a move from or to a Service is unfinished: without it, it would stay so."""
    for left in unfinished(runtime, [service_sid]):
        if any(one.trail.target is not None for one in left.numbers):
            text = f"run {left.run} has not finished: {left.in_transit}. Without Service {name}, it can't be finished."
            raise RefusedError(f"{text} Nothing was sent.", hint=f"Run '{left.command}' first.")


def forget(runtime: Runtime, service_sid: str) -> None:
    """Forget the runs that concern a Service which is about to go: nothing of them is unfinished."""
    with suppress(OutputError):
        for transit in runtime.transits.of([service_sid]):
            runtime.transits.end(transit.run)


def typed_command(runtime: Runtime) -> str:
    """Return the command of this run as the history keeps it."""
    return cut(runtime.command, LONGEST_COMMAND)


def continued(runtime: Runtime, plan: Plan) -> Plan:
    """Return the plan with what its pools held when the first of the runs began that this one continues: those before
    it, by the same command, that came to no good end within half a day.
    """
    before: dict[Room, int] = {}
    command = typed_command(runtime)
    with suppress(OutputError):
        for run in runtime.history.runs(runtime.clock.now() - CONTINUED_WITHIN):
            if run.account_sid != runtime.profile.account_sid or (run.command != command and run.idle):
                continue
            if run.command != command or run.exit_code == 0:
                break
            for flag, found in ((False, run.unreserved), (True, run.reserved)):
                counts = {sid: count for sid, count in (found or {}).items() if isinstance(count, int)}
                before |= {(sid, flag_word(flag)): count for sid, count in counts.items()}
    rooms = {room: one._replace(before=before.get(room)) for room, one in plan.capacities.items()}
    return replace(plan, capacities=rooms) if before else plan


def read_back(runtime: Runtime, search: Search, since: RunDetail | None = None) -> Search:
    """Let ``search`` take the runs on this account, newest first, until it wants nothing more: all, or those on the
    account of the run ``since``, which is the last.

    OutputError where the history can't be read, unless --no-history goes without.
    """
    account = since.run.account_sid if since else runtime.profile.account_sid
    try:
        for run in runtime.history.runs() if search.wanted else ():
            if run.account_sid == account:
                with suppress(NotFoundError):  # another process has rotated it away meanwhile
                    search.take(runtime.history.show(run.id).items)
            if not search.wanted or (since and run.id <= since.run.id):
                break
    except OutputError as error:
        if not runtime.options.no_history:
            raise
        runtime.warn(f"earlier runs can't be read: {error.message}")
    return search
