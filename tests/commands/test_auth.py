"""auth login, status and logout: proved before they are saved, and never shown."""

from __future__ import annotations

import io
import os
import pty
import select

import pytest

from tests.commands.profile_support import ACCOUNT, CANARY, KEY, OTHER, Home, server

UNUSED = "http://127.0.0.1:1"  # nobody listens there


LOGIN = ("auth", "login", "--profile", "prod", "--account-sid", ACCOUNT, "--secret-stdin")


def test_login_from_a_pipe_proves_and_saves(home: Home) -> None:
    with server(KEY) as there:
        run = home.run(*LOGIN, "--api-key", KEY, "--base-url", there.url, stdin=CANARY + "\n")
    assert (run.code, run.out, there.users) == (0, "", [KEY])
    assert "'prod'" in run.err and "default" in run.err
    assert home.saved("prod") == {
        "account_sid": ACCOUNT,
        "api_key": KEY,
        "api_secret": CANARY,
        "base_url": there.url,
    }
    assert home.run("config", "get", "default_profile").out == "prod\n"


def test_login_saves_the_server_of_the_environment_that_it_tried(home: Home) -> None:
    with server(ACCOUNT) as there:
        run = home.run(*LOGIN, stdin=CANARY, PROXYCTL_BASE_URL=there.url)
        assert run.code == 0 and there.url in run.err and "PROXYCTL_BASE_URL" in run.err
        # The next command, without the variable, goes to the same server.
        assert home.run("auth", "status").code == 0
    assert there.users == [ACCOUNT, ACCOUNT]
    assert home.saved("prod") == {"account_sid": ACCOUNT, "auth_token": CANARY, "base_url": there.url}


def test_the_options_server_is_tried_before_the_environments(home: Home) -> None:
    with server(ACCOUNT) as there:
        run = home.run(*LOGIN, "--base-url", there.url, stdin=CANARY, PROXYCTL_BASE_URL=UNUSED)
    assert run.code == 0 and there.users == [ACCOUNT]
    assert home.saved("prod")["base_url"] == there.url
    assert "--base-url" in run.err and UNUSED not in run.err


def test_a_new_login_says_which_server_the_profile_is_for(home: Home) -> None:
    home.add("prod", base_url=f"https://u:{CANARY}@old.example")
    again = (*LOGIN, "--no-verify", "--yes")
    assert "keeps its base_url" in home.run(*again, stdin=CANARY).err
    run = home.run(*again, stdin=CANARY, PROXYCTL_BASE_URL=UNUSED)
    assert f"is now {UNUSED}" in run.err and home.saved("prod")["base_url"] == UNUSED


def test_a_server_of_the_environment_that_is_wrong_is_named(home: Home) -> None:
    run = home.run(*LOGIN, stdin=CANARY, PROXYCTL_BASE_URL=f"http://u:{CANARY}@localhost")
    assert run.code == 2 and "PROXYCTL_BASE_URL" in run.err
    assert not home.config.exists()


def test_login_help_says_that_the_profile_is_saved(home: Home) -> None:
    run = home.run("auth", "login", "-h")
    assert run.code == 0 and "Save the credentials as this profile" in " ".join(run.out.split())
    assert "Use this profile's credentials" in home.run("help", "options").out


def test_credentials_that_are_refused_are_not_saved(home: Home) -> None:
    with server() as there:
        run = home.run(*LOGIN, "--base-url", there.url, stdin=CANARY)
    assert run.code == 3 and "Nothing was saved" in run.err
    assert not home.config.exists() and len(there.users) == 1


def test_a_network_that_is_down_saves_nothing(home: Home) -> None:
    run = home.run(*LOGIN, "--retries", "0", "--base-url", UNUSED, stdin=CANARY)
    assert run.code == 7 and "--no-verify" in run.err
    assert not home.config.exists()
    assert home.run(*LOGIN, "--no-verify", "--base-url", UNUSED, stdin=CANARY).code == 0
    assert home.saved("prod")["auth_token"] == CANARY


def test_login_asks_on_a_terminal(home: Home) -> None:
    answers = f"{ACCOUNT}\n{KEY}\n{CANARY}\n"
    run = home.run("auth", "login", "--no-verify", stdin=answers, terminal=True)
    assert run.code == 0 and "Account SID" in run.err and "secret" in run.err
    assert home.saved("default") == {"account_sid": ACCOUNT, "api_key": KEY, "api_secret": CANARY}
    answers = f"y\n{OTHER}\n\n{CANARY}\n"
    assert home.run("auth", "login", "--no-verify", stdin=answers, terminal=True).code == 0
    assert home.saved("default") == {"account_sid": OTHER, "auth_token": CANARY}


