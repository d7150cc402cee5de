"""Protected profiles: a write needs --confirm-profile NAME, or the name typed at a terminal; reading does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxyctl.sandbox.context import ACCOUNT_SID, AUTH_TOKEN
from tests.sandbox.serving import Served
from tests.support import Cli


@pytest.fixture
def prod(server: Served, tmp_path: Path) -> Cli:
    """The program with a protected profile "prod" that leads to ``server``."""
    config = tmp_path / "config" / "config.toml"
    config.parent.mkdir(mode=0o700)
    config.touch(mode=0o600)
    config.write_text(
        f'[profiles.prod]\naccount_sid = "{ACCOUNT_SID}"\nauth_token = "{AUTH_TOKEN}"\n'
        f'base_url = "{server.url}"\nprotected = true\n'
    )
    return Cli(tmp_path, options=("-p", "prod"))


WRITES = (
    ("service", "create", "b"),
    ("service", "update", "a", "--default-ttl", "5"),
    ("service", "delete", "a", "--yes"),
    ("number", "add", "a", "+14155550100"),
    ("number", "remove", "a", "+14155550100", "--yes"),
    ("api", "POST", "/v1/Services", "-d", "UniqueName=c"),
)


@pytest.mark.parametrize("write", WRITES, ids=" ".join)
def test_no_write_without_the_name(prod: Cli, server: Served, write: tuple[str, ...]) -> None:
    for options in ((), ("--confirm-profile", "Prod"), ("--confirm-profile", ""), ("--yes",)):
        ran = prod(*write, *options)
        assert (ran.code, ran.out) == (2, "")
        assert "--confirm-profile prod" in ran.err and "protected" in ran.err
    assert server.ledger.entries == []


def test_with_the_name_it_writes(prod: Cli, server: Served) -> None:
    prod.ok("service", "create", "a", "--confirm-profile", "prod", "-q")
    assert prod.ok("--confirm-profile", "prod", "service", "create", "b", "-q").code == 0
    assert prod.ok("service", "list", "--fields", "unique_name", "--no-header").lines == ["a", "b"]
    assert prod.ok("service", "delete", "a", "--dry-run").code == 0
    assert prod("service", "delete", "a", "--confirm-profile", "prod").code == 2, "still wants --yes"
    assert len(server.ledger.effects) == 2


@pytest.mark.parametrize(("typed", "code"), [("prod\n", 0), ("y\n", 2), ("", 2), ("PROD\n", 2)])
def test_at_a_terminal_the_name_is_asked_for(prod: Cli, server: Served, typed: str, code: int) -> None:
    ran = prod("service", "create", "a", stdin=typed, tty=True)
    assert ran.code == code
    assert "'prod' is protected" in ran.err
    assert len(server.ledger.effects) == (1 if code == 0 else 0)
