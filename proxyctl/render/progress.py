"""The progress of a bulk run on a terminal's stderr: done, failed, rate, time left, and why it is slow where
it is. Imports rich, so it is imported only where there is a terminal to draw on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.style import Style
from rich.text import Text

from proxyctl.clock import Clock, SystemClock
from proxyctl.roles import Role, painted
from proxyctl.text import cut, visible

INTERVAL = 0.1  # seconds between two drawings


class BulkProgress:
    """A bar that disappears when it is closed. All methods may be called from any thread.

    Nothing is drawn by a thread of its own: `update` draws, at most ten times a second, so that a run that
    ends ends at once. A terminal that can't be written to any more silences the bar and stops nothing.
    """

    def __init__(
        self,
        total: int,
        stream: TextIO,
        *,
        color: bool = True,
        ascii_only: bool = False,
        clock: Clock | None = None,
        width: int | None = None,
    ) -> None:
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._drawn = float("-inf")
        self._closed = False
        console = _Console(
            file=stream,
            force_terminal=True,
            force_jupyter=False,
            color_system="standard" if color else None,
            no_color=not color,
            legacy_windows=ascii_only,  # rich's switch for a bar in ASCII
            markup=False,
            emoji=False,
            highlight=False,
            width=width,
            _environ={"TERM": "xterm"},
        )
        self._progress = Progress(
            BarColumn(bar_width=24),
            TextColumn("{task.completed}/{task.total}", markup=False),
            TextColumn("{task.fields[failures]}", style=_style(Role.BAD), markup=False),
            _Rate(),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[note]}", style=_style(Role.WARNING), markup=False),
            console=console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            get_time=self._clock.monotonic,
        )
        self._task = self._progress.add_task("", total=total, failures="", note="")
        self._quietly(self._progress.start)

    def update(self, done: int, failed: int = 0, note: str = "") -> None:
        """Show that ``done`` items are final, ``failed`` of them without success; ``note`` says why it is slow."""
        with self._lock:
            if self._closed:
                return
            failures = f"{failed} failed" if failed else ""
            note = visible(cut(note, 120))
            self._progress.update(self._task, completed=done, failures=failures, note=note)
            if self._clock.monotonic() - self._drawn >= INTERVAL:
                self._draw()

    @property
    def shown(self) -> bool:
        """Whether the bar is on the screen."""
        return not self._closed

    def say(self, text: str) -> None:
        """Print ready lines above the bar."""
        with self._lock:
            lines = Text.from_ansi(text.removesuffix("\n"))
            self._quietly(lambda: self._progress.console.print(lines, soft_wrap=True))

    def close(self) -> None:
        """Take the bar away; what comes later is ignored."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._quietly(self._progress.stop)

    def __enter__(self) -> BulkProgress:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _draw(self) -> None:
        self._drawn = self._clock.monotonic()
        self._quietly(self._progress.refresh)

    def _quietly(self, draw: Callable[[], object]) -> None:
        try:
            draw()
        except (OSError, ValueError, UnicodeError):
            self._closed = True


def _style(role: Role) -> Style:
    return next(iter(Text.from_ansi(painted("x", role)).spans)).style  # type: ignore[return-value]


class _Console(Console):
    """rich's own ends the process at a broken pipe, after it has pointed stdout at /dev/null."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        raise BrokenPipeError


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.1f}/s")