def test_login_asks_again_after_a_typo(home: Home) -> None:
    answers = f"AC1\n{ACCOUNT}\nPK1\n\n{CANARY}\n"
    run = home.run("auth", "login", "--no-verify", stdin=answers, terminal=True)
    assert (run.code, run.err.count("Account SID (AC"), run.err.count("API key SID")) == (0, 2, 2), run.err
    assert "32 hexadecimal digits" in run.err
    assert home.saved("default") == {"account_sid": ACCOUNT, "auth_token": CANARY}


def test_login_asks_for_all_again_where_the_server_refuses(home: Home) -> None:
    with server(ACCOUNT) as there:
        login = ("auth", "login", "--base-url", there.url)
        answers = f"{OTHER}\n\n{CANARY}\n{ACCOUNT}\n\n{CANARY}\n"
        run = home.run(*login, stdin=answers, terminal=True)
        assert (run.code, there.users) == (0, [OTHER, ACCOUNT]), run.err
        assert "Try again." in run.err and home.saved("default")["account_sid"] == ACCOUNT
        there.users.clear()
        run = home.run(*login, "--yes", stdin=f"{OTHER}\n\n{CANARY}\n" * 5, terminal=True)
        assert (run.code, there.users) == (3, [OTHER] * 3) and "Nothing was saved" in run.err


@pytest.mark.parametrize("answers", ["", "\n", ACCOUNT, f"{ACCOUNT}\n\n"])
def test_an_end_of_input_at_a_question_saves_nothing(home: Home, answers: str) -> None:
    assert home.run("auth", "login", "--no-verify", stdin=answers, terminal=True).code == 2
    assert not home.config.exists()


def read_until(terminal: io.FileIO, wanted: bytes | None) -> bytes:
    """Read from a terminal until it shows ``wanted`` (None: until it is closed), for 30 seconds at most."""
    shown = b""
    while wanted is None or wanted not in shown:
        assert select.select([terminal], [], [], 30)[0], shown
        try:
            chunk = terminal.read(1000)
        except OSError:  # Linux says so when the other side is closed.
            chunk = b""
        if not chunk:
            return shown
        shown += chunk
    return shown


def test_the_secret_is_typed_without_echo(home: Home) -> None:
    ours, theirs = pty.openpty()
    words = ("auth", "login", "--account-sid", ACCOUNT, "--no-verify")
    child = home.process(*words, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    with child, open(ours, "r+b", buffering=0) as terminal:
        shown = read_until(terminal, b"API key SID")
        terminal.write(b"\n")
        shown += read_until(terminal, b"Auth token: ")
        terminal.write(CANARY.encode() + b"\n")
        shown += read_until(terminal, None)
        child.wait(30)
    assert child.returncode == 0, shown
    assert CANARY.encode() not in shown
    assert home.saved("default")["auth_token"] == CANARY


def test_status_names_who_and_from_where(home: Home) -> None:
    with server(ACCOUNT) as there:
        home.add("prod", base_url=there.url)
        run = home.run("auth", "status", "-o", "jsonl")
        assert run.code == 0
        (row,) = run.rows
        assert (row["profile"], row["source"], row["account_sid"]) == ("prod", "default_profile", ACCOUNT)
        assert (row["works"], row["secret"], row["problem"]) == (True, "********", None)
        environ = {"TWILIO_ACCOUNT_SID": OTHER, "TWILIO_AUTH_TOKEN": CANARY, "PROXYCTL_BASE_URL": there.url}
        run = home.run("auth", "status", "-o", "jsonl", **environ)
        assert run.code == 3
        assert (run.rows[0]["source"], run.rows[0]["works"]) == ("environment", False)


def test_status_of_all(home: Home) -> None:
    with server(ACCOUNT) as there:
        home.add("prod", base_url=there.url)
        home.add("down", base_url=UNUSED)
        home.run("config", "set", "profiles.half.account_sid", ACCOUNT)
        run = home.run("auth", "status", "--all", "--retries", "0", "-o", "jsonl")
    assert {row["profile"]: row["works"] for row in run.rows} == {
        "prod": True,
        "down": False,
        "half": False,
        "sandbox": True,
    }
    assert run.code == 3
    assert not (home.directory / "state").exists()


def test_status_without_credentials_and_of_the_sandbox(home: Home) -> None:
    run = home.run("auth", "status")
    assert run.code == 3 and "auth login" in run.err and "--sandbox" in run.err
    run = home.run("auth", "status", "--sandbox", "-o", "jsonl")
    assert run.code == 0 and run.rows[0]["works"]


def test_status_runs_the_command_of_a_secret(home: Home) -> None:
    with server(ACCOUNT) as there:
        home.run("config", "set", "profiles.prod.account_sid", ACCOUNT)
        home.run("config", "set", "profiles.prod.base_url", there.url)
        home.run("config", "set", "profiles.prod.auth_token_command", "printenv MY_SECRET")
        assert home.run("auth", "status", "-p", "prod", MY_SECRET=CANARY).code == 0
        run = home.run("auth", "status", "-p", "prod")
    assert run.code == 3 and "exit code 1" in run.err
