"""Two machines: one moves numbers, the other attaches them to a Messaging Service. No number ends in no pool."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from proxyctl.sandbox.context import ApiError, Request, Response, problem
from tests.battery.front import Front
from tests.battery.live import end, start
from tests.battery.transit import VERBS, Crossing, crossing, forbidden
from tests.support import Cli, Ran


@dataclass
class Two:
    """The mover, and the machine that attaches to the Messaging Service ``mg``."""

    some: Crossing
    second: Cli
    front: Front
    mg: str
    attached: list[Ran] = field(default_factory=list)

    @property
    def senders(self) -> set[str]:
        rows = self.some.stage.other("GET", f"/messaging/v1/Services/{self.mg}/PhoneNumbers?PageSize=400")
        return {row["sid"] for row in rows["phone_numbers"]}

    def attach(self, source: str = "masking") -> None:
        file = self.some.stage.file(self.some.stage.numbers, "second.csv")
        command = ("messaging", "attach", source, "--messaging-service", self.mg, "-f", file)
        self.attached.append(self.second(*command, "--yes", "-o", "jsonl", "--rate", "0"))

    def attach_at_removal(self, count: int, source: str) -> threading.Thread:
        """Let the second machine read the pool now, as this removal arrives, and write from then on."""
        thread, reading = threading.Thread(target=self.attach, args=(source,)), threading.Event()
        removals = iter(range(1, 1000))

        def begun(request: Request) -> None:
            if request.method == "POST":
                reading.set()

        def refuse(request: Request) -> Response | None:
            if request.method == "DELETE" and "/messaging/" not in request.path and next(removals) == count:
                thread.start()
                assert reading.wait(20)
            return None

        self.front.answer, self.some.refuse = begun, refuse
        return thread


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    with crossing(tmp_path, 40) as some, some.stage.second_machine() as (second, front):
        facts = {"FriendlyName": "mg", "UseInboundWebhookOnNumber": "true"}
        mg = some.stage.other("POST", "/messaging/v1/Services", **facts)["sid"]
        yield Two(some, second, front, mg)


def finishing(ran: Ran, number: str) -> list[str]:
    """The command that a run names for a number."""
    hint = next(line for line in ran.err.splitlines() if line.startswith(number))
    return hint.partition("'proxyctl ")[2].partition("'")[0].split()


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("removal", [1, 15])
def test_numbers_that_are_attached_while_they_move_come_back(two: Two, verb: str, removal: int) -> None:
    """They go back to their pool through the Messaging Service, and the run says how to move them."""
    some = two.some
    command = some.command(verb)
    thread = two.attach_at_removal(removal, "masking")
    ran = some.stage.run(*command)
    thread.join(20)
    assert ran.code in (5, 6), ran.err
    assert some.outside == set(), ran.err
    assert some.stage.pool() | some.stage.pool(some.other) == some.flags
    moved = {row["sid"] for row in ran.rows if row["action"] == "moved"}
    assert moved == set(some.stage.pool(some.other))
    failed = [row for row in ran.rows if row["action"] == "failed"]
    assert failed and all("put back" in row["error"]["message"] for row in failed)
    assert all("Messaging Service" in row["error"]["message"] for row in failed)
    assert two.senders <= set(some.flags)
    again = some.stage.run(*command)
    assert again.code in (5, 6) and some.outside == set(), again.err
    some.refuse = lambda request: None
    if verb == "move":
        some.arrives((*command, "--through-messaging"))


def test_a_number_that_stays_in_no_pool_is_named_with_the_command_that_adds_it(two: Two) -> None:
    """The Messaging Service can't be changed either; once that has passed, the hint is true."""
    some = two.some
    command = some.command("move")
    senders = f"/messaging/v1/Services/{two.mg}/PhoneNumbers"

    def refuse(request: Request) -> Response | None:
        if some.is_add(request, some.other):
            some.stage.other("POST", senders, PhoneNumberSid=next(iter(some.outside)))
        return forbidden() if request.method == "DELETE" and request.path.startswith(senders) else None

    some.refuse = refuse
    ran = some.stage.run(*command)
    (out,) = some.outside
    (row,) = (row for row in ran.rows if row["action"] == "failed")
    assert row["sid"] == out and two.mg in row["error"]["message"]
    assert "The same command again" not in ran.err
    some.refuse = lambda request: None
    some.stage.ok(*finishing(ran, row["phone_number"]), "--yes")
    assert some.stage.pool(some.other) == {out: some.flags[out]} and two.senders == {out}


