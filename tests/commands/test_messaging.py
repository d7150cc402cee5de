"""`messaging check` and `messaging attach`: US numbers of a pool belong into a Messaging Service too, in this order."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxyctl.sandbox.world.seed import pool_numbers, seed_numbers
from proxyctl.sandbox.world.store import Store
from tests.commands.test_move import messaging_service, senders
from tests.support import Cli, Ran


@pytest.fixture
def pool(either: Cli) -> Cli:
    """A Service "a" with three US numbers and a German one."""
    either.ok("service", "create", "a", "-q", "-o", "ids")
    rows = [*either.seed(3), *either.seed(1, country="DE", seed=2)]
    either.ok("number", "add", "a", *(row["sid"] for row in rows), "-q")
    return either


def us(cli: Cli) -> list[str]:
    return cli.ok("number", "list", "a", "--country", "US", "-o", "ids").lines


def attach(cli: Cli, mg: str, *arguments: str) -> Ran:
    return cli("messaging", "attach", "a", "--messaging-service", mg, *arguments, "-o", "json", "--yes")


def check(cli: Cli, mg: str) -> tuple[int, list[str]]:
    ran = cli("messaging", "check", "a", "--messaging-service", mg, "-o", "json")
    return ran.code, [row["id"] for row in ran.json]


def test_attach_what_is_missing(pool: Cli) -> None:
    mg = messaging_service(pool)
    assert check(pool, mg) == (8, ["messaging-missing"] * 3)
    ran = attach(pool, mg)
    assert (ran.code, ran.actions) == (0, ["added"] * 3)
    assert senders(pool, mg) == set(us(pool))
    assert check(pool, mg) == (0, [])
    again = attach(pool, mg)
    assert (again.code, again.actions) == (0, ["unchanged"] * 3)


def test_attach_some(pool: Cli) -> None:
    mg = messaging_service(pool)
    one, two, _ = us(pool)
    number = pool.ok("number", "show", "a", two, "-o", "json").json["phone_number"]
    ran = attach(pool, mg, one, number, two)
    assert ran.actions == ["added", "added", "unchanged"]
    assert senders(pool, mg) == {one, two}
    rows = pool.ok("history", "show", pool.ok("history", "list", "-o", "ids").lines[0], "-o", "json").json
    assert [row["action"] for row in rows] == ["attach", "attach"]


def test_a_messaging_service_that_does_not_defer(pool: Cli) -> None:
    mg = messaging_service(pool, defers=False)
    code, ids = check(pool, mg)
    assert code == 8 and ids[0] == "messaging-not-deferring"
    ran = attach(pool, mg)
    assert ran.code == 5 and "UseInboundWebhookOnNumber=true" in ran.err
    assert senders(pool, mg) == set()


def test_the_wrong_order_is_refused(pool: Cli) -> None:
    (row,) = pool.seed(1, seed=7)
    mg = messaging_service(pool)
    ran = attach(pool, mg, row["phone_number"])
    assert ran.code == 5 and "proxyctl number add a" in ran.err
    pool.ok("api", "POST", f"/messaging/v1/Services/{mg}/PhoneNumbers", "-d", f"PhoneNumberSid={row['sid']}")
    attach(pool, mg)
    found = pool("messaging", "check", "a", "--messaging-service", mg, "-o", "json")
    assert [(one["id"], one["object"]) for one in found.json] == [("messaging-not-in-pool", row["sid"])]
    mend = found.json[0]["mend"].split()[1:]
    assert pool(*mend, "--yes").code == 0
    assert check(pool, mg) == (0, [])


def test_names_that_do_not_exist(pool: Cli) -> None:
    mg = "MG" + "0" * 32
    assert pool("messaging", "check", "a", "--messaging-service", mg).code == 4
    assert pool("messaging", "check", "a", "--messaging-service", "mg").code == 2
    assert pool("messaging", "check", "b", "--messaging-service", messaging_service(pool)).code == 4


def test_four_hundred_at_most(cli: Cli, tmp_path: Path) -> None:
    cli.ok("service", "create", "a", "-q", "-o", "ids")
    service = cli.ok("service", "show", "a", "-o", "json").json["sid"]
    with Store(tmp_path / "state" / "sandbox.db") as store:
        rows = seed_numbers(store, 401, seed=1)
        pool_numbers(store, service, [row["sid"] for row in rows])
    mg = messaging_service(cli)
    assert check(cli, mg)[1][0] == "messaging-full"
    ran = attach(cli, mg)
    assert ran.code == 5 and "401 numbers (now 0, the limit is 400)" in ran.err
    assert attach(cli, mg, *(row["sid"] for row in rows[:400])).actions == ["added"] * 400
