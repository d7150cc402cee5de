"""What `number drain` does: reserve, wait until nobody uses the numbers, and remove them.

A reserved number gets no new Sessions by itself, and those that run go on: that is how a number is drained. The
lock is held while something is written, not while the Sessions end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from proxyctl.commands.bulk import PoolRun, check_failed_to, look, read_input
from proxyctl.errors import DeadlineError, Interrupted, ProxyctlError, TemporaryError
from proxyctl.pools.changes import Kind, Wish
from proxyctl.render.shapes import PHONE_NUMBER, SESSION
from proxyctl.signals import Signalled

if TYPE_CHECKING:
    from proxyctl.api.models import PhoneNumber, Service
    from proxyctl.bulk.items import Item
    from proxyctl.commands.bulk_report import Ended
    from proxyctl.pools.pool import Pool
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
    failed_to = check_failed_to(runtime.options.failed_to)
    runtime.guard_writes()
    service = runtime.client.services.find(service_name)
    single = file is None and len(numbers or ()) == 1
    draining = Drain(runtime, service, items, single=single, remove=remove)
    if runtime.options.dry_run:
        draining.reserving.decide(Wish(Kind.RESERVE), items)
        draining.reserving.show_requests()
        return
    if remove and items:
        runtime.confirm(draining.reserving.removal_text(len(items)))
    draining.reserve()
    if wait:
        draining.wait()
    if remove:
        draining.remove_idle()
    draining.finish()
    draining.reserving.report(failed_to)


class Drain:
    """One draining run: the ends of its items change as it goes on, and are told by the run that reserved."""

    def __init__(
        self, runtime: Runtime, service: Service, items: Sequence[Item], *, single: bool, remove: bool
    ) -> None:
        self.runtime = runtime
        self.service = service
        self.items = items
        self.removing = remove
        self.started = runtime.clock.monotonic()
        self.deadline = runtime.options.deadline
        self.reserving = PoolRun(runtime, service, Kind.RESERVE.done, single=single)
        self.ended: dict[Item, Ended] = {}
        self.stopped: ProxyctlError | None = None

    @property
    def time_left(self) -> float | None:
        """Seconds until --deadline, or None without one."""
        if self.deadline is None:
            return None
        return max(0.0, self.deadline - (self.runtime.clock.monotonic() - self.started))

    def reserve(self) -> None:
        """Reserve what is not reserved yet."""
        self.runtime.use(replace(self.runtime.options, deadline=self.time_left))
        with self.runtime.lock(self.service.sid):
            self.reserving.decide(Wish(Kind.RESERVE), self.items)
            self.reserving.carry_out()
        report = self.reserving.engine_report
        self.stopped = report.stopped_by if report is not None else None
        self.ended = {end.item: end for end in self.reserving.ends()}

    def draining(self) -> list[Item]:
        """The items that are in the pool and reserved."""
        return [item for item, end in self.ended.items() if not end.bad and end.action != "removed"]

    def look(self) -> Pool:
        """Look at what is being drained."""
        return look(self.runtime, self.service, self.draining(), Kind.REMOVE)

    def wait(self) -> None:
        """Look again and again, until no number is in use, or time is up, or a signal comes."""
        for pause in pauses():
            if self.stopped is not None or not (busy := self.busy()):
                return
            left = self.time_left
            if left is not None and left <= 0:
                self.stopped = DeadlineError(f"the deadline of {self.deadline:g} s was reached")
                return
            sessions = SESSION.count(sum(number.in_use or 0 for number in busy.values()))
            numbers = PHONE_NUMBER.count(len(busy))
            self.runtime.note(f"waiting: {numbers} in use by {sessions}; next look in {pause:g} s.")
            self.sleep(pause if left is None else min(pause, left))

    def sleep(self, seconds: float) -> None:
        """Sleep; a signal ends the wait, and what was done is reported."""
        try:
            self.runtime.clock.sleep(seconds)
        except Signalled as signalled:
            self.stopped = Interrupted(signalled.number)

    def busy(self) -> dict[Item, PhoneNumber]:
        """Look which of the items are still in use."""
        items = self.draining()
        if not items:
            return {}
        pool = self.look()
        found = {item: pool.find(item) for item in items}
        return {item: number for item, number in found.items() if number is not None and number.in_use}

    def remove_idle(self) -> None:
        """Remove what nobody uses; what is in use stays, and is told."""
        items = self.draining()
        if not items or self.stopped is not None:
            return
        self.runtime.use(replace(self.runtime.options, deadline=self.time_left))
        removing = PoolRun(self.runtime, self.service, Kind.REMOVE.done, single=False)
        with self.runtime.lock(self.service.sid):
            removing.decide(Wish(Kind.REMOVE), items)
            removing.carry_out("")  # confirmed at the start
        report = removing.engine_report
        self.stopped = report.stopped_by if report is not None else None
        self.ended.update({end.item: end for end in removing.ends()})
        self.reserving.go_on(report)

    def finish(self) -> None:
        """Say what is still in use, and hand the ends over to the report."""
        if not isinstance(self.stopped, DeadlineError | Interrupted | None):
            busy: dict[Item, PhoneNumber] = {}  # Whatever ended the run would end another look as well.
        elif self.removing and self.stopped is None:
            busy = {}  # What is in use was refused, and says so.
        else:
            busy = self.busy()
        if self.stopped is not None:
            for item, number in busy.items():
                self.ended[item] = replace(self.ended[item], number=number, error=still_busy(number))
        elif busy:
            self.runtime.note(
                f"still in use: {PHONE_NUMBER.count(len(busy))}; --wait waits until they are idle."
            )
        done = Kind.REMOVE.done if self.removing else Kind.RESERVE.done
        self.reserving.settle(list(self.ended.values()), self.stopped, done)


def still_busy(number: PhoneNumber) -> ProxyctlError:
    """Say why a number is not drained yet."""
    return TemporaryError(
        f"still in use by {SESSION.count(number.in_use or 0)}; it is reserved, so it gets no new ones."
    )


def pauses() -> Iterator[float]:
    """Yield the pauses between looks: 2 s, doubling to 30 s."""
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(LONGEST_PAUSE, pause * 2)
