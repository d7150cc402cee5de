"""Two machines, each taking half of a pool's unreserved numbers at the same time: one stays all the same."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from proxyctl.sandbox.behaviour import ACCOUNT_SID
from proxyctl.sandbox.context import ApiError, Request, Response, problem
from tests.battery.front import Front
from tests.battery.scene import Scene, scene
from tests.battery.transit import write_pool_file
from tests.contract.verbs import OWN_URL
from tests.support import Cli, Ran

OWN = ("--voice-url", OWN_URL, "--sms-url", OWN_URL)
VERBS = {
    "add": ("number", "add", "masking", "--reserved"),
    "reserve": ("number", "reserve", "masking"),
    "drain": ("number", "drain", "masking"),
    "drain and remove": ("number", "drain", "masking", "--remove", "--yes"),
    "remove": ("number", "remove", "masking", "--yes"),
    "move": ("number", "move", "--from", "masking", "--to", "other", "--yes"),
    "webhooks": ("number", "webhooks", "masking", "--yes", *OWN),
    "apply": ("pool", "apply", "--yes"),
}
DONE = {"move": "moved", "webhooks": "updated", "remove": "removed", "drain and remove": "removed"}
MEANWHILE = "took the other unreserved numbers of masking meanwhile"


@dataclass
class Halves:
    """Eight unreserved numbers in "masking", and two machines, each with a half."""

    stage: Scene
    second: Cli
    front: Front
    other: str

    def command(self, verb: str, half: int, *options: str) -> tuple[str, ...]:
        rows = self.stage.numbers[half * 4 : half * 4 + 4]
        if verb == "apply":
            numbers = {"reserved": [row["phone_number"] for row in rows]}
            file = write_pool_file(self.stage, {"masking": {"numbers": numbers}}, f"{half}.toml")
            return (*VERBS[verb], file, *options)
        return (*VERBS[verb], "-f", self.stage.file(rows, f"{half}.csv"), *options)

    def first(self, verb: str, *options: str) -> Ran:
        return self.stage.run(*self.command(verb, 0, *options))

    def another(self, verb: str, *options: str) -> Ran:
        return self.second(*self.command(verb, 1, *options), "-o", "jsonl")

    @property
    def left(self) -> set[str]:
        """The numbers by which Proxy can reach somebody new."""
        numbers = {sid for sid, is_reserved in self.stage.pool().items() if not is_reserved}
        rows = self.stage.other("GET", f"/2010-04-01/Accounts/{ACCOUNT_SID}/IncomingPhoneNumbers.json")
        away = {row["sid"] for row in rows["incoming_phone_numbers"] if row["voice_url"] == OWN_URL}
        return numbers - away


@pytest.fixture
def halves(tmp_path: Path) -> Iterator[Halves]:
    with scene(tmp_path, 8) as stage, stage.second_machine() as (second, front):
        stage.fill(stage.numbers, reserved=False)
        stage.cli.clock = second.clock = None  # runs are in order by it
        yield Halves(stage, second, front, stage.new_service("other"))
        stage.left_no_trace()


@pytest.mark.parametrize("verb", VERBS)
def test_what_comes_between_check_and_write_leaves_one(halves: Halves, verb: str) -> None:
    """The run that sees it last puts its own last number back, and names the rule; an undo takes back the rest."""
    between: list[Ran] = []
    halves.stage.act_before_the_first_write(lambda: between.append(halves.another(verb)))
    ran = halves.first(verb)
    assert between[0].code == 0, between[0].err
    assert ran.code == 6, ran.err
    (row,) = (row for row in ran.rows if row["action"] == "failed")
    assert halves.left == {row["sid"]} == {halves.stage.numbers[3]["sid"]}
    assert MEANWHILE in row["error"]["message"] and "rule no-unreserved" in row["error"]["message"]
    assert "--allow no-unreserved permits it" in ran.err
    assert ran.counts[DONE.get(verb, "reserved")] == 3
    assert (verb == "webhooks" or row["is_reserved"] is False) and row["error"]["exit_code"] == 5
    run = halves.stage.cli.ok("history", "list", "-o", "ids", "--limit", "1").lines[0]
    again = halves.first(verb)
    assert again.code == 5 and halves.left == {row["sid"]}, again.err
    undone = halves.stage.run("history", "undo", run, "--yes")
    assert undone.code == 0, undone.err
    assert halves.left == {row["sid"] for row in halves.stage.numbers[:4]}


class InStep:
    """Two machines that wait for each other: with their first write, and with their first read after their writes."""

    def __init__(self, *fronts: Front) -> None:
        self._barriers = [threading.Barrier(len(fronts)) for _ in range(2)]
        for front in fronts:
            front.answer = self._answer()

    def _answer(self) -> Callable[[Request], Response | None]:
        steps, turn = iter(zip(("write", "read"), self._barriers, strict=True)), threading.Lock()
        waited: list[tuple[str, threading.Barrier] | None] = [next(steps)]

        def answer(request: Request) -> None:
            with turn:
                if waited[0] is not None and (request.method == "GET") is (waited[0][0] == "read"):
                    waited[0][1].wait(20)
                    waited[0] = next(steps, None)

        return answer


@pytest.mark.parametrize("verb", ["reserve", "move", "webhooks"])
def test_two_that_see_it_at_once_put_back_one_each(halves: Halves, verb: str) -> None:
    InStep(halves.stage.front, halves.front)
    others: list[Ran] = []
    thread = threading.Thread(target=lambda: others.append(halves.another(verb)))
    thread.start()
    ran = halves.first(verb)
    thread.join(30)
    assert 1 <= len(halves.left) <= 2
    assert 6 in (ran.code, others[0].code)


@pytest.mark.parametrize("verb", ["remove", "move"])
def test_what_goes_back_is_in_its_messaging_service_as_well(halves: Halves, verb: str) -> None:
    stage = halves.stage
    mg = stage.other("POST", "/messaging/v1/Services", FriendlyName="mg", UseInboundWebhookOnNumber="true")
    members = f"/messaging/v1/Services/{mg['sid']}/PhoneNumbers"
    for row in stage.numbers[:4]:
        stage.other("POST", members, PhoneNumberSid=row["sid"])
    stage.act_before_the_first_write(lambda: halves.another(verb))
    ran = halves.first(verb, "--through-messaging")
    last = stage.numbers[3]["sid"]
    assert ran.code == 6 and halves.left == {last}, ran.err
    rows = stage.other("GET", members)["phone_numbers"]
    assert {row["sid"] for row in rows} & (halves.left | set(stage.pool())) == {last}


def test_one_number_alone_ends_with_its_own_error(halves: Halves) -> None:
    first, *others = [row["sid"] for row in halves.stage.numbers]
    line = ("number", "reserve", "masking")
    halves.stage.act_before_the_first_write(lambda: halves.second(*line, *others, "--rate", "0"))
    ran = halves.stage.run(*line, first)
    assert ran.code == 5 and MEANWHILE in ran.err, ran.err
    assert halves.left == {first}


def test_where_the_rule_is_permitted_nothing_comes_back_and_nothing_is_read(halves: Halves) -> None:
    halves.stage.act_before_the_first_write(lambda: halves.another("reserve"))
    ran = halves.first("reserve", "--allow", "no-unreserved")
    assert (ran.code, halves.left) == (0, set())
    methods = [
        entry.method for entry in halves.stage.ledger.entries if entry.path.startswith("/v1/Services/KS")
    ]
    assert methods[-1] == "POST"


@pytest.mark.parametrize("verb", ["reserve", "webhooks"])
def test_the_check_is_one_request(halves: Halves, verb: str) -> None:
    """And one for the webhooks of a number that stays."""
    assert halves.first(verb).code == 0
    entries = halves.stage.ledger.entries
    last = max(place for place, entry in enumerate(entries) if entry.method == "POST")
    assert [entry.method for entry in entries[last + 1 :]] == ["GET"] * (2 if verb == "webhooks" else 1)


def test_the_next_to_last_goes_back_where_the_last_can_not(halves: Halves) -> None:
    """Another pool has it by then."""
    last = halves.stage.numbers[3]["sid"]
    halves.stage.act_before_the_first_write(lambda: halves.another("remove"))
    refuse, front = halves.stage.front.answer, halves.stage.front

    def answer(request: Request) -> Response | None:
        refuse(request)
        named = dict(request.form).get("Sid") if request.method == "POST" else None
        return problem(ApiError(80104)) if named == last else None

    front.answer = answer
    ran = halves.first("remove")
    assert ran.code == 6 and ran.counts["failed"] == 2, ran.err
    assert halves.left == {halves.stage.numbers[2]["sid"]}
    assert "could not be put back" in ran.err


def test_what_can_not_be_checked_is_said_and_the_audit_warns(halves: Halves) -> None:
    """As after a crash between the last write and the check."""
    halves.stage.act_before_the_first_write(lambda: halves.another("reserve"))
    act, wrote = halves.stage.front.answer, []

    def answer(request: Request) -> Response | None:
        act(request)
        wrote.extend([request] if request.method == "POST" else [])
        return problem(ApiError(20500)) if wrote and request.method == "GET" else None

    halves.stage.front.answer = answer
    ran = halves.first("reserve", "--retries", "0")
    assert ran.code == 0 and "whether masking still has an unreserved number was not checked" in ran.err
    halves.stage.heal()
    audit = halves.stage.run("pool", "audit", "masking")
    assert audit.code == 8 and "warning" in {row["severity"] for row in audit.rows}, audit.err
