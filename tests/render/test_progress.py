"""The progress bar, drawn on a stream that stands in for a terminal, by a clock that stands still."""

from __future__ import annotations

import io
import re
import threading

import pytest

from proxyctl.render.progress import BulkProgress
from proxyctl.roles import Role, painted
from tests.support import StandingClock


def bar(
    stream: io.StringIO, clock: StandingClock, *, ascii_only: bool = False, color: bool = False
) -> BulkProgress:
    return BulkProgress(5000, stream, color=color, ascii_only=ascii_only, clock=clock, width=120)


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", text)


def run(ascii_only: bool = False, color: bool = False) -> str:
    stream, clock = io.StringIO(), StandingClock()
    with bar(stream, clock, ascii_only=ascii_only, color=color) as progress:
        for second in range(1, 11):
            clock.sleep(1)
            progress.update(30 * second, second // 5, "429: slowing down\x1b[2J" if second == 10 else "")
    return stream.getvalue()


def test_done_failed_rate_time_left_and_note() -> None:
    last = plain(run()).replace("\r", "\n")
    assert "300/5000" in last and "2 failed" in last and "30.0/s" in last
    assert "02:37" in last  # (5000 - 300) / 30 s
    assert "429: slowing down\\x1b[2J" in last


def test_ascii() -> None:
    assert plain(run(ascii_only=True)).isascii()
    assert not plain(run()).isascii()


def test_colour() -> None:
    assert "\x1b[1;31m" in run(color=True)
    assert "\x1b[1;31m" not in run(color=False)


def test_it_draws_at_most_ten_times_a_second_and_always_the_first_time() -> None:
    stream, clock = io.StringIO(), StandingClock()
    with bar(stream, clock) as progress:
        progress.update(1)
        assert "1/5000" in plain(stream.getvalue())
        size = len(stream.getvalue())
        for done in range(2, 50):
            progress.update(done)
        assert len(stream.getvalue()) == size
        clock.sleep(0.11)
        progress.update(50)
        assert "50/5000" in plain(stream.getvalue())


def test_lines_above_the_bar_are_whole_and_keep_their_roles() -> None:
    stream, clock = io.StringIO(), StandingClock()
    with bar(stream, clock, color=True) as progress:
        progress.update(1)
        progress.say("[red]" + "x" * 300 + painted("y", Role.BAD) + "\n")
    assert "[red]" + "x" * 300 + "\x1b[1;31my\x1b[0m\n" in stream.getvalue()


def test_what_comes_after_the_end_is_ignored() -> None:
    stream, clock = io.StringIO(), StandingClock()
    progress = bar(stream, clock)
    progress.update(1)
    progress.close()
    size = len(stream.getvalue())
    progress.update(2)
    progress.close()
    assert len(stream.getvalue()) == size


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), ValueError("closed"), BrokenPipeError()])
def test_a_terminal_that_is_gone_stops_nothing(error: Exception) -> None:
    class Gone(io.StringIO):
        calls = 0

        def write(self, text: str) -> int:
            Gone.calls += 1
            raise error

    clock = StandingClock()
    with bar(Gone(), clock) as progress:
        for done in range(100):
            clock.sleep(1)
            progress.update(done)
        progress.say("lost")
    assert 1 <= Gone.calls < 20


def update_often(progress: BulkProgress) -> None:
    for done in range(200):
        progress.update(done)


def test_many_threads() -> None:
    stream, clock = io.StringIO(), StandingClock()
    with bar(stream, clock) as progress:
        threads = [threading.Thread(target=update_often, args=(progress,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        clock.sleep(1)
        progress.update(5000)
    assert "5000/5000" in plain(stream.getvalue())
