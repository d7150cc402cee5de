"""`proxyctl doctor` in surroundings that lack what it looks for, and how it tells what it found."""

from __future__ import annotations

import pwd
import re
import socket
from pathlib import Path
from typing import Any

import pytest

from proxyctl.roles import Role, painted
from tests.api.stubs import AC
from tests.commands.doctor_support import (
    AROUND,
    CANARY,
    LOCAL,
    answering,
    examine,
    found,
    states,
    write_config,
)
from tests.support import Cli

pytestmark = pytest.mark.usefixtures("own_surroundings")

# Config, credentials, files


def test_without_credentials_the_network_is_left_alone(bare: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object, **__: object) -> list[Any]:
        raise AssertionError("nobody said which server is meant")

    monkeypatch.setattr(socket, "getaddrinfo", forbidden)
    ran = examine(bare, "-o", "jsonl")
    assert ran.code == 3
    assert list(found(ran)) == LOCAL + AROUND
    assert states(ran, "fail") == ["credentials"]
    assert "auth login" in found(ran)["credentials"]["hint"]


def test_half_a_set_of_credentials(bare: Cli) -> None:
    ran = examine(bare, "-o", "jsonl", TWILIO_AUTH_TOKEN=CANARY)
    assert ran.code == 2
    assert "TWILIO_ACCOUNT_SID" in found(ran)["credentials"]["detail"]


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [("= broken", 0o600, "config.toml:1"), ("default_profile = 'x'", 0o600, "default_profile"),
     ("", 0o644, "read or written by other users"), (f"[profiles.p]\nauth_token = '{CANARY}'\n" * 2, 0o600, "config")],
)  # fmt: skip
def test_a_broken_config_is_a_finding(bare: Cli, text: str, mode: int, words: str) -> None:
    path = write_config(bare, text, mode)
    with answering() as (port, _):
        ran = examine(bare, url=f"http://127.0.0.1:{port}")  # the format, too, is the config's to say
        rows = found(examine(bare, "-o", "jsonl", url=f"http://127.0.0.1:{port}"))
    assert ran.code == 2
    assert ran.lines[0].split("\t") == ["check", "state", "detail", "hint"]
    assert rows["config"]["state"] == "fail" and words in rows["config"]["detail"]
    assert rows["credentials"]["state"] == rows["call"]["state"] == "ok"
    if mode == 0o644:
        assert rows["config"]["hint"] == f"Run: chmod 600 {path}"


def test_a_directory_that_others_can_write_to(bare: Cli) -> None:
    path = write_config(bare, "")
    path.parent.chmod(0o777)
    row = found(examine(bare, "-o", "jsonl", "--sandbox"))["config"]
    assert (row["state"], row["hint"]) == ("fail", f"Run: chmod go-w {path.parent}")


def test_a_profile_and_what_chose_it(bare: Cli) -> None:
    key = "SK" + "2" * 32
    with answering() as (port, _):
        write_config(
            bare,
            f"[profiles.prod]\naccount_sid = '{AC}'\napi_key = '{key}'\napi_secret = '{CANARY}'\n"
            f"base_url = 'http://127.0.0.1:{port}'\n",
        )
        ran = examine(bare, "-o", "jsonl", "--profile", "prod", TWILIO_AUTH_TOKEN="other")
    assert ran.code == 0, ran.err
    rows = found(ran)
    assert rows["config"]["detail"].endswith("mode 0600, 1 profile")
    told = rows["credentials"]["detail"]
    assert told.startswith(f"profile 'prod' (--profile): account {AC}, with API key {key}, secret ********")
    assert told.endswith("TWILIO_ variables of the environment are ignored")
    assert rows["server"]["detail"] == f"127.0.0.1:{port} (base_url of the profile)"
    ran = examine(bare, "-o", "jsonl", "-p", "prdo")
    assert ran.code == 2 and "prod" in found(ran)["credentials"]["detail"]


def test_a_secret_that_cannot_be_fetched(bare: Cli) -> None:
    write_config(
        bare, f"default_profile = 'p'\n[profiles.p]\naccount_sid = '{AC}'\nauth_token_command = 'false'\n"
    )
    ran = examine(bare, "-o", "jsonl")
    assert ran.code == 3
    assert "exit code 1" in found(ran)["credentials"]["detail"]


