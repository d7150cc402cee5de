"""State of somebody else, and links in the place of ours: refused with the command that fixes it, and named by doctor.
What is ours and too open is closed.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from proxyctl.sandbox.context import ACCOUNT_SID
from tests.commands.doctor_support import examine, found
from tests.commands.pool_support import fill
from tests.support import Cli

NOBODY = 65_534
DIRECTORIES = ("history", "locks", "transit", "saved")
only_root = pytest.mark.skipif(
    os.geteuid() != 0 and not os.environ.get("CI"), reason="only root can give files away"
)
ATTACKS = ["link", pytest.param("owner", marks=only_root)]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def state(cli: Cli) -> Path:
    """The state directory of a user who has added two numbers."""
    fill(cli, "masking", [row["phone_number"] for row in cli.seed(3)][:2])
    directory = cli.directory / "state"
    for name in DIRECTORIES:
        (directory / name).mkdir(mode=0o700, exist_ok=True)
    return directory


def attack(path: Path, how: str) -> str:
    """Put a link to a copy in the place of ``path``, or give it away; return the command that fixes it."""
    if how == "owner":
        os.chown(path, NOBODY, NOBODY)
        return f"sudo chown -R {os.geteuid()} {path}"
    elsewhere = path.parent.parent / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    return f"Run: rm {path}"


def words(how: str) -> str:
    return "is a link" if how == "link" else "belongs to another user"


@pytest.mark.parametrize("how", ATTACKS)
@pytest.mark.parametrize("name", DIRECTORIES)
def test_writes_refuse_it_reads_work_and_doctor_says_so(cli: Cli, state: Path, name: str, how: str) -> None:
    fix = attack(state / name, how)
    refused = cli("number", "release", "masking", "--yes", "-f", "-", stdin="+14155550100\n")
    assert refused.code == 2, refused.err
    assert f"{state / name} {words(how)}" in refused.err and fix in refused.err
    assert "nothing was sent" in refused.err
    cli.ok("number", "list", "masking")
    doctor = examine(cli, "-o", "jsonl", "--sandbox")
    row = found(doctor)["state"]
    assert (doctor.code, row["state"]) == (2, "fail"), row
    assert words(how) in row["detail"] and fix in row["hint"]
    if name == "history":
        for line in (("list",), ("show", "20"), ("undo", "last", "--yes"), ("prune", "--older-than", "1d")):
            ran = cli("history", *line)
            assert (ran.code, fix in ran.err) == (2, True), ran.err


@only_root
def test_a_state_directory_of_somebody_else_is_refused(cli: Cli, state: Path) -> None:
    os.chown(state, NOBODY, NOBODY)
    refused = cli("number", "release", "masking", "--yes", "-f", "-", stdin="+14155550100\n")
    assert (refused.code, "belongs to another user" in refused.err) == (2, True), refused.err
    assert found(examine(cli, "-o", "jsonl", "--sandbox"))["state"]["state"] == "fail"


def test_a_state_directory_may_be_a_link(cli: Cli, state: Path) -> None:
    state.rename(cli.directory / "elsewhere")
    state.symlink_to(cli.directory / "elsewhere")
    numbers = cli.ok("number", "list", "masking", "-o", "ids").lines
    cli.ok("number", "release", "masking", *numbers, "--yes")


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal"])
@pytest.mark.parametrize("how", ATTACKS)
def test_the_sandbox_uses_no_other_database(cli: Cli, state: Path, suffix: str, how: str) -> None:
    path = state / f"sandbox.db{suffix}"
    path.touch()
    fix = attack(path, how)
    for line in (("service", "list"), ("sandbox", "status"), ("sandbox", "seed")):
        ran = cli(*line)
        assert ran.code == 2, ran.err
        assert words(how) in ran.err and fix in ran.err
    row = found(examine(cli, "-o", "jsonl", "--sandbox"))["sandbox"]
    assert row["state"] == "fail" and fix in row["hint"]


def test_what_is_ours_and_too_open_is_closed_and_named(cli: Cli, state: Path) -> None:
    for name in DIRECTORIES:
        (state / name).chmod(0o777)
    row = found(examine(cli, "-o", "jsonl", "--sandbox"))["state"]
    assert row["state"] == "warning" and "mode 0777" in row["detail"]
    assert row["hint"] == f"Run: chmod 700 {state / 'history'}"
    numbers = cli.ok("number", "list", "masking", "-o", "ids").lines
    cli.ok("number", "release", "masking", *numbers, "--yes")
    assert mode(state / "history") == mode(state / "locks") == 0o700
    (state / "history").chmod(0o700)
    for name in DIRECTORIES:
        (state / name).chmod(0o700)
    state.chmod(0o777)
    row = found(examine(cli, "-o", "jsonl", "--sandbox"))["state"]
    assert (row["state"], row["hint"]) == ("warning", f"Run: chmod go-w {state}")


def test_an_empty_database_is_closed_to_others(bare: Cli) -> None:
    file = bare.directory / "state" / "sandbox.db"
    file.parent.mkdir()
    file.touch()
    file.chmod(0o666)
    bare.ok("sandbox", "status")
    assert mode(file) == 0o600


def test_all_that_is_made_under_umask_000_is_private(cli: Cli) -> None:
    cli.environ |= {
        "PROXYCTL_STATE_DIR": str(cli.directory / "a" / "b"),
        "PROXYCTL_CONFIG": str(cli.directory / "c" / "d" / "config.toml"),
    }
    before = os.umask(0)
    try:
        fill(cli, "masking", [row["phone_number"] for row in cli.seed(2)])
        cli.ok("config", "set", "output", "json")
        cli.ok("pool", "export", "--all", "--numbers-to", str(cli.directory / "e" / "f"))
    finally:
        os.umask(before)
    made = [path for path in cli.directory.rglob("*") if path != cli.directory]
    assert {path.name for path in made} >= {"a", "b", "c", "d", "e", "f", "history", "locks", "sandbox.db"}
    assert {mode(path) for path in made if path.is_dir()} == {0o700}
    assert {mode(path) for path in made if path.is_file()} == {0o600}


@pytest.mark.parametrize("unsafe", [0o777, 0o775, 0o757])
@pytest.mark.parametrize("linked", [False, True])
def test_a_config_in_a_directory_that_others_can_write_is_refused(
    bare: Cli, unsafe: int, linked: bool
) -> None:
    config = Path(bare.environ["PROXYCTL_CONFIG"])
    bare.ok("config", "set", "output", "json")
    directory = config.parent
    if linked:
        directory = bare.directory / "dotfiles"
        directory.mkdir(mode=0o700)
        config.rename(directory / "config.toml")
        config.symlink_to(directory / "config.toml")
        bare.ok("config", "list")
    directory.chmod(unsafe)
    for line in (("config", "list"), ("config", "set", "output", "csv"), ("service", "list")):
        ran = bare(*line)
        assert ran.code == 2, ran.err
        assert f"Run: chmod go-w {directory}" in ran.err
    directory.chmod(0o1777)  # as /tmp is: there nobody replaces what is another's
    bare.ok("config", "list")


@pytest.mark.parametrize("foreign", [False, pytest.param(True, marks=only_root)])
def test_a_record_that_somebody_else_wrote_sets_no_webhooks(cli: Cli, foreign: bool) -> None:
    (number,) = [row["phone_number"] for row in cli.seed(1)]
    cli.ok("service", "create", "masking")
    cli.ok("number", "webhooks", "masking", number, "--voice-url", "https://example.com/own", "--yes")
    cli.ok("number", "add", "masking", number, "--allow", "take-over")
    record = max((cli.directory / "state" / "history").glob("*.jsonl"))
    record.write_text(record.read_text().replace("https://example.com/own", "https://example.com/planted"))
    if foreign:
        os.chown(record, NOBODY, NOBODY)
    cli("number", "remove", "masking", number, "--restore-webhooks", "--yes")
    cli("history", "undo", record.stem, "--yes")
    account = cli.ok("api", "GET", f"/2010-04-01/Accounts/{ACCOUNT_SID}/IncomingPhoneNumbers.json")
    assert ("planted" in account.out) is not foreign
