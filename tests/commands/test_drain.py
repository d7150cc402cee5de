"""`number drain`: reserve, wait without a lock, remove what becomes idle; and a true report however it ends."""

from __future__ import annotations

import signal
from contextlib import ExitStack
from pathlib import Path

import pytest

from proxyctl.clock import Signalled
from proxyctl.sandbox.behaviour import ACCOUNT_SID
from proxyctl.state.lock import hold
from tests.commands.drain_support import Pool, codes
from tests.support import Cli, Ran


@pytest.fixture
def pool(cli: Cli) -> Pool:
    return Pool(cli, 3)


def test_waits_two_seconds_doubling_to_thirty(pool: Pool) -> None:
    pool.busy(pool.numbers[0], 1)
    pool.at(7, pool.numbers[0], 0)
    ran = pool.drain(*pool.numbers, "--wait")
    assert (ran.code, ran.actions) == (0, ["reserved"] * 3)
    assert pool.clock.slept == [2, 4, 8, 16, 30, 30, 30]
    assert ran.err.count("waiting: 1 number in use by 1 Session.") == 1, (
        "a line where something changed, no more"
    )
    assert "in 2m00s" in ran.err
    assert "/s" not in ran.err, "a rate over hours of waiting says nothing"


def test_says_how_it_goes(pool: Pool) -> None:
    pool.busy(pool.numbers[0], 3)
    pool.at(1, pool.numbers[0], 1)
    pool.at(3, pool.numbers[0], 0)
    ran = pool.drain(*pool.numbers, "--wait")
    told = [line for line in ran.err.splitlines() if line.startswith("waiting")]
    assert told == ["waiting: 1 number in use by 3 Sessions.", "waiting: 1 number in use by 1 Session."]
    assert pool.drain(*pool.numbers, "--wait", "--quiet").err == ""


def test_removes_at_the_end(pool: Pool) -> None:
    pool.busy(pool.numbers[1], 4)
    pool.at(2, pool.numbers[1], 0)
    ran = pool.drain(*pool.numbers, "--wait", "--remove", "--yes")
    assert (ran.code, ran.actions) == (0, ["removed"] * 3)
    assert "removed 3, failed 0 in 6.0s" in ran.err
    assert pool.state() == {}


def test_removes_what_becomes_idle_and_a_deadline_ends_only_the_rest(pool: Pool, tmp_path: Path) -> None:
    """Each round has its lock, all have one record, and one saved file has what left."""
    first, second, third = pool.numbers
    failed = tmp_path / "failed.txt"
    seen: list[set[str]] = []
    pool.busy(first, 1)
    pool.busy(second, 2)
    pool.at(2, second, 0)
    for sleep in (1, 3):
        pool.clock.script[sleep] = lambda: seen.append(set(pool.state()))
    ran = pool.drain(
        *pool.numbers, "--wait", "--remove", "--yes", "--deadline", "20s", "--failed-to", str(failed)
    )
    assert seen == [{first, second}, {first}], "it does not wait for the last to remove the first"
    assert (ran.code, ran.actions, codes(ran)) == (7, ["reserved", "removed", "removed"], [7, None, None])
    message = ran.rows[0]["error"]["message"]
    assert "still in use by 1 Session" in message and "the deadline of 20 s was reached" in message
    assert "removed 2, reserved 1, failed 0" in ran.err
    assert failed.read_text().split()[:2] == [first, "#"]
    assert pool.state() == {first: True}

    run = pool.history()[0]
    assert (run["exit_code"], run["changed"]) == (7, 3)
    items = pool.cli.ok("history", "show", run["id"], "-o", "json").json
    assert [item["action"] for item in items] == ["reserve"] * 3 + ["remove"] * 2
    assert {item["before"]["is_reserved"] for item in items[3:]} == {True}
    (saved,) = (pool.cli.directory / "state" / "saved").glob("*.toml")
    assert {number for number in pool.numbers if number in saved.read_text()} == {second, third}

    pool.busy(first, 0)
    assert pool.cli.ok("history", "undo", run["id"], "--yes").code == 0
    assert pool.state() == dict.fromkeys(pool.numbers, False), "as the run found them"