def test_state_that_cannot_be_written(bare: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ran = examine(bare, "-o", "jsonl", "--sandbox", PROXYCTL_STATE_DIR=str(tmp_path / "file" / "state"))
    assert ran.code == 1
    rows = found(ran)
    assert rows["state"]["state"] == "fail" and "PROXYCTL_STATE_DIR" in rows["state"]["hint"]


def test_what_a_user_has_to_fix_comes_before_what_may_pass(bare: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    url, state = f"http://127.0.0.1:{port}", str(tmp_path / "file" / "state")
    ran = examine(bare, "-o", "jsonl", url=url, PROXYCTL_STATE_DIR=state)
    assert ran.code == 1
    assert ran.error["message"] == "2 of 7 checks failed: state, call."


def test_no_home(bare: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(_uid: int) -> pwd.struct_passwd:
        raise KeyError("no such user")

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "PROXYCTL_CONFIG", "PROXYCTL_STATE_DIR"):
        del bare.environ[name]
    ran = examine(bare, "-o", "jsonl", "--sandbox")
    rows = found(ran)
    assert [rows[name]["state"] for name in ("config", "state", "sandbox")] == [
        "warning",
        "fail",
        "fail",
    ]
    assert ran.code == 2 and "PROXYCTL_STATE_DIR" in rows["state"]["hint"]


def test_an_empty_environment(bare: Cli) -> None:
    ran = bare.run_process("doctor", "-o", "jsonl", env={"PROXYCTL_STATE_DIR": str(bare.directory / "state")})
    assert ran.code == 3
    assert list(found(ran)) == LOCAL + AROUND


# The sandbox


def test_the_sandbox_needs_no_network(cli: Cli) -> None:
    ran = examine(cli, "-o", "jsonl")
    assert ran.code == 0, ran.err
    assert list(found(ran)) == [*LOCAL, "sandbox", *AROUND]
    cli.seed(3)
    row = found(examine(cli, "-o", "jsonl"))["sandbox"]
    assert row["state"] == "ok" and row["detail"].endswith("0 Services, 3 numbers")


def test_a_damaged_sandbox_matters_to_those_who_use_it(bare: Cli) -> None:
    (bare.directory / "state").mkdir(mode=0o700)
    (bare.directory / "state" / "sandbox.db").write_text("no database")
    ran = examine(bare, "-o", "jsonl", "--sandbox")
    assert ran.code == 1 and states(ran, "fail") == ["sandbox"]
    assert "rm " in found(ran)["sandbox"]["hint"]
    with answering() as (port, _):
        ran = examine(bare, "-o", "jsonl", url=f"http://127.0.0.1:{port}")
    assert ran.code == 0 and "sandbox" not in found(ran)


# How it is told


def test_lines_for_people(cli: Cli) -> None:
    cli.environ["COLUMNS"] = "72"
    ran = examine(cli, tty=True)
    assert (ran.code, ran.err) == (0, "")
    assert painted("✓", Role.GOOD) + " credentials " in ran.out
    plain = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in ran.lines]
    assert plain[:2] == ["✓ all 6 checks are ok", ""]
    long = [line for line in plain if len(line) > 72]
    assert all(" " not in line[4:].strip("→ ") for line in long), long  # a path is never broken


def test_a_hint_is_given_once(bare: Cli) -> None:
    """Also where several checks fail for one cause: the error that ends it gives none."""
    bare.environ["COLUMNS"] = "200"
    ran = examine(bare, tty=True, NO_COLOR="1")
    assert ran.code == 3 and ran.lines[0] == "✗ 1 of 5 checks failed: credentials"
    assert ran.err == "error: 1 of 5 checks failed: credentials.\n"
    assert ran.out.count("proxyctl auth login") == 1
    write_config(bare, "= broken", 0o600)
    ran = examine(bare, tty=True, NO_COLOR="1", PROXYCTL_PROFILE="x")
    hints = [line for line in ran.lines if line.lstrip().startswith("→")]
    assert ran.code == 2 and len(hints) == len(set(hints)), ran.out


def test_a_plain_form_where_the_terminal_can_do_no_better(cli: Cli) -> None:
    ran = examine(cli, tty=True, TERM="dumb", PROXYCTL_PROFILE="prod")
    assert ran.code == 2 and ran.out.isascii() and "\x1b" not in ran.out
    assert any(line.startswith("+ config") for line in ran.lines)
    assert any(line.lstrip().startswith("-> ") for line in ran.lines)
    ran = examine(cli, "--color", "never", tty=True)
    assert "\x1b" not in ran.out and "✓ credentials" in ran.out


def test_a_path_of_a_hostile_name_stays_one_line(cli: Cli, tmp_path: Path) -> None:
    name = str(tmp_path / "a\x1b[2J\nb\u202e")
    ran = examine(cli, "-o", "table", PROXYCTL_CONFIG=name)
    assert "\x1b" not in ran.out and "\u202e" not in ran.out


def test_fields_and_formats(cli: Cli) -> None:
    ran = examine(cli, "--fields", "check,state")
    assert ran.lines[0] == "check\tstate"
    assert examine(cli, "-o", "ids").lines == [*LOCAL, "sandbox", *AROUND]
    ran = examine(cli, "--fields", "nonsense")
    assert (ran.code, ran.out) == (2, "") and "check, state, detail, hint" in ran.err
