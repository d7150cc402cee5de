"""Servers and networks that fail before or after the effect: the pool ends as wanted, nothing is done twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxyctl.sandbox.context import ApiError, problem
from proxyctl.sandbox.server.faults import FaultPlan, Scripted
from tests.battery.front import CANARY, SECRET
from tests.battery.scene import DONE, Scene, scene

BEFORE = ("500", "503", "504", "html", "reset", "close")
AFTER = (
    "500-after",
    "html-after",
    "reset-after",
    "close-after",
    "truncate",
    "empty",
    "garbage-object",
    "garbage-null",
    "garbage-list",
    "garbage-nan",
)


@pytest.mark.parametrize("fault", [*BEFORE, *AFTER])
def test_adds_that_fail_now_and_then(stage: Scene, fault: str) -> None:
    stage.draw({fault: 0.08}, seed=3)
    ran = stage.ok(*stage.add())
    assert set(ran.counts) == {"added"}
    assert stage.pool() == stage.everything()
    assert any(entry.fault == fault for entry in stage.writes), "the case did not happen"
    repeats = len(stage.writes) - len(stage.numbers)
    assert repeats == (0 if fault in AFTER else sum(entry.fault == fault for entry in stage.writes))
    stage.keeps_its_promises(stage.add(), stage.everything())


@pytest.mark.parametrize("fault", ["reset-after", "timeout-after", "timeout"])
@pytest.mark.parametrize("verb", ["add", "release", "remove"])
def test_answers_lost_on_any_request(stage: Scene, verb: str, fault: str) -> None:
    """5 % of all requests, those that look included."""
    command = stage.command(verb, "--timeout", "0.4")
    stage.draw({fault: 0.05}, seed=5, methods=("GET", "POST", "DELETE"))
    stage.ok(*command)
    assert stage.pool() == stage.wanted(verb)
    stage.keeps_its_promises(command, stage.wanted(verb))


@pytest.mark.parametrize("fault", ["503", "reset", "html"])
def test_three_in_a_row(stage: Scene, fault: str) -> None:
    """The same number fails three times: a fourth try brings it."""
    number = stage.numbers[:1]
    stage.script(Scripted(fault, "POST", times=3))
    ran = stage.ok(*stage.add(numbers=number))
    assert len(stage.writes) == 4
    assert "3 retries" in ran.err
    stage.keeps_its_promises(stage.add(numbers=number), {number[0]["sid"]: True})


@pytest.mark.parametrize("fault", ["html", "reset", "empty"])
@pytest.mark.parametrize("verb", ["add", "release", "remove"])
def test_writes_fail_for_ever(stage: Scene, verb: str, fault: str) -> None:
    """An outage gets 10 % + 10 repeats, never five times the traffic."""
    command = stage.command(verb)
    stage.policies.faults = FaultPlan({fault: 1.0}, methods=("POST", "DELETE"))
    ran = stage.run(*command)
    if fault == "empty":  # carried out all the same, as is found before anything is repeated
        assert ran.code == 0, ran.err
    else:
        assert ran.code == 7, ran.err
        assert "the same command again" in ran.err
    told = {row["sid"]: row["action"] for row in ran.rows}
    for sid in stage.everything():
        changed = stage.pool().get(sid) is stage.wanted(verb).get(sid)
        assert (told.get(sid) == DONE[verb]) == changed, "a row tells a lie"
    sent = {(entry.path, entry.form) for entry in stage.writes}
    assert len(stage.writes) - len(sent) <= 0.1 * len(stage.numbers) + 10
    stage.keeps_its_promises(command, stage.wanted(verb))


def test_an_outage_that_begins_midway(stage: Scene) -> None:
    """Neither writes nor looks work any more: the run ends, and does not send every number into the dark."""
    broken = Scripted("html-after", "POST", first=11, times=None)
    stage.script(broken, Scripted("html", "GET", "/PhoneNumbers", first=2, times=None))
    ran = stage.run(*stage.add())
    assert ran.code == 6, ran.err
    assert set(ran.counts) == {"added", "unknown", "skipped"}
    assert ran.counts["added"] == 10
    assert ran.counts["unknown"] <= 20
    stage.keeps_its_promises(stage.add(), stage.everything())


@pytest.mark.parametrize("reads", [2, 6])
@pytest.mark.parametrize("fault", ["reset-after", "500-after", "garbage-object"])
def test_new_numbers_are_seen_late(stage: Scene, fault: str, reads: int) -> None:
    """After a create that got no answer, the first looks may not see it; 80104 settles what looks can't."""
    stage.front.late = reads
    stage.draw({fault: 0.1}, seed=3)
    ran = stage.ok(*stage.add())
    assert set(ran.counts) == {"added"}
    stage.keeps_its_promises(stage.add(), stage.everything())


def test_a_message_that_repeats_the_secret(stage: Scene) -> None:
    """Whatever a server says about the credentials, they go nowhere: not to rows, errors or history."""
    told = f"no such number for {SECRET} ({CANARY})"
    stage.front.answer = lambda request: problem(ApiError(80301, told)) if request.method == "POST" else None
    ran = stage.run(*stage.add("-vv"))
    assert ran.code == 6
    assert "[redacted]" in ran.err
    stage.keeps_its_promises(stage.add(), stage.everything())


@pytest.mark.parametrize(("fault", "action"), [("html", "failed"), ("timeout", "unknown")])
def test_one_number_alone(stage: Scene, fault: str, action: str) -> None:
    """Its own code, and a message that names it: nobody knows a number by the path of a request."""
    name = stage.numbers[0]["phone_number"]
    reads = None if fault == "timeout" else 0
    stage.script(
        Scripted(fault, "POST", times=None), Scripted(fault, "GET", "/PhoneNumbers", first=2, times=reads)
    )
    command = ("number", "add", stage.service, name, "--reserved")
    ran = stage.run(*command, "--timeout", "0.1", "--retries", "1")
    assert ran.code == 7
    assert ran.error["message"].startswith(f"{name}: {action}: ")
    assert "the same command again" in ran.error["hint"]
    assert [row["action"] for row in ran.rows] == [action]
    assert len(stage.writes) <= 2
    stage.keeps_its_promises(command, {stage.numbers[0]["sid"]: True})


@pytest.mark.long
@pytest.mark.parametrize("seed", range(20))
def test_all_faults_at_once(tmp_path: Path, seed: int) -> None:
    """400 adds and releases while every tenth request goes wrong, in all the ways there are."""
    with scene(tmp_path, 400) as stage:
        faults = ["500", "503", "500-after", "reset-after", "timeout-after", "truncate", "garbage"]
        rates = {**dict.fromkeys(faults, 0.01), "429": 0.025}
        stage.draw(rates, seed=seed, methods=("GET", "POST", "DELETE"))
        stage.front.late = seed % 3
        stage.ok(*stage.add("--timeout", "0.5"))
        assert stage.pool() == stage.everything()
        stage.front.see_all()
        command = stage.verb("release", "--timeout", "0.5")
        stage.ok(*command)
        stage.keeps_its_promises(command, stage.everything(reserved=False))
