"""What `number drain` sends while it waits, over HTTP and with a ledger: how many reads, an outage, a revoked key."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from proxyctl.sandbox.server.faults import FaultPlan, Scripted
from proxyctl.sandbox.world.seed import pool_numbers
from proxyctl.sandbox.world.store import Store
from tests.commands.drain_support import Pool, codes
from tests.sandbox.serving import Served
from tests.support import Cli


def reads(server: Served) -> int:
    return sum(entry.method == "GET" for entry in server.ledger.entries)


def test_a_look_costs_a_request_for_each_hundred(
    remote: Cli, server: Served, store: Store, tmp_path: Path
) -> None:
    pool = Pool(remote, 0)
    rows = remote.seed(250)
    pool_numbers(store, pool.service, [row["sid"] for row in rows], is_reserved=True)
    file = tmp_path / "numbers.txt"
    file.write_text("".join(f"{row['phone_number']}\n" for row in rows))
    pool.busy(rows[7]["sid"], 1)
    looks: list[int] = []
    for sleep in range(1, 4):
        pool.clock.script[sleep] = lambda: looks.append(reads(server))
    pool.clock.script[4] = lambda: pool.busy(rows[7]["sid"], 0)
    assert pool.drain("-f", str(file), "--wait").code == 0
    assert [later - earlier for earlier, later in pairwise(looks)] == [3, 3]


def test_a_few_are_looked_at_one_by_one(remote: Cli, server: Served, store: Store) -> None:
    """Named by number, too: the SIDs are known once the pool was read."""
    pool = Pool(remote, 0)
    rows = remote.seed(250)
    pool_numbers(store, pool.service, [row["sid"] for row in rows], is_reserved=True)
    pool.busy(rows[0]["sid"], 1)
    looks: list[int] = []
    for sleep in range(1, 3):
        pool.clock.script[sleep] = lambda: looks.append(reads(server))
    pool.clock.script[3] = lambda: pool.busy(rows[0]["sid"], 0)
    assert pool.drain(rows[0]["phone_number"], "--wait").code == 0
    assert looks[1] - looks[0] == 1


def test_an_outage_while_it_waits(remote: Cli, server: Served) -> None:
    pool = Pool(remote, 3)
    pool.busy(pool.numbers[0], 1)

    def outage() -> None:
        server.policies.faults = FaultPlan(script=[Scripted("503", times=None)])

    pool.clock.script[1] = outage
    ran = pool.drain(*pool.numbers, "--wait", "--remove", "--yes", "--retries", "1")
    assert (ran.code, ran.error["kind"]) == (7, "server")
    assert (ran.actions, codes(ran)) == (["reserved", "removed", "removed"], [7, None, None])
    server.policies.faults = None
    pool.busy(pool.numbers[0], 0)
    assert pool.drain(pool.numbers[0], "--wait", "--remove", "--yes").actions == ["removed"]


def test_credentials_revoked_while_it_waits(remote: Cli, server: Served) -> None:
    pool = Pool(remote, 1)
    pool.busy(pool.numbers[0], 1)

    def revoke() -> None:
        server.policies.faults = FaultPlan(script=[Scripted("401", times=None)])

    pool.clock.script[1] = revoke
    ran = pool.drain(pool.numbers[0], "--wait")
    assert (ran.code, ran.actions, codes(ran)) == (3, ["reserved"], [3])
