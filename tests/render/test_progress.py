"""The line that is redrawn, on a stream that stands in for a terminal, by a clock that stands still."""

from __future__ import annotations

import io
import re
import threading
import time
from contextlib import closing

import pytest

from proxyctl.clock import SystemClock
from proxyctl.render.progress import BulkLine, Live, ReadLine, bar, drain_line
from proxyctl.roles import Line, Role, Screen, laid_out, line, painted
from tests.support import StandingClock


def live(stream: io.StringIO, clock: StandingClock, text: str = "working", **settings: object) -> Live:
    return Live(stream, lambda _: line(text), clock=clock, **settings)  # type: ignore[arg-type]


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", text)


def words(shown: Line, *, ascii_only: bool = False) -> str:
    return laid_out([shown], Screen(ascii_only=ascii_only)).strip()


def running(reason: str = "") -> BulkLine:
    """A run at 30 a second, after ten seconds of 5,000."""
    shown = BulkLine("reserve big-us", 5000, lambda: reason)
    for second in range(11):
        shown.done, shown.failed = 30 * second, second // 5
        shown(float(second))
    return shown


def test_done_rate_failed_and_time_left() -> None:
    text = words(running()(10.0))
    assert re.fullmatch(r"reserve big-us  █▌─{23}  300/5000  30/s  2 failed  2m37s left", text)


def test_why_it_waits_in_place_of_what_would_mean_nothing() -> None:
    text = words(running("429: waiting 4 s")(10.0))
    assert text.endswith("300/5000  2 failed  429: waiting 4 s")


def test_the_time_left_is_no_guess() -> None:
    shown = BulkLine("add a", 50, lambda: "")
    shown(0.0)
    shown.done = 30
    assert "left" not in words(shown(1.0)) and "30/s" in words(shown(1.0))


def test_a_healthy_bar_is_good_and_a_waiting_one_a_warning() -> None:
    assert Role.GOOD in [piece.role for piece in running()(10.0).pieces]
    waiting = [piece.role for piece in running("429")(10.0).pieces]
    assert Role.GOOD not in waiting and {Role.WARNING, Role.WARNING_FILL, Role.BAD} <= set(waiting)


def test_a_bar_is_empty_only_at_nothing_and_full_only_at_all() -> None:
    shown = ["".join(piece.text for piece in bar(share, None, 4)) for share in (0, 0.0001, 0.5, 0.9999, 1, 2)]
    assert shown == ["────", "▏───", "██──", "███▉", "████", "████"]
    assert words(running()(10.0), ascii_only=True).isascii()


def test_a_drain_names_what_it_waits_for() -> None:
    text = "drain clinic-gb  3 of 6 idle  40 Sessions left  1m03s  Ctrl-C stops the wait"
    assert words(drain_line("drain clinic-gb", 6, 3, 40, 60.0, 3.0)) == text


def test_reads_are_counted_from_many_threads() -> None:
    shown = ReadLine(lambda draw, delay: None)

    def read() -> None:
        for _ in range(50):
            shown.read("phone_numbers", 10, last=False)
        shown.read("phone_numbers", 0, last=True)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert words(shown(2.0)) == "⠋ reading 2,000 numbers of 4 pools  2 s"


def test_it_is_drawn_at_most_ten_times_a_second_and_always_the_first_time() -> None:
    stream, clock = io.StringIO(), StandingClock()
    with closing(live(stream, clock)) as shown:
        assert "working" in plain(stream.getvalue())
        size = len(stream.getvalue())
        for _ in range(50):
            shown.update()
        assert len(stream.getvalue()) == size
        clock.sleep(0.11)
        shown.update()
        assert len(stream.getvalue()) > size


def test_what_is_over_soon_is_not_shown() -> None:
    stream, clock = io.StringIO(), StandingClock()
    with closing(live(stream, clock, delay=0.5)) as shown:
        clock.sleep(0.4)
        shown.update()
        shown.say("said\n")
        assert stream.getvalue() == "said\n" and not shown.shown
        clock.sleep(0.2)
        shown.update()
        assert shown.shown
    assert stream.getvalue().endswith("\r\x1b[2K\x1b[?25h") and not shown.shown


def test_a_thread_redraws_it_while_everything_waits() -> None:
    drawn = threading.Event()

    def draw(seconds: float) -> Line:
        if seconds > 0.005:
            drawn.set()
        return line("waiting")

    began = time.monotonic()
    with closing(Live(io.StringIO(), draw, clock=SystemClock(), delay=0.01)):
        assert drawn.wait(5)
    assert time.monotonic() - began < 5, "and it ends at once"


def test_lines_above_are_whole_and_keep_their_roles() -> None:
    stream, clock = io.StringIO(), StandingClock()
    with closing(live(stream, clock)) as shown:
        shown.say("[red]" + "x" * 300 + painted("y", Role.BAD) + "\n")
    assert "[red]" + "x" * 300 + "\x1b[1;31my\x1b[0m\n" in stream.getvalue()


def test_a_line_is_never_wider_than_the_terminal() -> None:
    stream = io.StringIO()
    with closing(live(stream, StandingClock(), "x" * 300, screen=Screen(40, color=True))):
        assert plain(stream.getvalue()).strip() == "x" * 39


def test_what_comes_after_the_end_is_ignored() -> None:
    stream, clock = io.StringIO(), StandingClock()
    shown = live(stream, clock)
    shown.close()
    size = len(stream.getvalue())
    clock.sleep(1)
    shown.update()
    shown.close()
    assert len(stream.getvalue()) == size


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), ValueError("closed"), BrokenPipeError()])
def test_a_terminal_that_is_gone_stops_nothing(error: Exception) -> None:
    class Gone(io.StringIO):
        calls = 0

        def write(self, text: str) -> int:
            Gone.calls += 1
            raise error

    clock = StandingClock()
    with closing(live(Gone(), clock)) as shown:
        for _ in range(100):
            clock.sleep(1)
            shown.update()
        shown.say("lost")
    assert 1 <= Gone.calls < 5