def test_busy_again_when_it_is_to_be_removed(either: Cli) -> None:
    """Between the read that found it idle and its removal: the pool is read anew, and it is waited for again."""
    pool = Pool(either, 2)
    pool.busy(pool.numbers[0], 1)
    held = ExitStack()
    locks = pool.cli.directory / "state" / "locks"

    def idle() -> None:
        pool.busy(pool.numbers[0], 0)
        held.enter_context(hold(locks, ACCOUNT_SID, [pool.service], "another run"))
        pool.clock.script[2] = begin  # while the removal waits for the lock

    def begin() -> None:
        pool.busy(pool.numbers[0], 5)
        held.close()

    pool.clock.script[1] = idle
    pool.at(3, pool.numbers[0], 0)
    ran = pool.drain(*pool.numbers, "--wait", "--remove", "--yes", "--lock-wait", "30s")
    assert (ran.code, ran.actions) == (0, ["removed"] * 2)
    assert "in use by 5 Sessions" in ran.err
    assert pool.state() == {}


def test_deadline_without_remove_fails_only_what_is_in_use(pool: Pool) -> None:
    pool.busy(pool.numbers[2], 1)
    ran = pool.drain(*pool.numbers, "--wait", "--deadline", "5s")
    assert (ran.code, codes(ran)) == (7, [None, None, 7])
    ran = pool.drain(pool.numbers[2], "--wait", "--deadline", "5s")
    assert (ran.code, ran.error["kind"]) == (7, "deadline")
    assert pool.numbers[2] in ran.error["message"]


def test_deadline_that_is_over_at_the_start(pool: Pool) -> None:
    ran = pool.drain(*pool.numbers, "--wait", "--remove", "--yes", "--deadline", "0s")
    assert (ran.code, ran.actions) == (7, ["skipped"] * 3)
    assert "deadline of 0 s" in ran.err
    assert set(pool.state().values()) == {False}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_while_waiting(pool: Pool, number: signal.Signals) -> None:
    def hit() -> None:
        raise Signalled(number)

    pool.busy(pool.numbers[0], 7)
    pool.clock.script[2] = hit
    ran = pool.drain(*pool.numbers, "--wait", "--remove", "--yes")
    assert (ran.code, ran.error["exit_code"]) == (128 + number, 128 + number)
    assert ran.actions == ["reserved", "removed", "removed"]
    assert codes(ran) == [7, None, None], "what is left can go on; the run's own code is the signal's"
    assert "un the same command again" in ran.error["hint"]
    assert pool.state() == {pool.numbers[0]: True}


def test_holds_no_lock_while_it_waits(pool: Pool) -> None:
    others: list[Ran] = []

    def other() -> None:
        for number in pool.numbers[:2]:
            pool.busy(number, 0)
        others.append(pool.cli("number", "remove", "masking", pool.numbers[1], "--yes", "-o", "jsonl"))

    for number in pool.numbers[:2]:
        pool.busy(number, 1)
    pool.clock.script[1] = other
    ran = pool.drain(*pool.numbers, "--wait", "--remove", "--yes")
    assert (others[0].code, others[0].actions) == (0, ["removed"])
    assert ran.code == 0
    assert ran.actions == ["removed", "reserved", "removed"], "the second left the pool by another's hand"
    assert pool.state() == {}


