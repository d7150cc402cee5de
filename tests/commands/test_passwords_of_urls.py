"""Passwords in base URLs and proxies: in the config by hand, or in the environment. No command shows them."""

from __future__ import annotations

import json

import pytest

from tests.commands.profile_support import ACCOUNT, CANARY, Home, server

SPELLINGS = [
    "https://user:{}@127.0.0.1:1/x",
    "http://{}@127.0.0.1:1",
    "https://user:a/{}/b@127.0.0.1:1",
    "https://user:a@{}@127.0.0.1:1",
    "user:{}@127.0.0.1:1",
    "socks5://user:{}@127.0.0.1:1",
    "https://user:{}@127.0.0.1:port",
    "https://user:{}@[::1",
    "https:user:{}@127.0.0.1",
]
COMMANDS = [
    ("auth", "status", "--retries", "0"),
    ("auth", "status", "--all", "--retries", "0"),
    ("profile", "list"),
    ("config", "list"),
    ("config", "get", "profiles.prod.base_url"),
    ("service", "list", "--retries", "0", "-vv"),
    ("service", "create", "a", "--retries", "0", "--summary-json", "/dev/null"),
    ("doctor",),
]


def shown(home: Home, *command: str, **environ: str) -> str:
    """Run a command in each format, at a terminal too, with tracebacks; Home demands that the secret is not shown."""
    plain = home(*command, environ={"PROXYCTL_DEBUG": "1", **environ})
    as_json = home.run(*command, PROXYCTL_OUTPUT="json", **environ)
    at_terminal = home.run(*command, terminal=True, **environ)
    said = "".join(ran.out + ran.err for ran in (plain, as_json, at_terminal))
    assert CANARY not in said
    return said


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_of_a_profile(home: Home, command: tuple[str, ...]) -> None:
    for url in SPELLINGS:
        home.write(
            f'default_profile = "prod"\n[profiles.prod]\naccount_sid = "{ACCOUNT}"\nauth_token = "other-secret"\n'
            f"base_url = {json.dumps(url.format(CANARY))}\n"
        )
        said = shown(home, *command)
        assert "127.0.0.1" in said or "base URL" in said or "[::1" in said, url


@pytest.mark.parametrize("command", COMMANDS[:2] + COMMANDS[5:], ids=" ".join)
def test_of_the_environment(home: Home, command: tuple[str, ...]) -> None:
    own = {"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": "other-secret"}
    for url in SPELLINGS:
        shown(home, *command, **own, PROXYCTL_BASE_URL=url.format(CANARY))
    home.add("prod")
    for url in SPELLINGS:
        shown(home, *command, PROXYCTL_PROFILE="prod", PROXYCTL_BASE_URL=url.format(CANARY))


@pytest.mark.parametrize("command", COMMANDS[:1] + COMMANDS[5:], ids=" ".join)
def test_of_a_proxy(home: Home, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    own = {"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": "other-secret"}
    for url in SPELLINGS:
        monkeypatch.setenv("HTTPS_PROXY", url.format(CANARY))
        shown(home, *command, **own, PROXYCTL_BASE_URL="https://proxy.example")


def test_a_left_over_server_of_the_sandbox_gets_no_saved_credentials(home: Home) -> None:
    with server(ACCOUNT) as there:
        home.add("prod")
        for command in COMMANDS[:2] + COMMANDS[5:]:
            ran = home.run(*command, PROXYCTL_BASE_URL=there.url)
            assert ran.code in (2, 8), command
            assert "PROXYCTL_BASE_URL" in ran.err + ran.out
        assert there.users == []
        # The environment's own are those that 'sandbox env' prints beside it.
        own = {"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": CANARY, "PROXYCTL_BASE_URL": there.url}
        assert home.run("service", "list", **own).code == 0
        home.add("prod", base_url=there.url + "/")
        assert home.run("service", "list", PROXYCTL_BASE_URL=there.url).code == 0
        assert there.users == [ACCOUNT, ACCOUNT]
