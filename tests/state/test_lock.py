"""One writing run for each Service: held, waited for, told of, and dropped by the kernel with its holder."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest

from proxyctl.errors import AnswerError, LockHeldError, OutputError
from proxyctl.state.lock import hold
from tests.support import StandingClock

ACCOUNT = "AC" + "0" * 32
SERVICE = "KS" + "1" * 32
OTHER = "KS" + "2" * 32

HOLDER = """
import sys
from pathlib import Path
from proxyctl.state.lock import hold
with hold(Path(sys.argv[1]), sys.argv[2], [sys.argv[3]], "number add masking"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


Locked = Callable[..., AbstractContextManager[None]]


@pytest.fixture
def locked(tmp_path: Path, clock: StandingClock) -> Locked:
    """Holds the locks of Services (default: of one) for a block."""

    def locked(command: str = "a", *services: str | None, wait: float = 0.0) -> AbstractContextManager[None]:
        return hold(tmp_path / "locks", ACCOUNT, services or (SERVICE,), command, wait=wait, clock=clock)

    return locked


def the_file(directory: Path) -> Path:
    (path,) = (directory / "locks").iterdir()
    return path


def refused(lock: AbstractContextManager[None]) -> LockHeldError:
    with pytest.raises(LockHeldError) as caught, lock:
        pytest.fail("it was taken")
    return caught.value


def test_the_second_is_told_who_holds_it_and_does_not_wait(locked: Locked, clock: StandingClock) -> None:
    with locked("number reserve masking -f x.csv"):
        error = refused(locked("number add"))
    for part in (f"pid {os.getpid()}", "2025-06-15T15:06:40Z", "number reserve masking -f x.csv", SERVICE):
        assert part in error.message
    assert "--lock-wait" in str(error.hint)
    assert clock.slept == []


def test_it_is_free_again_afterwards_and_its_file_stays(locked: Locked, tmp_path: Path) -> None:
    with locked("a"):
        inode = the_file(tmp_path).stat().st_ino
    with locked("b"):
        assert the_file(tmp_path).stat().st_ino == inode
        assert "running `b`" in the_file(tmp_path).read_text()
    assert the_file(tmp_path).exists()


def test_waiting_ends_when_the_holder_lets_go(locked: Locked, clock: StandingClock) -> None:
    held = ExitStack()
    held.enter_context(locked())
    clock.script[7] = held.close
    with locked("b", wait=60):
        assert len(clock.slept) == 7


def test_waiting_ends_after_its_time(locked: Locked, clock: StandingClock) -> None:
    with locked():
        assert "after waiting 3 s" in refused(locked("b", wait=3)).message
    assert sum(clock.slept) == pytest.approx(3)


def test_other_services_and_accounts_are_free(locked: Locked, tmp_path: Path) -> None:
    with locked("a", SERVICE), locked("a", OTHER), locked("a", None):
        assert len(list((tmp_path / "locks").iterdir())) == 3


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("", "an unknown process"),
        ("pid 7 on elsewhere running `x`", "pid 7 on elsewhere running `x`"),
    ],
)
def test_what_a_text_says_of_the_holder(locked: Locked, tmp_path: Path, text: str, end: str) -> None:
    with locked():
        the_file(tmp_path).write_text(text)
        assert refused(locked("b")).message.endswith(end)


def test_a_killed_holder_leaves_it_free(locked: Locked, tmp_path: Path) -> None:
    args = [sys.executable, "-c", HOLDER, str(tmp_path / "locks"), ACCOUNT, SERVICE]
    with subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert f"pid {holder.pid} " in refused(locked("b")).message
        holder.kill()
        holder.wait(10)
        with locked("b"):
            pass


def test_nobody_else_can_read_it_and_no_link_is_followed(locked: Locked, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with locked():
            path = the_file(tmp_path)
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    finally:
        os.umask(before)
    target = tmp_path / "target"
    target.write_text("precious")
    path.unlink()
    path.symlink_to(target)
    with pytest.raises(OutputError), locked():
        pytest.fail("it was taken")
    assert target.read_text() == "precious"


def test_when_files_ran_out_it_says_so(locked: Locked, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*_: object) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr("proxyctl.state.lock.open_private", none_left)
    with pytest.raises(OutputError, match="Too many open files") as caught, locked():
        pytest.fail("it was taken")
    assert "ulimit -n" in str(caught.value.hint) and "--no-history" not in str(caught.value.hint)


@pytest.mark.parametrize("service", ["../x", "KS\n", "a/b", "\u0661"])
def test_a_name_cannot_lead_out_of_the_directory(locked: Locked, service: str) -> None:
    with pytest.raises(AnswerError, match="where a SID belongs"), locked("a", service):
        pytest.fail("it was taken")


def test_several_are_taken_in_one_order_and_all_let_go(locked: Locked, clock: StandingClock) -> None:
    with locked("pool apply", OTHER, SERVICE, OTHER):
        for service in (SERVICE, OTHER):
            refused(locked("b", service))
    with locked("a", OTHER):
        refused(locked("pool apply", SERVICE, OTHER, wait=2))
        assert sum(clock.slept) == pytest.approx(2)
        with locked("b", SERVICE):
            pass
    with locked("pool apply", SERVICE, OTHER):
        pass
