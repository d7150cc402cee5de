"""What commands ask about the account: each question once (a run asks again with its lock), about the Services that
were meant, and no longer than the run needs the answer.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from proxyctl.sandbox.server.faults import FaultPlan, Scripted
from tests.commands.pool_support import fill, messaging_service, numbers_of, pool_file
from tests.sandbox.serving import Served
from tests.support import Cli, case

READING = [
    "service list",
    "service show south",
    "number list north south east",
    "number list --all",
    "number list --unassigned",
    "number show north +1",
    "number find +1 +2 +3",
    "pool status north south",
    "pool status --all",
    "pool export --all",
    "pool audit --all",
    "pool audit north south",
    "pool plan FILE",
]
WRITING = ["number move +1 --from north --to south", "number remove KS +1 +2", "pool apply FILE"]


@pytest.fixture
def account(remote: Cli, tmp_path: Path) -> tuple[Cli, dict[str, str]]:
    """Three pools, and a pool file that lets a number move, one come, and one that a Messaging Service has."""
    rows = [row["phone_number"] for row in remote.seed(8)]
    fill(remote, "north", rows[:3])
    fill(remote, "south", rows[3:4])
    fill(remote, "east", [rows[7]])
    sender = remote.ok("api", "GET", "/v1/Services").json  # the account's Services, to know one's SID
    north = next(each["sid"] for each in sender["services"] if each["unique_name"] == "north")
    listed = remote.ok("number", "list", "--unassigned", "-o", "json").json
    messaging_service(remote, listed[0]["sid"])
    wanted = {"reserved": [*rows[3:5], rows[5], rows[0]]}
    file = pool_file(tmp_path, {"north": {"numbers": {"reserved": rows[1:3]}}, "south": {"numbers": wanted}})
    return remote, {"FILE": file, "KS": north, "+1": rows[0], "+2": rows[1], "+3": rows[6]}


def reads(server: Served) -> Counter[str]:
    return Counter(entry.path for entry in server.ledger.entries if entry.method == "GET")


def repeated(server: Served) -> dict[str, int]:
    """What was read more than once; of the account's numbers, a list is filtered by one number each."""
    return {
        path: count
        for path, count in reads(server).items()
        if count > (3 if path.endswith("IncomingPhoneNumbers.json") else 1)
    }


def test_a_reading_command_reads_nothing_twice_and_changes_nothing(
    account: tuple[Cli, dict[str, str]], server: Served
) -> None:
    cli, names = account
    runs = cli.ok("history", "list").out
    for line in READING:
        with case(line):
            server.ledger.clear()
            ran = cli(*(names.get(word, word) for word in line.split()))
            assert ran.code in (0, 6, 8), ran.err
            assert repeated(server) == {}
            assert {entry.method for entry in server.ledger.entries} == {"GET"}
    assert cli.ok("history", "list").out == runs


@pytest.mark.parametrize("line", WRITING)
def test_a_run_asks_nothing_twice_under_its_lock(
    account: tuple[Cli, dict[str, str]], server: Served, line: str
) -> None:
    """Which Services are meant is asked before, to know what to lock."""
    cli, names = account
    server.ledger.clear()
    ran = cli(*(names.get(word, word) for word in line.split()), "--yes")
    assert ran.code in (0, 6), ran.err
    before = {path: count for path, count in repeated(server).items() if path.startswith("/v1/Services")}
    assert before in ({}, {"/v1/Services": 2})


def test_many_numbers_that_leave_a_service_given_by_sid_cost_no_read_each(
    account: tuple[Cli, dict[str, str]], server: Served
) -> None:
    cli, names = account
    numbers = list(numbers_of(cli, "north"))
    server.ledger.clear()
    cli.ok("number", "remove", names["KS"], *numbers, "--yes")
    assert reads(server)[f"/v1/Services/{names['KS']}"] <= 1


# Which Services are meant


MANY = ["number list", "pool status", "pool export", "pool audit"]


@pytest.mark.parametrize("command", MANY)
def test_without_a_service_nothing_is_sent(remote: Cli, server: Served, command: str) -> None:
    remote.ok("service", "create", "a", "-q")
    server.ledger.clear()
    for services in ((), ("a", "--all")):
        ran = remote(*command.split(), *services)
        assert (ran.code, ran.out) == (2, "") and "--all" in ran.err
    assert server.ledger.entries == []
    missing = remote(*command.split(), "a", "nope")
    assert (missing.code, missing.out) == (4, "") and "nope" in missing.err


