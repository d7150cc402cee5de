"""One number given in E.164 costs a few requests, however many the pool holds; counted in the server's ledger."""

from __future__ import annotations

import pytest

from proxyctl.sandbox.server.faults import FaultPlan, Scripted
from proxyctl.sandbox.world.seed import pool_numbers
from proxyctl.sandbox.world.store import Store
from tests.sandbox.serving import Served
from tests.support import Cli

POOL, PAGES = 450, 5


class Big:
    """A Service with more numbers than a page, unreserved all, and one number beside it."""

    def __init__(self, remote: Cli, server: Served, store: Store) -> None:
        self.remote, self.server = remote, server
        rows = remote.seed(POOL + 1)
        remote.ok("service", "create", "masking")
        self.service = remote.ok("service", "show", "masking", "-o", "ids").lines[0]
        pool_numbers(store, self.service, [row["sid"] for row in rows[:POOL]])
        self.outside = rows[POOL]["phone_number"]
        listed = remote.ok("number", "list", "masking", "-o", "json").json
        self.first, self.last = listed[0]["phone_number"], listed[-1]["phone_number"]
        self.last_sid = listed[-1]["sid"]

    def asked(self) -> list[str]:
        """The requests since the last time: the method and the resource of each."""
        entries = self.server.ledger.entries
        self.server.ledger.clear()
        return [f"{entry.method} {entry.path.split('/')[1]}" for entry in entries]


@pytest.fixture
def big(remote: Cli, server: Served, store: Store) -> Big:
    made = Big(remote, server, store)
    made.asked()
    return made


PROXY, ACCOUNT = "GET v1", "GET 2010-04-01"


def test_show_asks_the_account_for_the_sid(big: Big) -> None:
    ran = big.remote.ok("number", "show", big.service, big.last, "-o", "json")
    assert ran.json["sid"] == big.last_sid
    assert big.asked() == [PROXY, PROXY, ACCOUNT, PROXY]


def test_show_of_one_on_the_first_page(big: Big) -> None:
    assert big.remote.ok("number", "show", big.service, big.first, "-o", "json").json["sid"]
    assert big.asked() == [PROXY] * 2


def test_show_of_one_that_is_not_in_the_pool(big: Big) -> None:
    ran = big.remote("number", "show", big.service, big.outside)
    assert (ran.code, len(big.asked())) == (4, 4)


@pytest.mark.parametrize("verb", ["reserve", "drain"])
def test_a_change_of_one(big: Big, verb: str) -> None:
    ran = big.remote.ok("number", verb, big.service, big.last, "-o", "jsonl")
    assert [row["action"] for row in ran.rows] == ["reserved"]
    asked = big.asked()
    assert asked[asked.index(ACCOUNT) :][:3] == [ACCOUNT, PROXY, "POST v1"]
    assert asked.count(PROXY) < PAGES
    assert (
        big.remote.ok("number", "show", big.service, big.last_sid, "-o", "json").json["is_reserved"] is True
    )
    big.asked()
    assert big.remote.ok("number", verb, big.service, big.last, "-o", "jsonl").rows[0]["action"] in (
        "unchanged",
        "reserved",
    )
    assert "POST v1" not in big.asked()


def test_an_add_of_one(big: Big) -> None:
    ran = big.remote.ok("number", "add", big.service, big.outside, "--reserved", "-o", "jsonl")
    assert [row["action"] for row in ran.rows] == ["added"]
    asked = big.asked()
    assert asked[:3] == [PROXY, ACCOUNT, PROXY]
    assert asked.count(PROXY) < PAGES
    ran = big.remote.ok("number", "add", big.service, big.last, "-o", "jsonl")
    assert [row["action"] for row in ran.rows] == ["unchanged"]


@pytest.mark.parametrize("fault", ["403", "404"])
def test_where_the_account_may_not_be_read_the_pool_is(big: Big, fault: str) -> None:
    big.server.policies.faults = FaultPlan(script=[Scripted(fault, "GET", path="^/2010", times=None)])
    ran = big.remote.ok("number", "show", big.service, big.last, "-o", "json")
    assert ran.json["sid"] == big.last_sid
    assert big.asked() == [PROXY, PROXY, ACCOUNT, *[PROXY] * (PAGES - 1)]


def test_a_number_that_the_account_does_not_own_is_looked_for_in_the_whole_pool(big: Big) -> None:
    ran = big.remote("number", "release", big.service, "+14155550199")
    assert ran.code == 4
    assert big.asked() == [PROXY, ACCOUNT, *[PROXY] * (PAGES - 1)]


def test_a_full_pool_is_the_apis_to_refuse(big: Big, store: Store) -> None:
    """500 unreserved are the limit: only the API can tell, as the pool was not read."""
    more = [row["sid"] for row in big.remote.seed(50, seed=2)]
    pool_numbers(store, big.service, more)
    ran = big.remote("number", "add", big.service, big.outside, "--unreserved", "-o", "json")
    assert (ran.code, ran.error["code"]) == (5, 80622)
    assert big.asked().count("POST v1") == 1


def test_two_numbers_are_looked_for_in_the_list(big: Big) -> None:
    big.remote.ok("number", "reserve", big.service, big.first, big.last)
    asked = big.asked()
    assert asked.count("GET v1") == PAGES
    assert ACCOUNT not in asked
