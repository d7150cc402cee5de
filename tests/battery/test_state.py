"""The pool is not what the command expects, or changes meanwhile: truthful rows, and the exit codes for them."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from proxyctl.sandbox.context import ApiError, Request, Response, problem
from proxyctl.sandbox.server.faults import Scripted
from proxyctl.sandbox.world.seed import seed_numbers
from tests.battery.scene import DONE, Scene, scene
from tests.contract.account import Account
from tests.contract.verbs import VERBS
from tests.support import Ran

ONE_BY_ONE = ("--concurrency", "1")  # or others would go on while another actor is at work


def codes(ran: Ran) -> set[int | None]:
    """The codes of Twilio's in the rows that are not as wanted."""
    return {row["error"]["code"] for row in ran.rows if row["error"]}


# Already there


def test_some_are_there_already(stage: Scene) -> None:
    """Reserved ones stay, unreserved ones are reserved, the others are added."""
    stage.fill(stage.numbers[:10], reserved=True)
    stage.fill(stage.numbers[10:20], reserved=False)
    ran = stage.run(*stage.add())
    assert ran.code == 0, ran.err
    assert ran.counts == {"unchanged": 10, "reserved": 10, "added": 20}
    assert len(stage.writes) == 30
    stage.keeps_its_promises(stage.add(), stage.everything())


@pytest.mark.parametrize("reserved", [True, False])
def test_somebody_adds_them_after_the_look(stage: Scene, reserved: bool) -> None:
    """80104 at first: a number with the same flag is unchanged, one with another is updated."""
    early = stage.numbers[20:25]
    stage.script(Scripted(method="POST", action=lambda: stage.fill(early, reserved=reserved)))
    ran = stage.run(*stage.add(*ONE_BY_ONE))
    assert ran.code == 0, ran.err
    assert ran.counts == {"unchanged" if reserved else "reserved": 5, "added": 35}
    assert all(row["is_reserved"] is True for row in ran.rows)
    stage.keeps_its_promises(stage.add(*ONE_BY_ONE), stage.everything())


def test_somebody_adds_them_and_answers_are_lost(stage: Scene) -> None:
    """The updates that 80104 calls for fail now and then like any other write."""
    stage.script(
        Scripted(method="POST", action=lambda: stage.fill(stage.numbers[20:], reserved=False)),
        Scripted("500", "POST", path=r"/PN", times=3),
        Scripted("reset-after", "POST", path=r"/PN", first=5, times=3),
        Scripted("429", "POST", path=r"/PN", first=12, times=3),
    )
    ran = stage.run(*stage.add())
    assert ran.code == 0, ran.err
    assert set(ran.counts) <= {"reserved", "added"}
    stage.keeps_its_promises(stage.add(), stage.everything())


@pytest.mark.parametrize("code", [80101, 80104, 80601])
def test_another_pool_has_some(stage: Scene, code: int) -> None:
    """Sources differ on the code; whichever it is, the number fails, and nothing else does."""
    other = stage.new_service("other")
    stage.fill(stage.numbers[:3], reserved=False, service=other)
    held = {row["phone_number"] for row in stage.numbers[:3]}

    def answer(request: Request) -> Response | None:
        asked = dict(request.form).get("PhoneNumber")
        return problem(ApiError(code)) if request.path == stage.path and asked in held else None

    stage.front.answer = answer
    ran = stage.run(*stage.add())
    assert ran.code == 6
    assert ran.counts == {"added": 37, "failed": 3}
    assert codes(ran) == {code}
    assert {row["error"]["exit_code"] for row in ran.rows if row["error"]} == {5}
    assert len(stage.writes) == 40
    single = stage.run("number", "add", stage.service, stage.numbers[0]["phone_number"])
    assert single.code == 5
    assert f"proxyctl number find {stage.numbers[0]['phone_number']}" in single.err
    for row in stage.numbers[:3]:
        stage.other("DELETE", f"/v1/Services/{other}/PhoneNumbers/{row['sid']}")
    stage.keeps_its_promises(stage.add(), stage.everything())


# Limits of the pool


def test_a_pool_that_is_nearly_full(stage: Scene) -> None:
    """4,995 of 5,000, and 10 asked: refused with the counts before anything is sent."""
    filling = seed_numbers(stage.store, 4995, seed=2)
    stage.fill(filling, reserved=True)
    ten = stage.add(numbers=stage.numbers[:10])
    ran = stage.run(*ten)
    assert ran.code == 5
    assert "5005" in ran.err
    assert "4995" in ran.err
    assert "several Services" in ran.err
    assert stage.writes == []
    assert len(stage.reads) <= 51
    stage.left_no_trace()
    five = stage.add(numbers=stage.numbers[:5])
    assert stage.run(*five).code == 0
    assert len(stage.pool()) == 5000


@pytest.mark.parametrize("verb", ["add", "reserve"])
def test_the_pool_fills_up_meanwhile(stage: Scene, verb: str) -> None:
    """80622 in spite of the preflight: the rest of that kind is skipped, not tried."""
    command = stage.command(verb)
    turn = itertools.count(1)
    stage.front.answer = lambda request: (
        problem(ApiError(80622)) if request.method == "POST" and next(turn) > 10 else None
    )
    ran = stage.run(*command)
    assert ran.code == 6
    told = ran.counts
    assert told[DONE[verb]] == 10
    assert 1 <= told["failed"] <= 20
    assert told["skipped"] == 30 - told["failed"]
    assert codes(ran) == {80622}
    assert "pool full" in ran.err
    assert "several Services" in ran.err
    stage.keeps_its_promises(command, stage.everything())


