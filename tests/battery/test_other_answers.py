"""Answers about something else than what was asked: no row tells what did not happen, nothing else is destroyed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from proxyctl.sandbox.context import ApiError, Request, Response, problem
from tests.battery.scene import DONE, EMPTYING, Scene

ONE_BY_ONE = ("--rate", "0", "--concurrency", "1")


def answer(body: Any, status: int = 200) -> Response:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, [("Content-Type", "application/json")], data)


class Once:
    """The first write whose path ends so is answered by ``reply``; with ``effect`` it is carried out all the same."""

    def __init__(
        self, stage: Scene, method: str, path: str, reply: Callable[[], Response], effect: bool
    ) -> None:
        self.stage, self.method, self.path, self.reply, self.effect = stage, method, path, reply, effect
        self.seen = 0
        stage.front.answer = self

    def __call__(self, request: Request) -> Response | None:
        if request.method != self.method or not request.path.endswith(self.path):
            return None
        self.seen += 1
        if self.seen > 1:
            return None
        if self.effect:
            self.stage.front.carry_out(request)
        return self.reply()


# The status of a write's answer


@pytest.mark.parametrize("effect", [True, False], ids=["done", "not done"])
@pytest.mark.parametrize("single", [True, False], ids=["one", "several"])
def test_a_removal_is_answered_with_200(stage: Scene, effect: bool, single: bool) -> None:
    """Only 204 says that a number has left: it is looked for, and removed again where it is still there."""
    stage.numbers = stage.numbers[: 1 if single else 3]
    stage.fill(stage.numbers, reserved=True)
    number = stage.numbers[0]["sid"]
    once = Once(stage, "DELETE", number, lambda: answer({}), effect)
    sids = [row["sid"] for row in stage.numbers]
    ran = stage.run("number", "remove", stage.service, *sids, "--yes", *ONE_BY_ONE)
    assert (ran.code, stage.pool()) == (0, {}), ran.err
    assert ran.counts == {"removed": len(stage.numbers)}
    assert once.seen == (1 if effect else 2)


# The SID of a write's answer


def another(stage: Scene, **fields: Any) -> dict[str, Any]:
    """The last number, as the API would show it."""
    row = stage.numbers[-1]
    shown = {"sid": row["sid"], "phone_number": row["phone_number"], "service_sid": stage.service}
    return {"account_sid": "AC" + "5a4db0c5" * 4, "in_use": 0, "is_reserved": True, **shown, **fields}


@pytest.mark.parametrize("single", [True, False], ids=["one", "several"])
@pytest.mark.parametrize("verb", ["add", "reserve", "release"])
def test_a_write_is_answered_about_another_number(stage: Scene, verb: str, single: bool) -> None:
    """It is unknown whether it was carried out; here it was not, and is repeated after a look."""
    few = stage.numbers[: 1 if single else 3]
    if verb != "add":
        stage.fill(few, reserved=verb == "release")
    path = "/PhoneNumbers" if verb == "add" else few[0]["sid"]
    wrong = another(stage, is_reserved=verb != "release")
    once = Once(stage, "POST", path, lambda: answer(wrong, 201 if verb == "add" else 200), False)
    options = ("--reserved",) if verb == "add" else ()
    ran = stage.ok(
        "number", verb, stage.service, *(row["sid"] for row in few), *options, *EMPTYING, *ONE_BY_ONE
    )
    assert once.seen >= 2
    assert stage.pool() == dict.fromkeys((row["sid"] for row in few), verb != "release")
    assert [(row["sid"], row["action"]) for row in ran.rows] == [(row["sid"], DONE[verb]) for row in few]


def test_a_change_of_a_service_is_answered_about_another(stage: Scene) -> None:
    other = stage.new_service("other")
    shown = stage.other("GET", f"/v1/Services/{other}")
    Once(stage, "POST", stage.service, lambda: answer({**shown, "default_ttl": 60}), False)
    ran = stage.run("service", "update", "masking", "--default-ttl", "60")
    assert stage.other("GET", f"/v1/Services/{stage.service}")["default_ttl"] == (60 if ran.code == 0 else 0)
    assert other not in ran.out


# The SID of a look's answer


@pytest.mark.parametrize("verb", ["remove", "reserve", "drain"])
def test_a_number_that_is_shown_as_another_is_not_changed(stage: Scene, verb: str) -> None:
    stage.fill([stage.numbers[0], stage.numbers[-1]], reserved=False)
    asked = stage.numbers[0]["sid"]
    stage.front.answer = lambda request: (
        answer(another(stage, is_reserved=False))
        if request.method == "GET" and request.path.endswith(asked)
        else None
    )
    ran = stage.run("number", verb, stage.service, asked, "--yes")
    assert ran.code == 1, ran.err
    assert stage.writes == []


# One number among many


def test_one_number_whose_removal_is_not_found_fails_alone(stage: Scene) -> None:
    """DELETE answers 404 and GET 200: who is right is unknown, and the others go on."""
    stage.numbers = stage.numbers[:6]
    stage.fill(stage.numbers, reserved=True)
    odd = stage.numbers[2]["sid"]
    stage.front.answer = lambda request: (
        problem(ApiError(20404)) if request.method == "DELETE" and request.path.endswith(odd) else None
    )
    ran = stage.run(*stage.verb("remove", "--yes", *ONE_BY_ONE))
    assert ran.code == 6, ran.err
    assert ran.counts == {"removed": 5, "failed": 1}
    assert set(stage.pool()) == {odd}
    alone = stage.run("number", "remove", stage.service, odd, "--yes")
    assert alone.code not in (0, 1) and alone.counts == {"failed": 1}


# Who has a number that is not in the pool


@pytest.mark.parametrize("closed", ["/v1/Services$", "/v1/Services/{other}/"])
@pytest.mark.parametrize("options", [("remove",), ("drain", "--remove")])
def test_other_pools_that_may_not_be_read_are_said_to_be_unknown(
    stage: Scene, options: tuple[str, ...], closed: str
) -> None:
    other = stage.new_service("other")
    here, there = stage.numbers[:2], stage.numbers[2:4]
    stage.fill(here, reserved=True)
    stage.fill(there, reserved=True, service=other)
    stage.front.answer = lambda request: (
        problem(ApiError(20403, "Forbidden", status=403))
        if re.match(closed.format(other=other), request.path)
        else None
    )
    verb, *more = options
    sids = [row["sid"] for row in (*here, *there)]
    ran = stage.run("number", verb, stage.service, *sids, *more, "--yes", *ONE_BY_ONE)
    assert (ran.code, ran.counts) == (0, {"removed": 2, "unchanged": 2}), ran.err
    assert "whether another pool has 2 numbers not in this one is unknown:" in ran.err
    assert (stage.pool(), len(stage.pool(other))) == ({}, 2)
