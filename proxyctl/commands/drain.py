"""What `number drain` does: reserve, wait until nobody uses the numbers, and remove them.

A reserved number gets no new Sessions by itself, and those that run go on: that is how a number is drained. The
lock is held while something is written, not while the Sessions end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from proxyctl.commands.bulk import PoolRun, check_failed_to, look, read_input
from proxyctl.errors import DeadlineError, Interrupted, ProxyctlError, RefusedError, TemporaryError
from proxyctl.pools.changes import Kind, Wish, decide_drain
from proxyctl.render.shapes import PHONE_NUMBER, SESSION
from proxyctl.signals import Signalled

if TYPE_CHECKING:
    from proxyctl.api.models import PhoneNumber, Service
    from proxyctl.commands.bulk_report import Ended
    from proxyctl.input.items import Item
    from proxyctl.runtime import Runtime

FIRST_PAUSE = 2.0  # seconds between two looks; doubled up to the longest
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
    from proxyctl.render.shapes import RESULT

    runtime.out.check(RESULT)
    items = read_input(runtime, numbers, file).items
    failed_to = check_failed_to(runtime.options.failed_to, file)
    runtime.guard_writes()
    service = runtime.client.services.find(service_name)
    single = file is None and len(numbers or ()) == 1
    draining = Drain(runtime, service, items, single=single, wait=wait, remove=remove)
    if runtime.options.dry_run:
        draining.show_requests()
        return
    draining.run()
    draining.reserving.report(failed_to)


class Drain:
    """One draining run: the ends of its items change as it goes on, and are told by the run that reserved.

    Once something was written, whatever ends the run (an outage, a signal, another run's lock) is kept in
    ``stopped``, so that all that was done is told.
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
        self.items = items
        self.single = single
        self.waiting = wait
        self.removing = remove
        self.started = runtime.clock.monotonic()
        self.deadline = runtime.options.deadline
        self.reserving = PoolRun(runtime, service, Kind.RESERVE.done, single=single)
        self.ended: dict[Item, Ended] = {}
        self.stopped: ProxyctlError | None = None

    @property
    def time_left(self) -> float | None:
        """Seconds until --deadline, or None without one."""
        return self.runtime.time_left

    def run(self) -> None:
        """Go through all that was asked for; the report of ``reserving`` is the whole run's then."""
        try:
            self.reserve()
            if self.waiting and self.stopped is None:
                self.wait()
            if self.removing and self.stopped is None:
                self.remove_idle()
        except (Signalled, ProxyctlError) as end:
            if not self.ended:  # nothing was written
                raise
            self.stopped = Interrupted(end.number) if isinstance(end, Signalled) else end
        self.finish()

    def show_requests(self) -> None:
        """Print what would be sent if all were idle at once."""
        self.decide()
        leaving = [number for number in self.numbers() if self.removing]
        self.reserving.show_requests(removed_later=leaving)
        busy = sum(1 for number in leaving if number.in_use)
        if busy:
            self.runtime.note(f"{PHONE_NUMBER.count(busy)} in use now: removed only when idle.")

    def decide(self) -> None:
        """Look at the pool, and decide what has to be reserved."""
        if self.items:
            pool = look(self.runtime, self.service, self.items, Kind.RESERVE)
            self.reserving.take(pool, decide_drain(self.items, pool, removing=self.removing))

    def numbers(self) -> list[PhoneNumber]:
        """Return the numbers that the decisions found in the pool, each once."""
        found = {
            decision.number.sid: decision.number for decision in self.reserving.decisions if decision.number
        }
        return list(found.values())

    def reserve(self) -> None:
        """Reserve what is not reserved yet; asks first where the numbers are to leave the pool."""
        with self.runtime.lock(self.service.sid):
            self.decide()
            numbers = self.numbers()
            if self.removing and numbers:
                sids = [number.sid for number in numbers]
                self.runtime.confirm(self.reserving.removal_text(len(numbers), sids))
            self.reserving.carry_out("")
        self.take_ends(self.reserving)

    def take_ends(self, run: PoolRun) -> None:
        """Take over how the items of ``run`` ended, and what stopped it."""
        self.ended.update({end.item: end for end in run.ends()})
        stopped = run.engine_report.stopped_by if run.engine_report is not None else None
        # A signal that came as the last answers did stopped nothing there; it has to here.
        self.stopped = stopped or self.runtime.stop.error

    def draining(self) -> dict[Item, PhoneNumber]:
        """The items that are in the pool and reserved, with what was last seen of them."""
        return {
            item: end.number
            for item, end in self.ended.items()
            if not end.bad and end.action != Kind.REMOVE.done and end.number is not None
        }

    def busy(self) -> dict[str, PhoneNumber]:
        """Return by SID those that were in use when they were last seen."""
        return {number.sid: number for number in self.draining().values() if number.in_use}

    def look(self) -> None:
        """See how the numbers are now: a request for each of a few, else one for each hundred in the pool."""
        from proxyctl.pools.pool import FEW, look_at_pool, look_up

        draining = self.draining()
        sids = {number.sid for number in draining.values()}
        client = self.runtime.client
        few = len(sids) <= FEW
        pool = look_up(client, self.service.sid, sids) if few else look_at_pool(client, self.service.sid)
        for item, number in draining.items():
            seen = pool.by_sid.get(number.sid)
            # Without a number it has left the pool: there is nothing to wait for any more.
            released = seen is not None and seen.is_reserved is False
            self.end(item, seen, released_meanwhile(item) if released else None)

    def end(self, item: Item, number: PhoneNumber | None, error: ProxyctlError | None) -> None:
        """Note how ``item`` is now."""
        end = self.ended[item]
        self.ended[item] = replace(end, number=number, error=error, action="failed" if error else end.action)

    def wait(self) -> None:
        """Look again and again, until no number is in use or time is up."""
        told = (0, 0)
        for pause in pauses():
            self.look()
            busy = self.busy()
            left = self.time_left
            if not busy:
                return
            if left is not None and left <= 0:
                self.stopped = self.deadline_error()
                return
            now = (len(busy), sum(number.in_use or 0 for number in busy.values()))
            if now != told:  # a line for each look would fill the log of a run that waits for hours
                self.runtime.note(f"waiting: {PHONE_NUMBER.count(now[0])} in use by {SESSION.count(now[1])}.")
            told = now
            self.runtime.clock.sleep(pause if left is None else min(pause, left))

    def remove_idle(self) -> None:
        """Remove what nobody uses; what is in use stays, and is told."""
        items = list(self.draining())
        if not items:
            return
        removing = PoolRun(self.runtime, self.service, Kind.REMOVE.done, single=self.single)
        with self.runtime.lock(self.service.sid):
            removing.decide(Wish(Kind.REMOVE), items)
            removing.carry_out("")  # confirmed at the start
        self.take_ends(removing)
        self.reserving.go_on(removing.engine_report)

    def finish(self) -> None:
        """Say what is not drained, and hand the ends over to the report."""
        busy = self.busy()
        if self.stopped is not None and (self.waiting or self.removing):
            for item, number in self.draining().items():
                error = self.unfinished(item, number, self.stopped)
                self.ended[item] = replace(self.ended[item], error=error)
        elif busy and not self.removing:
            self.runtime.note(
                f"still in use: {PHONE_NUMBER.count(len(busy))}; --wait waits until they are idle."
            )
        done = Kind.REMOVE.done if self.removing else Kind.RESERVE.done
        ends = [self.told(end) for end in self.ended.values()]
        waited = (self.started, self.runtime.clock.monotonic()) if self.waiting else None
        self.reserving.settle(ends, self.stopped, done, waited)

    def deadline_error(self) -> DeadlineError:
        """Say that time is up."""
        return DeadlineError(f"the deadline of {self.deadline or 0:g} s was reached")

    def unfinished(self, item: Item, number: PhoneNumber, cause: ProxyctlError) -> ProxyctlError | None:
        """Say what is left to do with a number of a run that ``cause`` stopped."""
        if number.in_use:
            what = f"{item.input} is still in use by {SESSION.count(number.in_use)}"
        elif self.removing:
            what = f"{item.input} is reserved and idle, but was not removed"
        else:
            return None
        kind = TemporaryError if isinstance(cause, Interrupted) else type(cause)
        hint = cause.hint if self.single else None  # of several, the run's end tells it once
        return kind(f"{what}: {cause.message}", hint=hint, problem=cause.problem)

    def told(self, end: Ended) -> Ended:
        """Give the advice that fits: `number remove`, whose words these are, has other options."""
        if end.number is None or not end.number.in_use or not isinstance(end.error, RefusedError):
            return end
        hint = "Run it again." if self.waiting else "--wait waits until it is idle."
        return replace(end, error=RefusedError(end.error.message, hint=hint, problem=end.error.problem))


def released_meanwhile(item: Item) -> ProxyctlError:
    """Say that a number can't drain, since it gets new Sessions again."""
    return RefusedError(
        f"{item.input} was released by somebody else meanwhile.", hint="Run it again to reserve it once more."
    )


def pauses() -> Iterator[float]:
    """Yield the pauses between looks: 2 s, doubling to 30 s."""
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(LONGEST_PAUSE, pause * 2)