# Credentials


@pytest.mark.parametrize(("fault", "words"), [("401", "not accepted"), ("403", "do not allow")])
def test_refused_at_once(stage: Scene, fault: str, words: str) -> None:
    stage.script(Scripted(fault, times=None))
    ran = stage.run(*stage.add())
    assert ran.code == 3
    assert words in ran.err
    assert len(stage.ledger.entries) == 1
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


@pytest.mark.parametrize("fault", ["401", "403"])
def test_refused_midway(stage: Scene, fault: str) -> None:
    later = Scripted(fault, "GET", "/PhoneNumbers", first=2, times=None)
    stage.script(Scripted(fault, "POST", first=20, times=None), later)
    ran = stage.run(*stage.add())
    assert ran.code == 6
    told = ran.counts
    assert told["added"] == 19
    assert 1 <= told["failed"] <= 21
    assert told["failed"] + told["skipped"] == 21
    assert [entry.sent for entry in stage.reads].count(200) == len(stage.reads)
    stage.keeps_its_promises(stage.add(), stage.everything())


# The Service, and other actors


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
        account = Account(stage, VERBS["pool apply"], width=4)
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
    command = ("number", "reserve", stage.service, "-f", stage.file(members), *ONE_BY_ONE)
    ran = stage.run(*command)
    assert ran.code == 6
    assert ran.counts == {"reserved": 25, "failed": 5}
    assert {row["error"]["exit_code"] for row in ran.rows if row["error"]} == {4}
    assert "no longer in the pool" in ran.err
    wanted = {row["sid"]: True for row in members} | {row["sid"]: False for row in others}
    stage.keeps_its_promises((*command, "--add"), wanted)


def test_others_remove_what_is_to_be_removed(stage: Scene) -> None:
    """It is as wanted, whoever did it."""
    stage.fill(stage.numbers, reserved=True)

    def meddle() -> None:
        for row in stage.numbers[-5:]:
            stage.other("DELETE", f"{stage.path}/{row['sid']}")

    stage.script(Scripted(method="DELETE", first=5, action=meddle))
    command = stage.verb("remove", "--yes", *ONE_BY_ONE)
    ran = stage.run(*command)
    assert ran.code == 0, ran.err
    assert ran.counts == {"removed": 35, "unchanged": 5}
    stage.keeps_its_promises(command, {})


# Single numbers


def test_one_number_is_in_use(stage: Scene) -> None:
    stage.fill(stage.numbers, reserved=True)
    sid = stage.numbers[0]["sid"]
    stage.store.set_in_use(sid, 3)
    ran = stage.run("number", "remove", stage.service, sid, "--yes")
    assert ran.code == 5
    assert "3 open Sessions" in ran.err
    assert "drain" in ran.err
    assert stage.writes == []
    bulk = stage.run(*stage.verb("remove", "--yes"))
    assert bulk.code == 6
    assert bulk.counts == {"removed": 39, "failed": 1}
    stage.store.set_in_use(sid, 0)
    stage.keeps_its_promises(stage.verb("remove", "--yes"), {})


@pytest.mark.parametrize("options", [["--force"], []])
def test_one_number_gets_busy_after_the_look(stage: Scene, options: list[str]) -> None:
    stage.fill(stage.numbers, reserved=True)
    sid = stage.numbers[0]["sid"]
    stage.script(Scripted(method="DELETE", action=lambda: stage.store.set_in_use(sid, 1)))
    ran = stage.run("number", "remove", stage.service, sid, "--yes", *options)
    assert ran.code == 5
    assert codes(ran) == {80611}
    assert "number drain" in ran.err
    stage.store.set_in_use(sid, 0)
    stage.keeps_its_promises(stage.verb("remove", "--yes"), {})


@pytest.mark.parametrize("name", ["sid", "phone_number"])
def test_numbers_that_the_account_does_not_have(stage: Scene, name: str) -> None:
    unknown = {"sid": "PN" + "0" * 32, "phone_number": "+15005550006"}[name]
    single = stage.run("number", "add", stage.service, unknown, "--reserved")
    assert single.code == 5
    assert codes(single) == {80301}
    ran = stage.run(
        "number", "add", stage.service, unknown, *(row[name] for row in stage.numbers), "--reserved"
    )
    assert ran.code == 6
    assert ran.counts == {"added": 40, "failed": 1}
    stage.keeps_its_promises(stage.add(), stage.everything())


@pytest.mark.parametrize("verb", ["reserve", "release"])
def test_numbers_that_are_not_in_the_pool(stage: Scene, verb: str) -> None:
    stage.fill(stage.numbers[1:], reserved=verb == "release")
    sid = stage.numbers[0]["sid"]
    single = stage.run("number", verb, stage.service, sid)
    assert single.code == 4
    ran = stage.run(*stage.verb(verb))
    assert ran.code == 6
    assert ran.counts == {"failed": 1, "reserved" if verb == "reserve" else "released": 39}
    stage.left_no_trace()
