"""The line at the bottom of a terminal while a command works: how far a run is, what a list has read, why it waits;
and bars, in eighths of a column, so that 0.1 % and 10 % differ.

A thread redraws it every second, so that it moves while everything else waits. The words come from a function, which
gets the time.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable
from typing import TextIO

from proxyctl.clock import SHOW_CURSOR, Clock
from proxyctl.roles import Line, Piece, Role, Screen, cells, laid_out, line
from proxyctl.text import counted, duration_text

INTERVAL = 1.0  # seconds between two drawings by the thread
SHORTEST = 0.1  # seconds between two drawings
PATIENCE = 0.5  # seconds that a read takes before a line says so
BAR = 25  # columns
WINDOW = 10  # drawings: the rate is that of the last ten seconds
MEANINGFUL = 3.0  # seconds: before that, the time left is a guess
SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
HIDE_CURSOR = "\x1b[?25l"
ERASE = "\r\x1b[2K"
EIGHTHS = " ▏▎▍▌▋▊▉"
MARK = "╎"

Draw = Callable[[float], Line]


class Live:
    """One line, redrawn until it is closed. All methods may be called from any thread.

    ``draw`` gets the seconds since the line began. It appears after ``delay`` seconds. A terminal that can't be
    written to any more silences it and stops nothing.
    """

    def __init__(
        self,
        stream: TextIO,
        draw: Draw,
        *,
        clock: Clock,
        screen: Screen = Screen(80, color=True),
        delay: float = 0.0,
    ) -> None:
        self._stream, self._words, self._clock = stream, draw, clock
        self._screen, self._width = screen._replace(width=None), (screen.width or 80) - 1
        self._lock = threading.RLock()
        self._began, self._delay = clock.monotonic(), delay
        self._drawn: float | None = None  # when it was drawn last
        self._over = threading.Event()
        self.update()
        threading.Thread(target=self._tick, daemon=True, name="live line").start()

    @property
    def shown(self) -> bool:
        """Whether the line is on the screen."""
        return self._drawn is not None and not self._over.is_set()

    def update(self) -> None:
        """Draw the line anew, unless that has just been done."""
        with self._lock:
            now = self._clock.monotonic()
            due = self._delay if self._drawn is None else self._drawn + SHORTEST - self._began
            if not self._over.is_set() and now - self._began >= due:
                self._drawn = now
                self._draw()

    def say(self, text: str) -> None:
        """Print ready lines above the line."""
        with self._lock:
            self._write((ERASE if self.shown else "") + text)
            if self.shown:
                self._draw()

    def close(self) -> None:
        """Erase the line. What comes later is ignored."""
        with self._lock:
            if self.shown:
                self._write(ERASE + SHOW_CURSOR)
            self._over.set()

    def _tick(self) -> None:
        while not self._over.wait(min(INTERVAL, self._delay or INTERVAL)):
            self.update()

    def _draw(self) -> None:
        shown = [clipped(self._words(self._clock.monotonic() - self._began), self._width)]
        text = laid_out(shown, self._screen)
        self._write(HIDE_CURSOR + ERASE + text.removesuffix("\n"))

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            self._over.set()


def clipped(text: Line, width: int) -> Line:
    """Return as much of a line as fits."""
    pieces: list[Piece] = []
    for piece in text.pieces:
        while piece.text and cells(piece.text) > width:
            piece = piece._replace(text=piece.text[:-1])
        pieces.append(piece)
        width -= cells(piece.text)
    return Line(pieces)


def bar(
    share: float, fill: Role | None, width: int, rest: str = "─", mark: float | None = None
) -> list[Piece]:
    """Return a bar that is empty only at 0, and full only at 1; ``mark`` is the share that has a mark."""
    eighths = round(share * width * 8)
    eighths = 0 if share <= 0 else width * 8 if share >= 1 else min(width * 8 - 1, max(1, eighths))
    whole, part = divmod(eighths, 8)
    filled = "█" * whole + (EIGHTHS[part] if part else "")
    left = rest * (width - len(filled))
    if mark is not None and (place := int(mark * width) - len(filled)) >= 0:
        left = left[:place] + MARK + left[place + 1 :]
    return [Piece(filled, fill), Role.FAINT(left)]


class BulkLine:
    """``reserve big-us  ████▋────  544/2012  30/s  4 failed  48 s left``; ``waiting`` returns for what and how long."""

    def __init__(self, title: str, total: int, waiting: Callable[[], str]) -> None:
        self.title, self.total, self.waiting = title, total, waiting
        self.done = self.failed = 0
        self._seen: deque[tuple[float, int]] = deque(maxlen=WINDOW * 10)

    def __call__(self, elapsed: float) -> Line:
        self._seen.append((elapsed, self.done))
        while self._seen[0][0] < elapsed - WINDOW:
            self._seen.popleft()
        first, before = self._seen[0]
        rate = (self.done - before) / (elapsed - first) if elapsed > first else 0.0
        reason = self.waiting()
        fill = Role.WARNING_FILL if reason else Role.GOOD
        parts: list[str | Piece] = [f"{self.title}  ", *bar(self.done / self.total, fill, BAR)]
        parts += [f"  {self.done}/{self.total}"]
        if rate and not reason:
            parts += [Role.FAINT(f"  {rate:.0f}/s" if rate >= 1 else f"  {rate:.1f}/s")]
        if self.failed:
            parts += ["  ", Role.BAD(f"{self.failed} failed")]
        if reason:
            parts += ["  ", Role.WARNING(reason)]
        elif rate and elapsed >= MEANINGFUL and self.done < self.total:
            parts += [Role.FAINT(f"  {time_text((self.total - self.done) / rate)} left")]
        return line(*parts)


def time_text(seconds: float) -> str:
    """Return ``4 s``, ``1m03s``."""
    return f"{seconds:.0f} s" if seconds < 59.5 else duration_text(seconds)


NOUNS = {
    "phone_numbers": "number",
    "incoming_phone_numbers": "number",
    "services": "Service",
    "sessions": "Session",
    "participants": "participant",
    "interactions": "interaction",
}


def drain_line(title: str, total: int, busy: int, sessions: int, since: float, elapsed: float) -> Line:
    """Return ``drain clinic-gb  3 of 6 idle  40 Sessions left  1m03s  Ctrl-C stops the wait``.

    ``since``: the seconds that the wait had taken when the line began.
    """
    return line(
        f"{title}  {total - busy} of {total} idle  {counted(sessions, 'Session')} left",
        Role.FAINT(f"  {time_text(since + elapsed)}  Ctrl-C stops the wait"),
    )


class ReadLine:
    """``⠹ reading 2,300 numbers of 4 Services  2 s``: counts what lists have brought. From any thread."""

    def __init__(self, show: Callable[[Draw, float], object]) -> None:
        self._show = show
        self._lock = threading.Lock()
        self._read: Counter[str] = Counter()
        self._pools = 0

    def begin(self) -> None:
        """A list is about to be read: show the line, if none is shown."""
        self._show(self, PATIENCE)

    def read(self, key: str, count: int, *, last: bool) -> None:
        """A page has come of the list ``key``."""
        with self._lock:
            self._read[NOUNS.get(key, "row")] += count
            self._pools += last and key == "phone_numbers"

    def __call__(self, elapsed: float) -> Line:
        with self._lock:
            read = [
                f"{count:,} {counted(count, noun).partition(' ')[2]}" for noun, count in self._read.items()
            ]
            pools = f" of {counted(self._pools, 'pool')}" if self._pools > 1 else ""
        spin = SPINNER[int(elapsed * 10) % len(SPINNER)]
        return line(
            f"{spin} reading {', '.join(read)}{pools}".rstrip(), Role.FAINT(f"  {time_text(elapsed)}")
        )
