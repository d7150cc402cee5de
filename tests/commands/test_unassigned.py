"""`number list --unassigned`: the account's numbers in no pool, and `number list` of several Services in a table."""

from __future__ import annotations

from typing import Any

import pytest

from proxyctl.sandbox.behaviour import ACCOUNT_SID
from tests.support import Cli

NUMBERS = f"/2010-04-01/Accounts/{ACCOUNT_SID}/IncomingPhoneNumbers.json"


@pytest.fixture
def account(either: Cli) -> Cli:
    """Three US numbers and a German one of which a pool has the first; the second is in a Messaging Service."""
    us = either.seed(3)
    either.seed(1, country="DE")
    either.ok("service", "create", "a", "-q")
    either.ok("number", "add", "a", us[0]["sid"])
    either.ok("api", "POST", "/messaging/v1/Services", "-d", "FriendlyName=A2P")
    sender = either.ok("api", "GET", "/messaging/v1/Services").json["services"][0]["sid"]
    path = f"/messaging/v1/Services/{sender}/PhoneNumbers"
    either.ok("api", "POST", path, "-d", f"PhoneNumberSid={us[1]['sid']}")
    return either


def rows_of(cli: Cli) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = cli.ok("api", "GET", NUMBERS, "--paginate").json
    return rows


def listed(cli: Cli, *arguments: str) -> list[str]:
    command = ("number", "list", "--unassigned", *arguments, "--fields", "phone_number", "--no-header")
    return cli.ok(*command).lines


def test_rows_are_the_account_s_own_with_a_mark_at_the_end(account: Cli) -> None:
    own = rows_of(account)
    rows = account.ok("number", "list", "--unassigned", "-o", "json").json
    assert [list(row)[-1] for row in rows] == ["messaging_service_sid"] * 3
    assert [row["messaging_service_sid"] is not None for row in rows] == [True, False, False]
    assert [
        {key: value for key, value in row.items() if key != "messaging_service_sid"} for row in rows
    ] == own[1:]
    table = account.ok("number", "list", "--unassigned").lines
    assert table[0].split("\t")[-1] == "messaging_service_sid"
    assert table[1].split("\t")[-1] == rows[0]["messaging_service_sid"] and table[2].endswith("\t")
    assert account.ok("number", "list", "--unassigned", "-o", "ids").lines == [row["sid"] for row in own[1:]]
    assert account.ok("number", "list", "--unassigned", "--count").out == "3\n"


def test_filters(account: Cli) -> None:
    numbers = [row["phone_number"] for row in rows_of(account)]
    assert listed(account) == numbers[1:]
    assert listed(account, "--country", "us") == numbers[1:3]
    assert listed(account, "--country", "DE") == numbers[3:]
    assert listed(account, "--prefix", "+49") == numbers[3:]
    assert listed(account, "--capability", "sms", "--capability", "voice") == numbers[1:]
    assert listed(account, "--capability", "fax", "--country", "DE") == []
    assert listed(account, "--sort", "-phone_number") == sorted(numbers[1:], reverse=True)
    assert listed(account, "--sort", "messaging_service_sid", "--limit", "1") == numbers[1:2]


SENSELESS: list[tuple[str, ...]] = [
    *(("--all",), ("a",), ("--reserved",), ("--unreserved",), ("--in-use",), ("--idle",)),
    *(("--capability", "sms_outbound"), ("--country", "XX"), ("--sort", "in_use"), ("--fields", "in_use")),
]


def test_what_makes_no_sense_is_refused(account: Cli) -> None:
    for options in SENSELESS:
        ran = account("number", "list", "--unassigned", *options)
        assert (ran.code, ran.out) == (2, ""), options


def test_they_feed_straight_into_add(account: Cli) -> None:
    rows = account.ok("number", "list", "--unassigned", "--country", "DE", "-o", "csv").out
    assert account.ok("number", "add", "a", "-f", "-", stdin=rows).code == 0
    assert account.ok("number", "list", "--unassigned", "--count").out == "2\n"


def test_a_table_names_the_messaging_service(account: Cli) -> None:
    ran = account("number", "list", "--unassigned", tty=True, environ={"COLUMNS": "80", "NO_COLOR": "1"})
    assert ran.code == 0
    assert all(len(line) <= 80 for line in ran.lines)
    assert "Messaging Service" in ran.lines[0] and ran.lines[2].endswith("A2P")


def test_where_all_are_in_a_pool_no_messaging_service_is_asked(either: Cli) -> None:
    assert either.ok("number", "list", "--unassigned", "-o", "json").json == []
    (row,) = either.seed(1)
    either.ok("service", "create", "a", "-q")
    either.ok("number", "add", "a", row["sid"])
    ran = either.ok("number", "list", "--unassigned", "-o", "json", "-vv")
    assert ran.json == [] and "/messaging/" not in ran.err


def test_a_table_of_several_services_names_them(account: Cli) -> None:
    account.ok("service", "create", "a-service-with-quite-a-long-name", "-q")
    german = rows_of(account)[3]["sid"]
    account.ok("number", "add", "a-service-with-quite-a-long-name", german)
    environ = {"COLUMNS": "80", "NO_COLOR": "1"}
    ran = account("number", "list", "--all", tty=True, environ=environ)
    assert all(len(line) <= 80 for line in ran.lines)
    assert ran.lines[0].split()[0] == "Service" and german in ran.out
    assert "a-service" in ran.out and "KS" not in ran.out
    assert account("number", "list", "a", tty=True, environ=environ).lines[0].split()[0] == "Phone"
    rows = account.ok("number", "list", "--all", "-o", "json").json
    assert all("service" not in row and row["service_sid"] for row in rows), "JSON stays the API's own"
    fields = account("number", "list", "--all", "-o", "table", "--fields", "service")
    assert fields.code == 2
