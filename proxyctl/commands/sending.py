"""How a run is sent: by the engine, with a progress bar where somebody watches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxyctl.bulk.engine import Engine
from proxyctl.bulk.outcomes import Result, RunReport, Scope
from proxyctl.writes.executor import Executor
from proxyctl.writes.reading import Reader

if TYPE_CHECKING:
    from proxyctl.commands.records import Journal
    from proxyctl.render.progress import BulkProgress
    from proxyctl.runtime import Runtime
    from proxyctl.writes.flow import Flow


def load_what_reports(runtime: Runtime) -> None:
    """Import what the report needs before the first write: afterwards, files or memory may have run out."""
    import csv
    import encodings.idna

    from proxyctl import explaining
    from proxyctl.render import output, shapes

    _ = (csv, encodings.idna, explaining, output, shapes, runtime.out)


class Watcher:
    """Keeps the progress bar up to date."""

    def __init__(self, bar: BulkProgress) -> None:
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
        self.bar.update(self.done + self.failed, self.failed, self.note)


def run_engine(runtime: Runtime, flow: Flow, journal: Journal, total: int) -> RunReport:
    """Send what the flow allows, until there is no more, with a progress bar on a terminal."""
    options = runtime.options
    bar = progress_bar(runtime, total)
    try:
        return Engine(
            Executor(runtime.access.client, Reader(runtime.access.client, runtime.access.gates, lent=True)),
            gates=runtime.access.gates,
            clock=runtime.clock,
            journal=journal,
            observer=None if bar is None else Watcher(bar),
            stop=runtime.stop,
            retries=options.retries,
            max_errors=options.max_errors,
            deadline=options.deadline,
            time_left=runtime.time_left,
        ).run(flow)
    finally:
        if bar is not None:
            bar.close()


def progress_bar(runtime: Runtime, total: int) -> BulkProgress | None:
    """Return a progress bar where stderr is a terminal and nobody asked for quiet."""
    if not runtime.console.terminal.stderr or runtime.options.quiet or total < 2:
        return None
    from proxyctl.render.progress import BulkProgress

    bar = runtime.console.bar = BulkProgress(
        total,
        runtime.stderr,
        color=runtime.console.color_on(True),
        ascii_only=runtime.console.ascii_only,
        clock=runtime.clock,
    )
    return bar