def test_a_number_that_has_left_the_messaging_service_again_comes_back(two: Two) -> None:
    """The second machine has taken it out by the time that the first reads."""
    some = two.some
    command = some.command("move")
    refused = iter(range(2))
    some.refuse = lambda request: (
        problem(ApiError(80601)) if some.is_add(request) and next(refused, None) is not None else None
    )
    ran = some.stage.run(*command)
    assert ran.code == 6 and ran.counts["failed"] == 1
    assert some.outside == set() and "put back" in ran.err
    some.arrives(command)


@pytest.mark.parametrize("verb", VERBS)
def test_what_a_stopped_run_leaves_in_no_pool_is_named_with_what_adds_it(two: Two, verb: str) -> None:
    """Nothing more is read then; the hint is true all the same, whoever has the number."""
    some = two.some
    command = some.command(verb)
    some.stage.policies.latency = 0.05
    process = start(some.stage, *command)
    senders, out = f"/messaging/v1/Services/{two.mg}/PhoneNumbers", []

    def refuse(request: Request) -> None:
        if some.is_add(request, some.other) and not out:
            out.extend(some.outside)
            some.stage.other("POST", senders, PhoneNumberSid=out[0])
            process.send_signal(signal.SIGTERM)

    some.refuse = refuse
    ran = end(some.stage, process)
    assert (ran.code, some.outside) == (143, set(out)), ran.err
    (row,) = (row for row in ran.rows if row["action"] == "failed")
    assert row["sid"] == out[0] and "is in none now" in row["error"]["message"]
    assert "same command again to add it" in ran.err and "If a Messaging Service has it" in ran.err
    some.refuse = lambda request: None
    some.stage.policies.latency = 0.0
    again = some.stage.run(*command)
    assert again.code in (5, 6) and some.outside == set(out), again.err
    some.stage.ok(*finishing(ran, row["phone_number"]), "--yes")
    assert (some.outside, two.senders) == (set(), set(out))
    some.stage.ok(*command)
    assert some.stage.pool(some.other) == some.flags


# What the second machine checks


@pytest.mark.parametrize("gone", [1, 12, 40])
def test_an_attach_takes_out_what_left_its_pool_meanwhile(two: Two, gone: int) -> None:
    """In a Messaging Service, no pool would take it; a number that another pool has stays in."""
    some = two.some
    some.fill(some.stage.service)
    leaving = [row["sid"] for row in some.stage.numbers[:gone]]
    moved = some.stage.numbers[-1]["sid"] if gone < 40 else None

    def leave() -> None:
        for sid in (*leaving, *([moved] if moved else [])):
            some.stage.other("DELETE", f"{some.stage.path}/{sid}")
        if moved:
            some.stage.other("POST", f"/v1/Services/{some.other}/PhoneNumbers", Sid=moved)

    some.stage.act_before_the_first_write(leave)
    file = some.stage.file(some.stage.numbers)
    command = ("messaging", "attach", "masking", "--messaging-service", two.mg, "-f", file, "--yes")
    ran = some.stage.run(*command)
    assert ran.code == 6, ran.err
    assert {row["sid"] for row in ran.rows if row["action"] == "failed"} == set(leaving)
    assert ran.counts["added"] == 40 - gone
    assert two.senders == set(some.flags) - set(leaving)
    assert "taken out of Messaging Service" in ran.err


def test_an_attach_to_a_service_that_is_deleted_meanwhile(two: Two) -> None:
    some = two.some
    some.fill(some.stage.service)
    some.stage.act_before_the_first_write(
        lambda: some.stage.other("DELETE", f"/v1/Services/{some.stage.service}")
    )
    some.stage.run("messaging", "attach", "masking", "--messaging-service", two.mg, "--yes")
    assert two.senders == set()
