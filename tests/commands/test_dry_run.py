"""--dry-run prints what would be sent and sends nothing; the ledger of a served sandbox proves it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sandbox.serving import Served
from tests.support import Cli


@pytest.fixture
def pool(remote: Cli, server: Served) -> list[str]:
    """The SIDs of three numbers; the first two are in the pool of Service "a", the first of them reserved."""
    sids = [row["sid"] for row in remote.seed(3)]
    remote.ok("service", "create", "a", "-q")
    remote.ok("number", "add", "a", sids[0], "--reserved", "-q")
    remote.ok("number", "add", "a", sids[1], "-q")
    server.ledger.clear()
    return sids


def test_the_form_is_shown(remote: Cli, pool: list[str]) -> None:
    ran = remote.ok("service", "create", "b", "--default-ttl", "5", "--dry-run", "-o", "json")
    assert ran.json == [
        {"method": "POST", "path": "/v1/Services", "form": {"UniqueName": "b", "DefaultTtl": "5"}}
    ]
    add = remote.ok("number", "add", "a", pool[2], "--reserved", "--dry-run", "-o", "json")
    assert add.json[0]["form"] == {"Sid": pool[2], "IsReserved": "true"}
    lines = remote.ok("number", "release", "a", pool[0], "--dry-run").lines
    assert lines[0] == "method\tpath\tform" and lines[1].endswith('\t{"IsReserved":"false"}')


def test_what_would_fail_is_told(remote: Cli, server: Served, pool: list[str]) -> None:
    remote.ok("sandbox", "busy", pool[0], "1")
    ran = remote.ok("number", "remove", "a", *pool[:2], "--dry-run", "-o", "json")
    assert [row["path"][-34:] for row in ran.json] == [pool[1]]
    assert f"{pool[0]}: would fail" in ran.err
    assert remote("number", "add", "nope", pool[0], "--dry-run").code == 4
    assert remote("service", "update", "a", "--dry-run").code == 2
    assert server.ledger.effects == []


def test_dry_run_may_stand_before_the_subcommand(remote: Cli, server: Served, pool: list[str]) -> None:
    assert remote.ok("--dry-run", "service", "delete", "a").lines[0] == "method\tpath\tform"
    assert remote.ok("service", "--dry-run", "delete", "a").lines[0] == "method\tpath\tform"
    assert server.ledger.effects == []


def test_of_the_sandbox_s_own_reset(cli: Cli) -> None:
    cli.seed(2)
    ran = cli.ok("sandbox", "reset", "--dry-run")
    assert "numbers: 2" in ran.err and "nothing was deleted" in ran.err
    assert cli.ok("sandbox", "status", "-o", "json").json["numbers"] == 2


def test_what_would_fail_many_times_is_told_in_few_lines(cli: Cli, tmp_path: Path) -> None:
    """The first 20 of 5,000, and the count of the rest."""
    cli.ok("service", "create", "a", "-q")
    path = tmp_path / "numbers.txt"
    path.write_text("".join(f"+1415{2000000 + index}\n" for index in range(5000)))
    ran = cli("number", "reserve", "a", "-f", str(path), "--dry-run")
    assert len(ran.err.splitlines()) <= 25
    assert "4980" in ran.err.replace(",", "")
