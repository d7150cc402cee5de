"""One writing run for each Service: held, waited for, told of, and dropped by the kernel with its holder."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from proxyctl.bulk.stop import StopRequest
from proxyctl.errors import Interrupted, LockHeldError, OutputError
from proxyctl.state.lock import RunLock, acquire_all

ACCOUNT = "AC" + "0" * 32
SERVICE = "KS" + "1" * 32
OTHER = "KS" + "2" * 32

HOLDER = """
import sys
from pathlib import Path
from proxyctl.state.lock import RunLock
lock = RunLock(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
lock.acquire("number add masking")
print("held", flush=True)
sys.stdin.read()
"""


class ManualClock:
    """Time that passes by sleeping; ``then`` happens after so many sleeps."""

    def __init__(self) -> None:
        self.time = 1_750_000_000.0
        self.sleeps: list[float] = []
        self.then: dict[int, list[RunLock]] = {}

    def monotonic(self) -> float:
        return self.time

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds
        self.sleeps.append(seconds)
        for lock in self.then.get(len(self.sleeps), []):
            lock.release()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def lock(directory: Path, clock: ManualClock, service: str | None = SERVICE) -> RunLock:
    return RunLock(directory / "locks", ACCOUNT, service, clock=clock)


def test_the_second_is_told_who_holds_it_and_does_not_wait(tmp_path: Path, clock: ManualClock) -> None:
    with lock(tmp_path, clock) as held:
        held.acquire("number reserve masking -f x.csv")
        with pytest.raises(LockHeldError) as caught:
            lock(tmp_path, clock).acquire("number add")
    for part in (f"pid {os.getpid()}", "2025-06-15T15:06:40Z", "number reserve masking -f x.csv", SERVICE):
        assert part in caught.value.message
    assert "--lock-wait" in str(caught.value.hint)
    assert clock.sleeps == []


def test_it_is_free_again_after_release_and_its_file_stays(tmp_path: Path, clock: ManualClock) -> None:
    first, second = lock(tmp_path, clock), lock(tmp_path, clock)
    first.acquire("a")
    inode = first.path.stat().st_ino
    first.release()
    first.release()
    second.acquire("b")
    assert second.path.stat().st_ino == inode
    assert json.loads(second.path.read_text())["command"] == "b"
    second.release()
    assert second.path.exists()


def test_waiting_ends_when_the_holder_lets_go(tmp_path: Path, clock: ManualClock) -> None:
    held, waiting = lock(tmp_path, clock), lock(tmp_path, clock)
    held.acquire("a")
    clock.then[7] = [held]
    waiting.acquire("b", wait=60)
    assert len(clock.sleeps) == 7
    waiting.release()


def test_waiting_ends_after_its_time(tmp_path: Path, clock: ManualClock) -> None:
    with lock(tmp_path, clock) as held:
        held.acquire("a")
        with pytest.raises(LockHeldError, match="after waiting 3 s"):
            lock(tmp_path, clock).acquire("b", wait=3)
    assert sum(clock.sleeps) == pytest.approx(3)


def test_a_signal_ends_the_waiting(tmp_path: Path, clock: ManualClock) -> None:
    stop = StopRequest()
    stop.request(Interrupted(2))
    with lock(tmp_path, clock) as held:
        held.acquire("a")
        with pytest.raises(Interrupted):
            lock(tmp_path, clock).acquire("b", wait=60, stop=stop)


def test_other_services_and_accounts_are_free(tmp_path: Path, clock: ManualClock) -> None:
    with (
        lock(tmp_path, clock) as one,
        lock(tmp_path, clock, OTHER) as two,
        lock(tmp_path, clock, None) as three,
    ):
        for each in (one, two, three):
            each.acquire("a")
        assert len({one.path, two.path, three.path}) == 3


@pytest.mark.parametrize("text", ["", "{", '{"pid": "x", "since": 3}', "[1]", "\x00\xff", "[" * 4000])
def test_a_torn_text_still_tells_that_it_is_held(tmp_path: Path, clock: ManualClock, text: str) -> None:
    with lock(tmp_path, clock) as held:
        held.acquire("a")
        held.path.write_text(text)
        with pytest.raises(LockHeldError, match="pid unknown"):
            lock(tmp_path, clock).acquire("b")


def test_a_killed_holder_leaves_it_free(tmp_path: Path, clock: ManualClock) -> None:
    args = [sys.executable, "-c", HOLDER, str(tmp_path / "locks"), ACCOUNT, SERVICE]
    with subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(LockHeldError, match=f"pid {holder.pid} "):
            lock(tmp_path, clock).acquire("b")
        holder.kill()
        holder.wait(10)
        with lock(tmp_path, clock) as free:
            free.acquire("b")


def test_nobody_else_can_read_it_and_no_link_is_followed(tmp_path: Path, clock: ManualClock) -> None:
    before = os.umask(0)
    try:
        with lock(tmp_path, clock) as held:
            held.acquire("a")
            assert stat.S_IMODE(held.path.stat().st_mode) == 0o600
            assert stat.S_IMODE(held.path.parent.stat().st_mode) == 0o700
    finally:
        os.umask(before)
    target = tmp_path / "target"
    target.write_text("precious")
    held.path.unlink()
    held.path.symlink_to(target)
    with pytest.raises(OutputError):
        lock(tmp_path, clock).acquire("a")
    assert target.read_text() == "precious"


@pytest.mark.parametrize("service", ["../x", "KS\n", "a/b", "\u0661"])
def test_a_name_cannot_lead_out_of_the_directory(tmp_path: Path, clock: ManualClock, service: str) -> None:
    with pytest.raises(ValueError, match="SIDs"):
        lock(tmp_path, clock, service)


def test_several_are_taken_in_one_order_and_all_let_go(tmp_path: Path, clock: ManualClock) -> None:
    one, two = lock(tmp_path, clock), lock(tmp_path, clock, OTHER)
    with acquire_all([two, one, lock(tmp_path, clock)], "pool apply"):
        for service in (SERVICE, OTHER):
            with pytest.raises(LockHeldError):
                lock(tmp_path, clock, service).acquire("b")
    with acquire_all([one, two], "pool apply"):
        assert one.path < two.path


def test_several_are_all_let_go_when_one_is_held(tmp_path: Path, clock: ManualClock) -> None:
    with lock(tmp_path, clock, OTHER) as held:
        held.acquire("a")
        with (
            pytest.raises(LockHeldError),
            acquire_all([lock(tmp_path, clock), lock(tmp_path, clock, OTHER)], "pool apply", wait=2),
        ):
            pytest.fail("both were held")
        assert sum(clock.sleeps) == pytest.approx(2)
        with lock(tmp_path, clock) as free:
            free.acquire("b")
