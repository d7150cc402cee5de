"""A prompt that stands open: what changes meanwhile is not overwritten, and its line is ended whatever is typed."""

from __future__ import annotations

import pytest

from proxyctl.console import Console
from proxyctl.sandbox.context import ACCOUNT_SID
from tests.support import Cli


def path_of(sid: str) -> str:
    return f"/2010-04-01/Accounts/{ACCOUNT_SID}/IncomingPhoneNumbers/{sid}.json"


@pytest.fixture
def sids(cli: Cli) -> list[str]:
    """Two numbers of the account, and a Service "a"."""
    cli.ok("service", "create", "a", "-q")
    return [row["sid"] for row in cli.seed(2)]


def to(url: str) -> tuple[str, ...]:
    return "--voice-url", f"https://{url}.example.com"


def table(ttl: int) -> str:
    return f"version = 1\n[services.a]\ndefault_ttl = {ttl}\n"


@pytest.mark.parametrize("verb", ["webhooks", "apply", "remove", "delete", "delete what changes"])
def test_what_changed_meanwhile_is_not_overwritten(
    cli: Cli, sids: list[str], verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = sids
    pool_file = cli.directory / "pools.toml"
    pool_file.write_text(table(60))
    cli.ok("number", "add", "a", first, second)
    line, meanwhile, state = {
        "webhooks": (
            ("number", "webhooks", "a", first, second, *to("mine")),
            ("number", "webhooks", "a", first, *to("theirs"), "--yes"),
            ("api", "GET", path_of(first)),
        ),
        "apply": (
            ("pool", "apply", str(pool_file)),
            ("service", "update", "a", "--default-ttl", "7200"),
            ("service", "show", "a", "-o", "json"),
        ),
        "remove": (
            ("number", "remove", "a", first, second),
            ("number", "reserve", "a", first),
            ("number", "show", "a", first, "-o", "json"),
        ),
        "delete": (
            ("service", "delete", "a"),
            ("sandbox", "busy", first, "7"),
            ("number", "list", "a", "-o", "json"),
        ),
        "delete what changes": (
            ("service", "delete", "a"),
            ("service", "update", "a", "--unique-name", "b"),
            ("service", "list", "-o", "json"),
        ),
    }[verb]
    seen = []

    def answer(console: Console, question: str) -> str:
        cli.ok(*meanwhile)
        seen.append(cli.ok(*state).json)
        return "a" if "Type a" in question else "y"

    monkeypatch.setattr(Console, "ask", answer)
    ran = cli(*line, tty=True)
    assert (ran.code, "Changed since it was shown" in ran.err) == (7, True), ran.err
    assert [cli.ok(*state).json] == seen


@pytest.mark.parametrize("typed", ["", "y"])
def test_the_end_of_input_ends_the_line(cli: Cli, sids: list[str], typed: str) -> None:
    cli.ok("number", "add", "a", sids[0])
    ran = cli("number", "remove", "a", sids[0], tty=True, stdin=typed)
    assert "Go on? [y/N] \n" in ran.err
    assert ran.code == (0 if typed else 2)
