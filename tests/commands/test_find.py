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


def test_the_hint_is_followed_and_proved(remote: Cli, server: Served, numbers: list[dict[str, Any]]) -> None:
    for name in (numbers[1]["sid"], numbers[1]["phone_number"]):
        row = remote.ok("number", "find", name, "-o", "json").json[0]
        assert (row["sid"], row["phone_number"]) == (numbers[1]["sid"], numbers[1]["phone_number"])
        assert row["service"] == "south"
        assert asked(server) == {"account": 1, "one": 1}, "no pool is read"


def test_a_stale_hint_leads_on_to_the_pools(
    remote: Cli, server: Served, numbers: list[dict[str, Any]]
) -> None:
    """Webhooks are not put back when a number leaves, so they may name a Service that it has left."""
    north = remote.ok("service", "show", "north", "-o", "ids").lines[0]
    remote.ok("number", "remove", "north", numbers[0]["sid"], "--yes")
    point(remote, numbers[0]["sid"], north)
    server.ledger.clear()
    ran = remote("number", "find", numbers[0]["sid"], "-o", "json")
    assert (ran.code, ran.json) == (4, [])
    assert asked(server) == {"account": 1, "one": 1, "pool": 2}
    remote.ok("number", "add", "south", numbers[0]["sid"])
    point(remote, numbers[0]["sid"], north)
    assert remote.ok("number", "find", numbers[0]["phone_number"], "-o", "json").json[0]["service"] == "south"


def point(cli: Cli, sid: str, service_sid: str) -> None:
    """Let a number's webhooks lead to a Service."""
    account = cli.environ["TWILIO_ACCOUNT_SID"]
    root = f"https://webhooks.twilio.com/v1/Accounts/{account}/Proxy/{service_sid}/Webhooks"
    path = f"/2010-04-01/Accounts/{account}/IncomingPhoneNumbers/{sid}.json"
    cli.ok("api", "POST", path, "-d", f"VoiceUrl={root}/Call", "-d", f"SmsUrl={root}/Message")


def test_the_hinted_service_is_deleted(remote: Cli, numbers: list[dict[str, Any]]) -> None:
    point(remote, numbers[0]["sid"], "KS" + "e" * 32)
    assert remote.ok("number", "find", numbers[0]["sid"], "-o", "json").json[0]["service"] == "north"


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


def test_in_no_pool(remote: Cli, numbers: list[dict[str, Any]]) -> None:
    ran = remote("number", "find", numbers[2]["phone_number"])
    assert (ran.code, ran.lines) == (4, ["phone_number\tsid\tservice_sid\tservice"])
    assert f"no Service holds {numbers[2]['phone_number']}." in ran.err
    # What is typed next, works.
    hint = remote("number", "find", numbers[2]["sid"], "-o", "json").error["hint"]
    typed = hint.partition("proxyctl ")[2].split()
    assert remote.ok(*typed).json["sid"] == numbers[2]["sid"]
    assert remote("number", "find", STRANGER).code == 4


def test_some_of_several(remote: Cli, numbers: list[dict[str, Any]]) -> None:
    ran = remote("number", "find", numbers[0]["sid"], STRANGER, numbers[2]["sid"], "-o", "json")
    assert ran.code == 6
    assert [row["sid"] for row in ran.json] == [numbers[0]["sid"]]
    assert f"{STRANGER}: in no pool\n" in ran.err
    assert ran.error["message"] == "found 1, not found 2."
    assert remote("number", "find", STRANGER, numbers[2]["sid"]).code == 4


def test_a_sid_and_a_number_that_disagree(remote: Cli, numbers: list[dict[str, Any]], tmp_path: Path) -> None:
    file = tmp_path / "numbers.csv"
    file.write_text(f"sid,phone_number\n{numbers[0]['sid']},{numbers[1]['phone_number']}\n")
    ran = remote("number", "find", "-f", str(file))
    assert ran.code == 5
    assert f"{numbers[0]['sid']} is {numbers[0]['phone_number']} in the pool" in ran.err
    ran = remote("number", "find", "-f", str(file), numbers[1]["sid"], "-o", "jsonl")
    assert (ran.code, [row["service"] for row in ran.rows]) == (6, ["south"])


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
    assert len([line for line in told if line.endswith("in no pool")]) == 10
    file.write_text("".join(f"+1415555{i:04}\n" for i in range(8000, 8030)))
    told = remote("number", "find", "-f", str(file)).err.splitlines()
    assert len([line for line in told if line.endswith("in no pool")]) == 20
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
    assert "a defect" not in ran.err


def test_formats(either: Cli) -> None:
    rows = either.seed(1)
    service = create(either, "masking")
    either.ok("number", "add", service, rows[0]["sid"])
    number = rows[0]["phone_number"]
    assert either.ok("number", "find", number, "-o", "ids").lines == [rows[0]["sid"]]
    assert either.ok("number", "find", number, "-o", "csv", "--no-header").lines == [
        f"{number},{rows[0]['sid']},{service},masking"
    ]
    assert either.ok("number", "find", number, "--fields", "service").lines == ["service", "masking"]
    assert either("number", "find", number, "--fields", "nothing").code == 2
    table = either("number", "find", number, tty=True).out
    assert "masking" in table and number in table
    national = number[2:]
    assert either("number", "find", national).code == 2
    assert either.ok("number", "find", national, "--default-country", "US", "-o", "ids").lines == [
        rows[0]["sid"]
    ]
    assert either("number", "find").code == 2
    assert either.ok("number", "find", "-f", "-", "-o", "ids", stdin=f"{number}\n").lines == [rows[0]["sid"]]
