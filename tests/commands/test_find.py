"""`number find`: a hint from the webhooks, proof from the Service, and all pools side by side where that fails."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from proxyctl.sandbox.server.faults import FaultPlan, Scripted
from proxyctl.sandbox.world.seed import pool_numbers
from proxyctl.sandbox.world.store import Store
from tests.sandbox.serving import Served
from tests.support import Cli

STRANGER = "+14155559999"


def create(cli: Cli, name: str) -> str:
    sid: str = cli.ok("service", "create", name, "-o", "ids").lines[0]
    return sid


def asked(server: Served) -> Counter[str]:
    """What was asked since the last call: how often each kind of place was."""
    kinds = Counter(
        "account" if "Incoming" in entry.path else "pool" if entry.path.endswith("PhoneNumbers") else "one"
        for entry in server.ledger.entries
        if "/PhoneNumbers" in entry.path or "Incoming" in entry.path
    )
    assert all(entry.method == "GET" for entry in server.ledger.entries)
    server.ledger.clear()
    return kinds


@pytest.fixture
def numbers(remote: Cli, server: Served) -> list[dict[str, Any]]:
    """Three numbers: one in each of two Services, and one in none; the Services are "north" and "south"."""
    rows = remote.seed(3)
    create(remote, "north")
    create(remote, "south")
    remote.ok("number", "add", "north", rows[0]["sid"])
    remote.ok("number", "add", "south", rows[1]["sid"])
    server.ledger.clear()
    return rows


@pytest.mark.parametrize("fault", ["403", "404", "503", "html", "garbage-list", "reset"])
def test_works_where_the_accounts_numbers_cannot_be_read(
    remote: Cli, server: Served, numbers: list[dict[str, Any]], fault: str
) -> None:
    """The hint is a shortcut: a key that may not see the account's numbers, or their host down, costs only that."""
    server.policies.faults = FaultPlan(script=[Scripted(fault, path="IncomingPhoneNumbers", times=None)])
    names = [numbers[0]["phone_number"], numbers[1]["sid"]]
    ran = remote.ok("number", "find", *names, "-o", "json", "--retries", "0")
    assert [row["service"] for row in ran.json] == ["north", "south"]


def test_credentials_that_are_refused_are_no_hint(remote: Cli, server: Served) -> None:
    server.policies.faults = FaultPlan(script=[Scripted("401", times=None)])
    assert remote("number", "find", STRANGER).code == 3


def test_many_are_found_in_the_pools_in_the_order_they_were_named(
    remote: Cli, server: Served, store: Store, tmp_path: Path
) -> None:
    rows = remote.seed(130)
    services = [create(remote, name) for name in ("a", "b", "c")]
    for position, service in enumerate(services):
        pool_numbers(store, service, [row["sid"] for row in rows[position * 40 : position * 40 + 40]])
    file = tmp_path / "numbers.txt"
    wanted = [rows[position] for position in (90, 3, 41, 119, 0, 40, 5, 6, 7, 8, 9)]
    file.write_text("".join(f"{row['phone_number']}\n" for row in wanted))
    server.ledger.clear()
    ran = remote.ok("number", "find", "-f", str(file), "-o", "json")
    assert [row["sid"] for row in ran.json] == [row["sid"] for row in wanted]
    assert [row["service"] for row in ran.json[:5]] == ["c", "a", "b", "c", "a"]
    assert asked(server) == {"pool": 3}, "one request for each pool, none for the single numbers"
    file.write_text("".join(f"{row['phone_number']}\n" for row in rows))
    ran = remote("number", "find", "-f", str(file), "-o", "ids")
    assert (ran.code, ran.lines) == (6, [row["sid"] for row in rows[:120]])
    told = ran.err.splitlines()
    assert len([line for line in told if line.startswith("no Service holds")]) == 10
    file.write_text("".join(f"+1415555{i:04}\n" for i in range(8000, 8030)))
    told = remote("number", "find", "-f", str(file)).err.splitlines()
    assert len([line for line in told if line.startswith("no Service holds")]) == 20
    assert "… and 10 more." in told


def test_a_service_that_is_deleted_meanwhile(
    remote: Cli, server: Served, numbers: list[dict[str, Any]]
) -> None:
    south = remote.ok("service", "show", "south", "-o", "ids").lines[0]

    def delete() -> None:
        server.policies.faults = None
        remote.ok("service", "delete", "south", "--yes")

    server.policies.faults = FaultPlan(script=[Scripted(path=f"{south}/PhoneNumbers", action=delete)])
    names = [numbers[1]["sid"], *(f"+1415555{i:04}" for i in range(8000, 8011)), numbers[0]["sid"]]
    ran = remote("number", "find", *names, "-o", "json")
    assert ran.code == 6
    assert [row["service"] for row in ran.json] == ["north"]


def test_a_list_without_sids_is_an_answer_that_makes_no_sense(remote: Cli, server: Served) -> None:
    create(remote, "north")
    server.policies.faults = FaultPlan(script=[Scripted("garbage-object", times=None)])
    ran = remote("number", "find", STRANGER, "--retries", "0")
    assert ran.code == 1
    assert "internal error" not in ran.err
