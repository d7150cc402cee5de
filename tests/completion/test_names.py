"""The cache of names: what commands put there, that it is private, bounded and without secrets, and that it never
stands in a command's way.
"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from proxyctl.completion import names as module
from proxyctl.completion.names import AccountNames, Names, cache_directory
from tests.support import Cli

SERVICE = "KS" + "0" * 32


def known(cli: Cli) -> AccountNames:
    return AccountNames(Names(cli.environ), "sandbox", "")


def cached(cli: Cli) -> Path:
    return Path(cli.environ["HOME"]) / ".cache" / "proxyctl" / "completion"


@pytest.fixture
def cli(cli: Cli) -> Cli:
    (cli.directory / "home").mkdir()
    cli.environ["XDG_CACHE_HOME"] = str(cached(cli).parent.parent)
    return cli


def test_commands_refresh_it(cli: Cli) -> None:
    one = cli.ok("service", "create", "one", "-o", "json").json["sid"]
    assert known(cli).services() == [(one, "one")]
    nameless = "KS" + "e" * 32
    known(cli).save_services([("KS" + "f" * 32, "uno"), (nameless, ""), (one, "one")])
    cli.ok("service", "update", "one", "--unique-name", "uno")
    assert known(cli).services() == [(one, "uno"), (nameless, "")], "a name is one Service's"
    cli.ok("service", "create", "two")
    cli.ok("service", "list")
    assert sorted(name for _, name in known(cli).services()) == ["two", "uno"]
    cli.ok("service", "delete", "uno", "--yes")
    assert [name for _, name in known(cli).services()] == ["two"]


def test_no_phone_number_is_kept_and_what_earlier_versions_kept_goes(cli: Cli) -> None:
    before = cached(cli) / "sandbox@" / "numbers.KS1"
    before.parent.mkdir(parents=True)
    before.write_text("+14155550100\n")
    numbers = [row["phone_number"] for row in cli.seed(3)]
    cli.ok("service", "create", "one")
    assert not before.parent.exists()
    cli.ok("number", "add", "one", *numbers)
    cli.ok("number", "list", "one")
    cli.ok("number", "find", numbers[0])
    kept = "".join(path.read_text() for path in cached(cli).rglob("*") if path.is_file())
    assert "one" in kept and "+1" not in kept


def test_a_list_that_was_cut_changes_nothing(cli: Cli) -> None:
    for name in ("one", "two", "three"):
        cli.ok("service", "create", name)
    before = known(cli).services()
    cli.ok("service", "list", "--limit", "1")
    assert known(cli).services() == before


def test_profiles_come_from_any_command_that_read_the_config(bare: Cli) -> None:
    (bare.directory / "home").mkdir()
    token = "0123456789abcdef" * 2
    bare.ok(
        *(
            "auth",
            "login",
            "--profile",
            "prod",
            "--account-sid",
            "AC" + "1" * 32,
            "--secret-stdin",
            "--no-verify",
        ),
        stdin=token,
    )
    assert Names(bare.environ).profiles() == [("prod", "AC" + "1" * 32, True)]
    files = [path for path in (bare.directory / "home").rglob("*") if path.is_file()]
    assert files
    assert [path for path in files if token.encode() in path.read_bytes()] == []
    bare.ok("profile", "remove", "prod", "--yes")
    bare.ok("profile", "list")
    assert Names(bare.environ).profiles() == []


def test_private_whatever_the_umask(cli: Cli) -> None:
    old = os.umask(0)
    try:
        cli.ok("service", "create", "one")
    finally:
        os.umask(old)
    for path in (cached(cli), *cached(cli).rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    assert not list(cached(cli).rglob(".*"))


def test_it_never_fails_a_command(cli: Cli) -> None:
    cli.environ["HOME"] = ""
    for place in ("/dev/null", "/nonexistent", "", "\0"):
        cli.environ["XDG_CACHE_HOME"] = place
        assert cli("service", "list").err == ""
        assert cli("service", "list").code == 0


def test_links_and_foreign_things_are_left_alone(cli: Cli, tmp_path: Path) -> None:
    cli.ok("service", "create", "one")
    (file,) = cached(cli).glob("services.*")
    precious = tmp_path / "precious"
    precious.write_text("KS1\tprecious\n")
    file.unlink()
    file.symlink_to(precious)
    assert known(cli).services() == []
    cli.ok("service", "list")
    assert precious.read_text() == "KS1\tprecious\n"
    assert not file.is_symlink()
    file.unlink()
    os.mkfifo(file)  # must not wait for a writer
    assert known(cli).services() == []


def test_old_names_are_not_read_and_go(cli: Cli) -> None:
    names = Names(cli.environ)
    old = AccountNames(names, "old", "AC1")
    old.save_services([(SERVICE, "old")])
    assert old.services() == [(SERVICE, "old")]
    (file,) = cached(cli).glob("services.old*")
    past = time.time() - module.OLDEST - 1
    os.utime(file, (past, past))
    assert old.services() == []
    cli.ok("service", "list")
    assert not file.exists()
    assert list(cached(cli).glob("services.sandbox*"))


def test_it_is_bounded(cli: Cli) -> None:
    account = known(cli)
    account.save_services((f"KS{i:032d}", f"name-{i}") for i in range(1000))
    assert len(account.services()) == module.MOST_SERVICES
    account.save_service(SERVICE, "x" * 501)
    assert len(account.services()) == module.MOST_SERVICES
    assert all(path.stat().st_size < 1_000_000 for path in cached(cli).rglob("*") if path.is_file())


def test_profiles_and_accounts_do_not_mix(cli: Cli) -> None:
    names = Names(cli.environ)
    for profile, account, service in (
        ("a", "AC1", "x"),
        ("a", "AC2", "y"),
        ("../a", "AC1", "z"),
        ("a/b", "AC1", "w"),
    ):
        AccountNames(names, profile, account).save_services([(SERVICE, service)])
    assert AccountNames(names, "a", "AC1").services() == [(SERVICE, "x")]
    assert AccountNames(names, "a", "AC2").services() == [(SERVICE, "y")]
    assert AccountNames(names, "../a", "AC1").services() == [(SERVICE, "z")]
    assert len(list(cached(cli).iterdir())) == 4
    assert list(cached(cli).parent.iterdir()) == [cached(cli)]


@pytest.mark.parametrize("variables", [{}, {"XDG_CACHE_HOME": "/somewhere/else"}])
def test_it_is_where_platformdirs_says(variables: dict[str, str]) -> None:
    environ = {"HOME": "/home/somebody", **variables}
    text = "import platformdirs; print(platformdirs.user_cache_dir('proxyctl', appauthor=False))"
    ran = subprocess.run(
        [sys.executable, "-c", text], env=environ, capture_output=True, text=True, check=True
    )
    assert cache_directory(environ) == Path(ran.stdout.strip(), "completion")
