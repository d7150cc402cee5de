"""`pool apply` where numbers leave and others come in their stead: who leaves waits for who comes."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from proxyctl.sandbox.server.faults import Scripted
from proxyctl.sandbox.wire import ApiError, Request, Response, problem
from proxyctl.sandbox.world.seed import seed_numbers
from tests.battery.scene import Scene, scene
from tests.battery.transit import write_pool_file
from tests.sandbox.serving import BASIC
from tests.support import Ran

MISTYPED = ["+14155550190", "+14155550191", "+14155550192"]
MOST = 500  # unreserved numbers in a pool


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Scene]:
    """Eight numbers, of which nobody has put one into the pool yet."""
    with scene(tmp_path, 8) as stage:
        yield stage


class Floor:
    """Carries writes out one at a time, and remembers how few numbers there were at any moment."""

    def __init__(self, stage: Scene, refuse: Callable[[Request], Response | None] = lambda _: None) -> None:
        self.stage, self.refuse = stage, refuse
        self.unreserved = self.all = 10_000
        self._lock = threading.Lock()
        stage.front.answer = self

    def __call__(self, request: Request) -> Response | None:
        if request.method == "GET":
            return None
        with self._lock:
            trusted = {**request.headers, "authorization": BASIC}
            answer = self.refuse(request) or self.stage.front.sandbox.respond(
                replace(request, headers=trusted)
            )
            flags = list(self.stage.pool().values())
            self.all = min(self.all, len(flags))
            self.unreserved = min(self.unreserved, flags.count(False))
        return answer


def names(rows: Sequence[dict[str, Any]]) -> list[str]:
    return [row["phone_number"] for row in rows]


def apply(
    stage: Scene, reserved: Sequence[str] = (), unreserved: Sequence[str] = (), *options: str
) -> tuple[str, ...]:
    lists = {"reserved": list(reserved), "unreserved": list(unreserved)}
    file = write_pool_file(stage, {"masking": {"numbers": lists}})
    return ("pool", "apply", file, "--yes", "--rate", "0", *options)


def actions(ran: Ran) -> Counter[str]:
    return Counter(row["action"] for row in ran.rows)


# The new ones are refused


def in_messaging(stage: Scene) -> list[str]:
    mg = stage.other("POST", "/messaging/v1/Services", FriendlyName="mg")["sid"]
    for row in stage.numbers[3:6]:
        stage.other("POST", f"/messaging/v1/Services/{mg}/PhoneNumbers", PhoneNumberSid=row["sid"])
    return names(stage.numbers[3:6])


def faulty(fault: str) -> Callable[[Scene], list[str]]:
    def prepare(stage: Scene) -> list[str]:
        stage.script(Scripted(fault, "POST", "/PhoneNumbers$", times=None))
        return names(stage.numbers[3:6])

    return prepare


def full(stage: Scene) -> list[str]:
    stage.front.answer = lambda request: (
        problem(ApiError(80622))
        if request.method == "POST" and request.path.endswith("/PhoneNumbers")
        else None
    )
    return names(stage.numbers[3:6])


REFUSED: dict[str, tuple[Callable[[Scene], list[str]], set[int]]] = {
    "mistyped": (lambda stage: MISTYPED, {6}),
    "in a Messaging Service": (in_messaging, {6}),
    "503": (faulty("503"), {6, 7}),
    "reset": (faulty("reset"), {6, 7}),
    "80622": (full, {5, 6}),
}


@pytest.mark.parametrize("cause", REFUSED)
@pytest.mark.parametrize("reserved", [True, False])
def test_nothing_is_pruned_for_numbers_that_did_not_come(stage: Scene, cause: str, reserved: bool) -> None:
    stage.fill(stage.numbers[:3], reserved=reserved)
    before = stage.pool()
    prepare, codes = REFUSED[cause]
    new = prepare(stage)
    ran = stage.run(*apply(stage, *((new, ()) if reserved else ((), new)), "--prune", "--concurrency", "1"))
    assert ran.code in codes, ran.err
    assert stage.pool() == before
    assert not [entry for entry in stage.writes if entry.method == "DELETE"]
    told = {row["phone_number"]: row for row in ran.rows}
    assert {told[number]["action"] for number in new} <= {"failed", "skipped"}
    for number in names(stage.numbers[:3]):
        assert told[number]["action"] == "skipped"
        assert told[number]["error"]["message"], "it says why it stays"


def test_as_many_leave_as_have_come(stage: Scene) -> None:
    """Two of three replacements come: two of the three old numbers go."""
    stage.fill(stage.numbers[:3], reserved=False)
    floor = Floor(stage)
    new = [*names(stage.numbers[3:5]), MISTYPED[0]]
    ran = stage.run(*apply(stage, (), new, "--prune"))
    assert ran.code == 6, ran.err
    assert actions(ran) == {"added": 2, "removed": 2, "failed": 1, "skipped": 1}
    assert len(stage.pool()) == floor.all == 3


def test_who_has_no_successor_need_not_wait(stage: Scene) -> None:
    """Three of six leave and two come: one may go at once, whatever becomes of the two."""
    stage.fill(stage.numbers[:6], reserved=False)
    floor = Floor(stage)
    ran = stage.run(*apply(stage, (), [*names(stage.numbers[:3]), *MISTYPED[:2]], "--prune"))
    assert ran.code == 6, ran.err
    assert actions(ran) == {"unchanged": 3, "removed": 1, "failed": 2, "skipped": 2}
    assert len(stage.pool()) == floor.all == 5


def test_what_comes_by_move_is_a_replacement_too(stage: Scene) -> None:
    """A number that is refused on its way from another Service keeps the old one where it is."""
    other = stage.new_service("other")
    stage.fill(stage.numbers[:1], reserved=False)
    stage.fill(stage.numbers[1:4], reserved=False, service=other)
    target = stage.path
    stage.front.answer = lambda request: (
        problem(ApiError(80601)) if request.method == "POST" and request.path == target else None
    )
    lists = {
        "masking": {"numbers": {"unreserved": names(stage.numbers[1:2])}},
        "other": {"numbers": {"unreserved": names(stage.numbers[2:4])}},
    }
    ran = stage.run("pool", "apply", write_pool_file(stage, lists), "--prune", "--yes", "--rate", "0")
    assert ran.code in (5, 6), ran.err
    assert set(stage.pool()) == {stage.numbers[0]["sid"]}
    assert set(stage.pool(other)) == {row["sid"] for row in stage.numbers[1:4]}


# Reserved and released


@pytest.mark.parametrize("fault", ["503", "reset"])
def test_numbers_are_reserved_only_after_others_are_released(stage: Scene, fault: str) -> None:
    """Four are to be reserved and two released, and no release is answered: two unreserved ones stay."""
    four, two = stage.numbers[:4], stage.numbers[4:6]
    stage.fill(four, reserved=False)
    stage.fill(two, reserved=True)
    held = {f"{stage.path}/{row['sid']}" for row in two}

    def refuse(request: Request) -> Response | None:
        return problem(ApiError(20503)) if request.path in held else None

    floor = Floor(stage, refuse)
    command = apply(stage, names(four), names(two))
    ran = stage.run(*command)
    assert ran.code == 6, ran.err
    assert floor.unreserved >= 2
    told = {row["phone_number"]: row["action"] for row in ran.rows}
    assert {told[number] for number in names(two)} <= {"failed", "skipped"}
    assert Counter(told[number] for number in names(four)) == {"reserved": 2, "skipped": 2}
    floor.refuse = lambda request: None
    assert stage.run(*command).code == 0
    assert stage.pool() == {row["sid"]: row in four for row in stage.numbers[:6]}
    assert floor.unreserved >= 2


def test_a_release_waits_for_nobody(stage: Scene) -> None:
    """That the number to be reserved is not there keeps no other from being released."""
    stage.fill(stage.numbers[:1], reserved=True)
    ran = stage.run(*apply(stage, MISTYPED[:1], names(stage.numbers[:1])))
    assert ran.code == 6, ran.err
    assert stage.pool() == {stage.numbers[0]["sid"]: False}


def test_numbers_that_come_unreserved_stand_in_for_those_that_are_reserved(stage: Scene) -> None:
    stage.fill(stage.numbers[:2], reserved=False)
    ran = stage.run(*apply(stage, names(stage.numbers[:2]), MISTYPED[:2]))
    assert ran.code == 6, ran.err
    assert stage.pool() == {row["sid"]: False for row in stage.numbers[:2]}
    assert actions(ran) == {"failed": 2, "skipped": 2}


# Full pools


@pytest.fixture
def brim(stage: Scene) -> list[dict[str, Any]]:
    """500 unreserved numbers, which fill the pool."""
    rows = seed_numbers(stage.store, MOST, seed=2)
    stage.fill(rows, reserved=False)
    return rows


def test_a_full_pool_is_refused_by_the_name_of_the_rule(stage: Scene, brim: list[dict[str, Any]]) -> None:
    """A number would have to leave before its successor is there: refused, unless it is allowed."""
    before = stage.pool()
    command = apply(stage, (), [*names(brim[1:]), *names(stage.numbers[:1])], "--prune")
    refused = stage.run(*command)
    assert refused.code == 5
    assert "leave-first" in refused.err and "masking" in refused.err
    assert (stage.writes, stage.pool()) == ([], before)
    assert stage.run(*command, "--dry-run").code == 5
    ran = stage.run(*command, "--allow", "leave-first")
    assert ran.code == 0, ran.err
    wanted = {row["sid"] for row in [*brim[1:], stage.numbers[0]]}
    assert set(stage.pool()) == wanted


def test_two_full_pools_that_exchange_are_refused_all_the_same(
    stage: Scene, brim: list[dict[str, Any]]
) -> None:
    other = stage.new_service("other")
    more = seed_numbers(stage.store, MOST, seed=3)
    stage.fill(more, reserved=False, service=other)
    lists = {
        "masking": {"numbers": {"unreserved": names(more[:1])}},
        "other": {"numbers": {"unreserved": names(brim[:1])}},
    }
    command = ("pool", "apply", write_pool_file(stage, lists), "--yes", "--rate", "0")
    for options in ((), ("--allow", "leave-first")):
        ran = stage.run(*command, *options)
        assert ran.code == 5, ran.err
        assert "1" in ran.err and ("masking" in ran.err or "other" in ran.err)
        assert stage.writes == []


@pytest.mark.parametrize("first", ["reserve", "move"])
def test_an_order_that_there_is_is_found(stage: Scene, first: str) -> None:
    """Three come from another pool, two are reserved in their stead, and one goes over there: it has to go before
    both others are reserved, or the third could not come.
    """
    other = stage.new_service("other")
    here, there = stage.numbers[:3], stage.numbers[3:6]
    kept, going = (here[:2], here[2:]) if first == "reserve" else (here[1:], here[:1])
    stage.fill(here, reserved=False)
    stage.fill(there, reserved=False, service=other)
    lists = {
        "masking": {"numbers": {"reserved": names(kept), "unreserved": names(there)}},
        "other": {"numbers": {"unreserved": names(going)}},
    }
    line = ("pool", "apply", write_pool_file(stage, lists), "--yes", "--rate", "0")
    ran = stage.run(*line)
    assert ran.code == 0, ran.err
    assert stage.pool() == {row["sid"]: row in kept for row in (*kept, *there)}
    assert stage.pool(other) == {row["sid"]: False for row in going}


# What plan says


def test_plan_shows_which_numbers_will_be_refused(stage: Scene) -> None:
    stage.fill(stage.numbers[:1], reserved=True)
    (inside, *_) = in_messaging(stage)
    lists = {"reserved": [*names(stage.numbers[:1]), inside, MISTYPED[0], stage.numbers[7]["phone_number"]]}
    ran = stage.run("pool", "plan", write_pool_file(stage, {"masking": {"numbers": lists}}))
    refused = {row["phone_number"]: row["problem"] for row in ran.rows if row["change"] == "refused"}
    assert set(refused) == {inside, MISTYPED[0]}
    assert "Messaging Service" in refused[inside]
    assert "account" in refused[MISTYPED[0]]
    assert [row["phone_number"] for row in ran.rows if row["change"] == "add"] == names(stage.numbers[7:])
