"""`messaging check` and `attach` at the limit of a Messaging Service. What they print is in ``tests/golden``."""

from __future__ import annotations

from pathlib import Path

from proxyctl.sandbox.world.seed import pool_numbers, seed_numbers
from proxyctl.sandbox.world.store import Store
from tests.commands.pool_support import messaging_service
from tests.support import Cli


def test_four_hundred_at_most(cli: Cli, tmp_path: Path) -> None:
    service = cli.ok("service", "create", "a", "-o", "ids").lines[0]
    with Store(tmp_path / "state" / "sandbox.db") as store:
        sids = [row["sid"] for row in seed_numbers(store, 401, seed=1)]
        pool_numbers(store, service, sids)
    about = ("a", "--messaging-service", messaging_service(cli), "-o", "json")
    assert cli("messaging", "check", *about).json[0]["id"] == "messaging-full"
    ran = cli("messaging", "attach", *about, "--yes")
    assert ran.code == 5 and "401 numbers (now 0, the limit is 400)" in ran.err
    assert cli.ok("messaging", "attach", *about, *sids[:400], "--yes").actions == ["added"] * 400