@pytest.mark.parametrize("command", [*MANY[1:], "number list --unassigned"])
def test_a_service_that_is_deleted_meanwhile_is_left_out_unless_it_was_named(
    remote: Cli, server: Served, command: str
) -> None:
    sid = {name: remote.ok("service", "create", name, "-o", "ids").lines[0] for name in "abc"}

    def delete() -> None:
        server.policies.faults = None
        remote.ok("service", "delete", "b", "--yes", "--no-history")

    read = Scripted(method="GET", path=f"{sid['b']}/PhoneNumbers", action=delete)
    server.policies.faults = FaultPlan(script=[read])
    every = () if "unassigned" in command else ("--all",)
    ran = remote(*command.split(), *every)
    assert ran.code in (0, 8), ran.err
    if every:
        assert sid["a"] in ran.out and sid["c"] in ran.out and sid["b"] not in ran.out
        server.policies.faults = FaultPlan(script=[Scripted("404", "GET", f"{sid['c']}/PhoneNumbers")])
        assert remote(*command.split(), "a", "c").code == 4


# What is not Proxy's


@pytest.mark.parametrize("line", [*WRITING, "pool apply JOINING", "pool plan JOINING", "history undo RUN"])
def test_a_messaging_api_that_hangs_ends_a_run_before_it_begins_and_one_that_is_closed_does_not(
    account: tuple[Cli, dict[str, str]],
    server: Served,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    line: str,
) -> None:
    cli, names = account
    monkeypatch.setattr("proxyctl.pools.facts.COURTESY", 0.3)
    joining = {"south": {"numbers": {"reserved": [*numbers_of(cli, "south"), names["+3"]]}}}
    names["JOINING"] = pool_file(tmp_path, joining, "joining.toml")
    if "undo" in line:
        cli.ok("number", "remove", "north", names["+1"], "--yes")
        names["RUN"] = cli.ok("history", "list", "-o", "json").json[0]["id"]
    command = (*(names.get(word, word) for word in line.split()), *([] if "plan" in line else ["--yes"]))
    what = "whether numbers are in a Messaging Service"
    server.policies.faults = FaultPlan(script=[Scripted("timeout", path="/messaging/", times=None)])
    server.ledger.clear()
    ran = cli(*command)
    assert (ran.code, f"{what} can't be read: no response within 0.3 s" in ran.err) == (7, True), ran.err
    assert {entry.method for entry in server.ledger.entries} == {"GET"}
    server.policies.faults = FaultPlan(script=[Scripted("403", path="/messaging/", times=None)])
    ran = cli(*command)
    if "number move" in line:  # it could end in no pool
        assert (ran.code, "--allow leave-messaging permits it" in ran.err) == (5, True), ran.err
        assert {entry.method for entry in server.ledger.entries} == {"GET"}
        ran = cli(*command, "--allow", "leave-messaging")
    assert (ran.code in (0, 6), ran.err.count(f"{what} is unknown: ")) == (True, 1), ran.err


# Webhooks


@pytest.mark.parametrize(("count", "owns", "most"), [(50, 60, 50), (51, 60, 1), (51, 1001, 2)])
@pytest.mark.parametrize(
    "line", ["number add a -f FILE", "number reserve a --add -f FILE", "pool apply POOL"]
)
def test_what_the_webhooks_of_numbers_that_join_cost(
    remote: Cli, server: Served, tmp_path: Path, line: str, count: int, owns: int, most: int
) -> None:
    """A request each, or the account's list."""
    given = [row["phone_number"] for row in remote.seed(owns)][-count:]
    remote.ok("service", "create", "a", "-o", "ids")
    file = tmp_path / "numbers.txt"
    file.write_text("\n".join(given))
    names = {
        "FILE": str(file),
        "POOL": pool_file(tmp_path, {"a": {"numbers": {"reserved": given}}}),
    }
    server.ledger.clear()
    ran = remote.ok(*(names.get(word, word) for word in line.split()), "--dry-run", "-o", "jsonl")
    assert len(ran.lines) == count
    asked = sum(n for path, n in reads(server).items() if "/IncomingPhoneNumbers" in path)
    assert asked == most, reads(server)


@pytest.mark.parametrize("count", [1, 12])  # the pool asked for one by one, and as a whole
def test_one_number_that_still_points_at_proxy_is_enough(remote: Cli, server: Served, count: int) -> None:
    """In any order one after another; what earlier runs pointed away is asked for side by side."""
    rows = [row["phone_number"] for row in remote.seed(3 * count)]
    remote.ok("service", "create", "a", "-q")
    remote.ok("number", "add", "a", *rows, "-q", "--concurrency", "1")  # in this order
    line = ("number", "webhooks", "a", "--voice-url", "https://example.com/own", "--yes")
    for first, code, most in ((0, 0, 2), (count, 0, 2 + count), (2 * count, 5, 2 * count)):
        given = rows[first : first + count]
        server.ledger.clear()
        ran = remote(*line, *given)
        assert ran.code == code, ran.err
        asked = sum(n for path, n in reads(server).items() if "/IncomingPhoneNumbers/" in path)
        assert asked <= most, reads(server)
