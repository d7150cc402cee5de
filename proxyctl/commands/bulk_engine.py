"""Setting up the engine for one run: pace, journal, progress and stop, from the options and the profile."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from proxyctl.bulk.engine import Engine
from proxyctl.bulk.outcomes import Executor, Journal, Result, RunReport, Scope, Work
from proxyctl.pools.changes import Change
from proxyctl.pools.writer import PoolWriter, work_for

if TYPE_CHECKING:
    from proxyctl.api.models import Service
    from proxyctl.render.progress import BulkProgress
    from proxyctl.runtime import Runtime


class Watcher:
    """Keeps the progress bar up to date."""

    def __init__(self, bar: BulkProgress | None) -> None:
        self.bar = bar
        self.done = self.failed = 0
        self.note = ""

    def on_result(self, result: Result) -> None:
        if result.state == "done":
            self.done += 1
        elif result.state != "skipped":
            self.failed += 1
        self._show()

    def on_limit(self, scope: Scope) -> None:
        self.note = "slowed by the API's limit"
        self._show()

    def _show(self) -> None:
        if self.bar is not None:
            self.bar.update(self.done + self.failed, self.failed, self.note)


def run_changes(runtime: Runtime, service: Service, changes: list[Change], journal: Journal) -> RunReport:
    """Carry ``changes`` out on one Service, told to ``journal``, with a progress bar on a terminal."""
    works = [work_for(index, change, service.sid) for index, change in enumerate(changes)]
    return run_works(runtime, PoolWriter(runtime.client, service.sid), works, journal, len(works))


def run_works(
    runtime: Runtime,
    writer: Executor,
    works: list[Work],
    journal: Journal,
    total: int,
    follow: Callable[[Result], Iterable[Work]] | None = None,
) -> RunReport:
    """Carry ``works`` out, and those that ``follow`` lets in after each result; ``total`` is for the progress bar."""
    options = runtime.options
    bar = progress_bar(runtime, total)
    try:
        with runtime.stoppable():
            return Engine(
                writer,
                rate=runtime.rate_gates,
                concurrency=runtime.concurrency_gate,
                clock=runtime.clock,
                journal=journal,
                observer=Watcher(bar),
                stop=runtime.stop,
                retries=options.retries,
                max_errors=options.max_errors,
                deadline=options.deadline,
                time_left=runtime.time_left,
            ).run(works, follow)
    finally:
        if bar is not None:
            bar.close()


def progress_bar(runtime: Runtime, total: int) -> BulkProgress | None:
    """Return a progress bar where stderr is a terminal and nobody asked for quiet."""
    if not runtime.console.terminal.stderr or runtime.options.quiet or total < 2:
        return None
    from proxyctl.render.progress import BulkProgress

    runtime.console.bar = BulkProgress(
        total,
        runtime.stderr,
        color=runtime.console.color_on(True),
        ascii_only=runtime.console.ascii_only,
        clock=runtime.clock,
    )
    return runtime.console.bar