def test_lock_held_when_it_is_to_be_removed(pool: Pool) -> None:
    """While others are in use it is tried again later; at the end, another's lock ends the run."""
    first, second, _ = pool.numbers
    held = ExitStack()
    locks = pool.cli.directory / "state" / "locks"

    def taken() -> None:
        held.enter_context(hold(locks, ACCOUNT_SID, [pool.service], "another run"))
        pool.busy(second, 0)

    pool.busy(first, 1)
    pool.busy(second, 1)
    pool.clock.script[1] = taken
    pool.at(2, first, 0)
    ran = pool.drain(*pool.numbers, "--wait", "--remove", "--yes")
    assert len(pool.clock.slept) == 2
    held.close()
    assert (ran.code, ran.error["kind"]) == (7, "locked")
    assert ran.actions == ["reserved", "reserved", "removed"], "what was done is told all the same"
    assert codes(ran) == [7, 7, None]
    assert pool.drain(*pool.numbers, "--wait", "--remove", "--yes").actions == [
        "removed",
        "removed",
        "unchanged",
    ]


def test_released_by_somebody_meanwhile(pool: Pool) -> None:
    pool.busy(pool.numbers[0], 1)
    pool.clock.script[1] = lambda: pool.cli.ok("number", "release", "masking", pool.numbers[0])
    ran = pool.drain(*pool.numbers, "--wait", "--remove", "--yes")
    assert (ran.code, ran.actions, codes(ran)) == (6, ["failed", "removed", "removed"], [5, None, None])
    assert "was released by somebody else" in ran.err
    assert pool.state() == {pool.numbers[0]: False}


ALL = ("--allow", "no-unreserved")


def test_moved_to_another_pool_meanwhile(pool: Pool) -> None:
    """It is not what was asked for, however idle the number is there: the new pool may be another job's."""
    first = pool.numbers[0]

    def moved() -> None:
        pool.busy(first, 0)
        pool.cli.ok("service", "create", "other")
        pool.cli.ok("number", "move", first, "--from", "masking", "--to", "other", *ALL, "--yes")

    pool.busy(first, 1)
    pool.clock.script[1] = moved
    ran = pool.drain(*pool.numbers, "--wait", "--remove", *ALL, "--yes")
    assert (ran.code, ran.actions, codes(ran)) == (6, ["failed", "removed", "removed"], [5, None, None])
    assert f"'proxyctl number drain other {first} --remove'" in ran.err


def test_service_deleted_while_waiting(pool: Pool) -> None:
    pool.busy(pool.numbers[0], 1)
    pool.clock.script[1] = lambda: pool.cli.ok("service", "delete", "masking", "--yes", "--allow", "in-use")
    ran = pool.drain(*pool.numbers, "--wait", "--remove", "--yes")
    assert ran.code == 6
    assert ran.actions == ["reserved", "removed", "removed"]
    assert codes(ran) == [4, None, None]
    assert "Traceback" not in ran.err


def test_asks_once_and_only_where_something_leaves(pool: Pool) -> None:
    ran = pool.drain(*pool.numbers, "--remove")
    assert ran.code == 2
    assert "--yes" in ran.error["hint"]
    assert set(pool.state().values()) == {False}, "nothing was sent"
    ran = pool.drain(*pool.numbers, "--remove", stdin="n\n", tty=True)
    assert ran.code == 2
    pool.busy(pool.numbers[0], 1)
    pool.at(1, pool.numbers[0], 0)
    ran = pool.drain(*pool.numbers[:2], "--wait", "--remove", stdin="y\n", tty=True)
    assert ran.code == 0
    assert ran.err.count("[y/N]") == 1
    assert "2 numbers from" in ran.err
    assert pool.drain(pool.numbers[2], "--wait").code == 0, "without --remove nothing is asked"


def test_one_number_named_twice_counts_once(pool: Pool) -> None:
    pool.busy(pool.numbers[0], 2)
    pool.at(1, pool.numbers[0], 0)
    ran = pool.drain(pool.numbers[0], pool.sids[0], "--wait", "--remove", "--yes")
    assert (ran.code, ran.actions) == (0, ["removed", "unchanged"])
    assert "1 number in use by 2 Sessions" in ran.err
    assert "Remove 1 number from masking" in ran.err
