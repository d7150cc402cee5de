"""Private files: their modes whatever the umask, no way through a link, and what a failure leaves."""

from __future__ import annotations

import fcntl
import os
import resource
import stat
from pathlib import Path

import pytest

from proxyctl import files
from proxyctl.errors import OutputError
from tests.support import StandingClock


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_modes_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    inner = tmp_path / "outer" / "inner"
    before = os.umask(umask)
    try:
        files.private_directory(inner)
        files.write_new(inner / "new", b"text")
        files.replace_private(inner / "replaced", b"text")
    finally:
        os.umask(before)
    assert mode(inner.parent) == mode(inner) == 0o700
    assert mode(inner / "new") == mode(inner / "replaced") == 0o600


def test_only_a_directory_of_our_own_making_is_closed_to_others(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    files.make_directories(tmp_path)
    assert mode(tmp_path) == 0o755
    files.private_directory(tmp_path)
    assert mode(tmp_path) == 0o700


def test_a_file_has_the_place_of_a_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileExistsError):
        files.private_directory(tmp_path / "file")


def test_what_is_no_regular_file_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe", "."):
        with pytest.raises(OSError):
            files.open_private(tmp_path / name, os.O_RDWR | os.O_CREAT)
    assert not (tmp_path / "elsewhere").exists()


def test_a_new_file_replaces_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    with pytest.raises(FileExistsError):
        files.write_new(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_text() == "old"


@pytest.mark.parametrize("failing", ["fsync", "write"])
def test_a_failure_leaves_the_old_file_and_no_part_of_the_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(*((os, "fsync", full) if failing == "fsync" else (Path, "replace", full)))
    with pytest.raises(OutputError, match="can't be written: No space left on device") as caught:
        files.replace_private(path, b"new", hint="Make room.")
    assert caught.value.hint == "Make room."
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("file", "old")]


def test_a_disk_that_fills_up_midway_does_so_too(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, hard))
    try:
        with pytest.raises(OutputError, match="can't be written"):
            files.replace_private(path, b"new" * 100)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("file", "old")]


def test_a_lock_is_waited_for_no_longer_than_asked(tmp_path: Path) -> None:
    clock = StandingClock()
    with open(tmp_path / "lock", "w") as holder, open(tmp_path / "lock") as other:
        fcntl.flock(holder, fcntl.LOCK_EX)
        assert not files.take_lock(other.fileno(), clock, 1.0, pause=0.4)
        assert clock.monotonic() == 1.0 and files.is_locked(other.fileno())
        fcntl.flock(holder, fcntl.LOCK_UN)
        assert not files.is_locked(other.fileno())
        assert files.take_lock(other.fileno(), clock, 0.0, pause=0.4)
