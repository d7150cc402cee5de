"""The config file on disk: its modes, its symlinks, its two writers, and what a full disk or a kill leaves."""

from __future__ import annotations

import fcntl
import os
import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from proxyctl.errors import ConfigError, LockHeldError, OutputError
from proxyctl.profiles.store import ProfileStore
from tests.support import StandingClock

ACCOUNT = "AC" + "1" * 32


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "proxyctl" / "config.toml"


def save(path: Path, name: str = "prod") -> None:
    ProfileStore(path).save_profile(name, account_sid=ACCOUNT, secret="canary")


def test_all_that_is_made_is_private(path: Path) -> None:
    before = os.umask(0)
    try:
        save(path)
        ProfileStore(path).set_value("output", "json")
    finally:
        os.umask(before)
    assert mode(path.parent) == mode(path.parent.parent) == 0o700
    assert {mode(file) for file in path.parent.iterdir()} == {0o600}


@pytest.mark.parametrize("unsafe", [0o640, 0o604, 0o620, 0o602, 0o666])
def test_a_file_that_others_can_read_or_write_is_refused(path: Path, unsafe: int) -> None:
    save(path)
    path.chmod(unsafe)
    with pytest.raises(ConfigError) as caught:
        ProfileStore(path).profiles()
    assert f"chmod 600 {path}" in str(caught.value.hint)
    with pytest.raises(ConfigError):
        ProfileStore(path).set_value("output", "json")


def test_a_foreign_file_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(path)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(ConfigError, match="belongs to another user"):
        ProfileStore(path).profiles()


def test_a_symlink_is_followed_and_stays(tmp_path: Path) -> None:
    target = tmp_path / "dotfiles" / "proxyctl.toml"
    link = tmp_path / "config.toml"
    link.symlink_to(target)
    assert ProfileStore(link).profiles() == {}  # it dangles, so there is no file yet
    save(link)
    assert link.is_symlink() and mode(target) == 0o600
    assert "prod" in ProfileStore(link).profiles()
    target.chmod(0o644)
    with pytest.raises(ConfigError):
        ProfileStore(link).profiles()


def test_no_file_is_an_empty_config(path: Path) -> None:
    store = ProfileStore(path)
    assert store.profiles() == {} and store.default_profile() is None and store.default_output() is None
    assert not path.parent.exists()
    assert ProfileStore(Path(os.devnull)).profiles() == {}


def test_what_is_no_file_is_neither_read_nor_replaced(tmp_path: Path) -> None:
    directory, pipe = tmp_path / "directory", tmp_path / "pipe"
    directory.mkdir()
    os.mkfifo(pipe, 0o600)
    for path in (directory, pipe):
        with pytest.raises(ConfigError, match="not a regular file"):
            ProfileStore(path).profiles()
    with pytest.raises(OutputError):
        ProfileStore(Path(os.devnull)).set_value("output", "json")
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


def test_a_directory_that_is_a_file_names_the_path(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"file/config\.toml"):
        ProfileStore(tmp_path / "file" / "config.toml").set_value("output", "json")


def test_writers_do_not_lose_each_others_change(path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: save(path, f"p{n}"), range(24)))
    store = ProfileStore(path)
    assert sorted(store.profiles()) == sorted(f"p{n}" for n in range(24))
    assert store.default_profile() in store.profiles()


def test_a_writer_that_never_ends_is_not_waited_for_for_ever(path: Path) -> None:
    save(path)
    clock = StandingClock()
    with open(path.with_name(".config.toml.lock")) as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        with pytest.raises(LockHeldError):
            ProfileStore(path, clock=clock).set_value("output", "json")
    assert 5 <= clock.monotonic() <= 30
    ProfileStore(path).set_value("output", "json")
    assert ProfileStore(path).default_output() == "json"


WRITE_FOR_EVER = """
import sys
from pathlib import Path
from proxyctl.profiles.store import ProfileStore
store = ProfileStore(Path(sys.argv[1]))
number = 0
while True:
    number += 1
    store.set_value("profiles.prod.edge", f"edge-{number}")
    print(number, flush=True)
"""


def test_a_kill_leaves_a_whole_file(path: Path) -> None:
    save(path)
    for writes in (1, 2, 3):
        child = subprocess.Popen(
            [sys.executable, "-c", WRITE_FOR_EVER, str(path)], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        with child:
            for _ in range(writes):
                last = int(child.stdout.readline())
            child.send_signal(signal.SIGKILL)
        profile = ProfileStore(path).get("prod")
        assert profile["account_sid"] == ACCOUNT
        assert int(profile["edge"].partition("-")[2]) >= last


def test_what_a_killed_writer_left_goes_with_the_next_write(path: Path) -> None:
    save(path)
    path.with_name(".config.toml.new").write_text("auth_token = 'canary'")
    ProfileStore(path).remove_secrets("prod")
    assert all(b"canary" not in file.read_bytes() for file in path.parent.iterdir())
