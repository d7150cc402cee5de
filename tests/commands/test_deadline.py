"""--deadline counts from the start of the command, whatever it waits for: reads, another run's lock, its changes."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from proxyctl.sandbox.behaviour import ACCOUNT_SID
from proxyctl.sandbox.server.faults import FaultPlan, Scripted
from proxyctl.state.lock import hold
from tests.sandbox.serving import Served
from tests.support import Cli, StandingClock, case


@pytest.fixture
def numbers(remote: Cli) -> list[str]:
    """Numbers of the account, and a Service ``masking``; time passes by sleeping only."""
    seeded = remote.seed(3)
    remote.ok("service", "create", "masking")
    remote.clock = StandingClock()
    return [row["phone_number"] for row in seeded]


def slept(remote: Cli) -> float:
    clock = remote.clock
    assert isinstance(clock, StandingClock)
    return sum(clock.slept)


def fail(server: Served, fault: str, method: str, first: int = 1) -> None:
    server.policies.faults = FaultPlan(script=[Scripted(fault, method, first=first, times=None)])


def test_a_read_that_never_works_ends_at_the_deadline(
    remote: Cli, server: Served, numbers: list[str]
) -> None:
    server.ledger.clear()
    lines = [("add",), ("reserve", "--add"), ("drain",), ("remove", "--yes")]
    for verb, fault, first in itertools.product(lines, ["429", "503", "reset"], [1, 2]):
        with case(verb, fault, first):
            remote.clock = StandingClock()
            fail(server, fault, "GET", first)
            line = ("number", verb[0], "masking", *numbers, *verb[1:])
            ran = remote(*line, "--deadline", "9s", "--retries", "50", "-o", "json")
            assert (ran.code, ran.error["kind"]) == (7, "deadline"), ran.err
            assert "the deadline of 9 s was reached (last error: " in ran.error["message"]
            assert slept(remote) <= 9
            assert all(entry.method == "GET" for entry in server.ledger.entries)


def test_what_the_reads_took_is_gone_for_the_changes(remote: Cli, server: Served, numbers: list[str]) -> None:
    """The Service is found after a pause of 4 s; the adds, turned away for ever, get what is left of 6."""
    server.policies.retry_after = "4"
    server.policies.faults = FaultPlan(
        script=[Scripted("429", "GET", times=1), Scripted("429", "POST", times=None)]
    )
    ran = remote("number", "add", "masking", *numbers, "--deadline", "6s", "-o", "jsonl")
    assert (ran.code, ran.error["kind"]) == (7, "deadline"), ran.err
    assert "the deadline of 6 s was reached" in ran.error["message"]
    assert [row["action"] for row in ran.rows] == ["skipped"] * 3
    assert 4 <= slept(remote) <= 6.1


def test_without_a_fault_the_deadline_is_not_noticed(remote: Cli, numbers: list[str]) -> None:
    ran = remote.ok("number", "add", "masking", *numbers, "--deadline", "9s", "-o", "jsonl")
    assert [row["action"] for row in ran.rows] == ["added"] * 3
    assert not re.search("deadline", ran.err)


def test_a_lock_is_not_waited_for_longer(
    remote: Cli, server: Served, numbers: list[str], tmp_path: Path
) -> None:
    service = remote.ok("service", "show", "masking", "-o", "ids").lines[0]
    with hold(tmp_path / "state" / "locks", ACCOUNT_SID, [service], "a test"):
        ran = remote(
            "number", "add", service, *numbers, "--lock-wait", "10m", "--deadline", "3s", "-o", "json"
        )
    assert ran.code == 7
    assert slept(remote) <= 3.1
    assert not [entry for entry in server.ledger.entries if "PhoneNumbers" in entry.path]
