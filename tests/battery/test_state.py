"""The pool is not what the command expects, or changes meanwhile: truthful rows, and the exit codes for them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from proxyctl.sandbox.server.faults import Scripted
from tests.battery.scene import DONE, EMPTYING, Scene, scene
from tests.contract.account import Account
from tests.contract.verbs import VERBS

ONE_BY_ONE = ("--concurrency", "1")  # or others would go on while another actor is at work


def test_somebody_adds_them_and_answers_are_lost(stage: Scene) -> None:
    """The updates that 80104 calls for fail now and then like any other write."""
    stage.act_before_the_first_write(lambda: stage.fill(stage.numbers[20:], reserved=False))
    stage.script(
        Scripted("500", "POST", path=r"/PN", times=3),
        Scripted("reset-after", "POST", path=r"/PN", first=5, times=3),
        Scripted("429", "POST", path=r"/PN", first=12, times=3),
    )
    ran = stage.ok(*stage.add())
    assert set(ran.counts) <= {"reserved", "added"}
    stage.keeps_its_promises(stage.add(), stage.everything())


@pytest.mark.parametrize("fault", ["401", "403"])
def test_reading_is_allowed_and_writing_is_not(stage: Scene, fault: str) -> None:
    """What was under way at the first refusal may be refused too; nothing more is sent."""
    stage.script(Scripted(fault, "POST", times=None))
    ran = stage.run(*stage.add())
    assert ran.code == 3
    assert set(ran.counts) == {"failed", "skipped"}
    assert len(stage.writes) <= 4
    stage.keeps_its_promises(stage.add(), stage.everything())


@pytest.mark.parametrize("verb", ["add", "reserve", "remove"])
@pytest.mark.parametrize("status", [404, 400])
def test_the_service_is_deleted_midway(stage: Scene, verb: str, status: int) -> None:
    """The API answers a missing Service and a missing number alike: one GET tells them apart."""
    stage.front.sandbox.rules = replace(stage.front.sandbox.rules, not_found_status=status)
    command = stage.command(verb, "--concurrency", "5")
    stage.script(
        Scripted(
            method="DELETE" if verb == "remove" else "POST",
            first=15,
            action=lambda: stage.other("DELETE", f"/v1/Services/{stage.service}"),
        )
    )
    ran = stage.run(*command)
    assert ran.code == 6
    told = ran.counts
    assert told[DONE[verb]] >= 10
    assert 1 <= told["failed"] <= 5
    assert told["skipped"] >= 1
    assert stage.service in ran.err
    sent = len(stage.writes)
    again = stage.run(*command)
    assert again.code == 4
    assert "proxyctl service list" in again.err
    assert len(stage.writes) == sent
    stage.did_nothing_twice()
    stage.left_no_trace()


def test_a_service_that_a_pool_file_names_vanishes_midway(tmp_path: Path) -> None:
    """The run stops, and the next one makes the Service anew."""
    with scene(tmp_path, 32) as stage:
        verb = VERBS["pool apply"]
        account = Account(stage, replace(verb, line=f"{verb.line} --allow new-service"), width=4)
        other = account.services()["other"]
        stage.script(
            Scripted(method="POST", first=6, action=lambda: stage.other("DELETE", f"/v1/Services/{other}"))
        )
        assert account.run().code in (0, 6)
        stage.heal()
        assert account.run().code == 0
        account.is_done()
        account.sends_no_more()


def test_others_add_and_remove_midway(stage: Scene) -> None:
    """Reserving 30 while somebody removes five of them and adds the other ten."""
    members, others = stage.numbers[:30], stage.numbers[30:]
    stage.fill(members, reserved=False)

    def meddle() -> None:
        for row in members[-5:]:
            stage.other("DELETE", f"{stage.path}/{row['sid']}")
        for row in others:
            stage.other("POST", stage.path, Sid=row["sid"])

    stage.script(Scripted(method="POST", first=5, action=meddle))
    command = ("number", "reserve", stage.service, "-f", stage.file(members), *EMPTYING, *ONE_BY_ONE)
    ran = stage.run(*command)
    assert ran.code == 6
    assert ran.counts == {"reserved": 25, "failed": 5}
    assert {row["error"]["exit_code"] for row in ran.rows if row["error"]} == {4}
    assert "no longer in the pool" in ran.err
    wanted = {row["sid"]: True for row in members} | {row["sid"]: False for row in others}
    stage.keeps_its_promises((*command, "--add"), wanted)


@pytest.mark.parametrize("options", [["--allow", "in-use"], []])
def test_one_number_gets_busy_after_the_look(stage: Scene, options: list[str]) -> None:
    stage.fill(stage.numbers, reserved=True)
    sid = stage.numbers[0]["sid"]
    stage.script(Scripted(method="DELETE", action=lambda: stage.store.set_in_use(sid, 1)))
    ran = stage.run("number", "remove", stage.service, sid, "--yes", *options)
    assert ran.code == 5
    assert ran.rows[0]["error"]["code"] == 80611
    assert "number drain" in ran.err
    stage.store.set_in_use(sid, 0)
    stage.keeps_its_promises(stage.verb("remove", "--yes"), {})
