"""`pool apply` where numbers leave and others come in their stead: who leaves waits for who comes.

Pools are words, as in the table of the contract; i, j and k are numbers that the account does not have.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from proxyctl.sandbox.context import ApiError, Request, Response, problem
from proxyctl.sandbox.server.faults import Scripted
from proxyctl.sandbox.world.seed import seed_numbers
from tests.battery.scene import Scene, scene
from tests.battery.transit import write_pool_file
from tests.contract.account import Account
from tests.contract.verbs import State, Verb
from tests.support import Ran

MISTYPED = [{"sid": f"PN{index:032}", "phone_number": f"+1415555019{index}"} for index in range(3)]
MOST = 500  # unreserved numbers in a pool


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Scene]:
    """Eight numbers of the account, and three that it does not have."""
    with scene(tmp_path, 8) as stage:
        stage.numbers += MISTYPED
        yield stage


class Pools:
    """Pools that a file is applied to. Writes are carried out one at a time; ``all`` and ``unreserved`` are how few
    numbers "masking" had at any moment. ``refuse`` may answer a write in the server's place.
    """

    def __init__(self, stage: Scene, **before: str) -> None:
        self.stage, self.account = stage, Account(stage, Verb("", before))
        self.refuse: Callable[[Request], Response | None] = lambda request: None
        self.all = self.unreserved = 10_000
        self._lock = threading.Lock()
        stage.front.answer = self._answer

    def _answer(self, request: Request) -> Response | None:
        if request.method == "GET":
            return None
        with self._lock:
            answer = self.refuse(request) or self.stage.front.carry_out(request)
            word = str(self.account.state()["masking"])
            self.all = min(self.all, len(word))
            self.unreserved = min(self.unreserved, sum(letter.islower() for letter in word))
        return answer

    def path(self, letters: str, service: str = "masking") -> set[str]:
        """The paths of these numbers in a pool."""
        pool = f"/v1/Services/{self.account.services()[service]}/PhoneNumbers"
        return {f"{pool}/{row['sid']}" for row in self.account.rows(letters)}

    def run(self, verb: str, *options: str, **file: str) -> Ran:
        """Plan or apply a file that says these pools."""
        return self.stage.run("pool", verb, self.account.pool_file(file), "--prune", *options)

    def apply(self, *options: str, **file: str) -> Ran:
        return self.run("apply", "--yes", "--rate", "0", *options, **file)

    @property
    def state(self) -> State:
        return self.account.state()

    def rows(self, ran: Ran, letters: str) -> list[dict[str, Any]]:
        """The rows of these numbers."""
        names = [row["phone_number"] for row in self.account.rows(letters)]
        return [row for row in ran.rows if row["phone_number"] in names]


# The new ones are refused


def is_add(request: Request) -> bool:
    return request.method == "POST" and request.path.endswith("/PhoneNumbers")


REFUSED: dict[str, tuple[str, set[int]]] = {  # the numbers that are to come, and the exit code
    "mistyped": ("ijk", {6}),
    "in a Messaging Service": ("def", {6}),
    "503": ("def", {6, 7}),
    "reset": ("def", {6, 7}),
    "80622": ("def", {5, 6}),
}


@pytest.mark.parametrize("cause", REFUSED)
@pytest.mark.parametrize("old", ["abc", "ABC"])
def test_nothing_is_pruned_for_numbers_that_did_not_come(stage: Scene, cause: str, old: str) -> None:
    new, codes = REFUSED[cause]
    pools = Pools(stage, masking=old, **({"MG": new} if cause.startswith("in a") else {}))
    before = pools.state
    if cause == "80622":
        pools.refuse = lambda request: problem(ApiError(80622)) if is_add(request) else None
    elif cause in ("503", "reset"):
        stage.script(Scripted(cause, "POST", "/PhoneNumbers$", times=None))
    wanted = new.upper() if old.isupper() else new
    ran = pools.apply("--concurrency", "1", masking=wanted)
    assert ran.code in codes, ran.err
    assert pools.state == before
    assert not [entry for entry in stage.writes if entry.method == "DELETE"]
    assert {row["action"] for row in pools.rows(ran, new)} <= {"failed", "skipped"}
    assert [row["action"] for row in pools.rows(ran, old)] == ["skipped"] * 3
    assert all(row["error"]["message"] for row in pools.rows(ran, old)), "it says why it stays"


# The pool before, the file, what is done, and how many numbers there are at any moment at least.
PARTLY: dict[str, tuple[str, str, dict[str, int], int]] = {
    "as many leave as have come": ("abc", "dei", {"added": 2, "removed": 2, "failed": 1, "skipped": 1}, 3),
    "who has no successor need not wait": (
        "abcdef",
        "abcij",
        {"unchanged": 3, "removed": 1, "failed": 2, "skipped": 2},
        5,
    ),
    "a release waits for nobody": ("A", "aI", {"released": 1, "failed": 1}, 1),
    "who comes unreserved stands in for who is reserved": ("ab", "ABij", {"failed": 2, "skipped": 2}, 2),
}


@pytest.mark.parametrize("case", PARTLY)
def test_some_of_the_new_ones_do_not_come(stage: Scene, case: str) -> None:
    before, file, done, least = PARTLY[case]
    pools = Pools(stage, masking=before)
    ran = pools.apply(masking=file)
    assert ran.code == 6, ran.err
    assert ran.counts == done
    assert len(str(pools.state["masking"])) == least
    assert pools.all >= least


def test_what_comes_by_move_is_a_replacement_too(stage: Scene) -> None:
    """A number that is refused on its way from another Service keeps the old one where it is."""
    pools = Pools(stage, masking="a", other="bcd")
    before, target = pools.state, pools.account.services()["masking"]
    pools.refuse = lambda request: (
        problem(ApiError(80601)) if is_add(request) and target in request.path else None
    )
    ran = pools.apply(masking="b", other="cd")
    assert ran.code in (5, 6), ran.err
    assert pools.state == before


def test_plan_shows_which_numbers_will_be_refused(stage: Scene) -> None:
    pools = Pools(stage, masking="A", MG="d")
    ran = pools.run("plan", masking="ADIH")
    problems = [row["problem"] for row in pools.rows(ran, "di")]
    assert "Messaging Service" in problems[0] and "account" in problems[1]
    assert [row["change"] for row in ran.rows] == ["refused", "refused", "add"]


# Full pools


def apply(stage: Scene, **unreserved: list[str]) -> tuple[str, ...]:
    """The command that applies a file with these unreserved numbers."""
    lists: dict[str, object] = {
        name: {"numbers": {"unreserved": numbers}} for name, numbers in unreserved.items()
    }
    return ("pool", "apply", write_pool_file(stage, lists), "--yes", "--rate", "0", "--prune")


def names(rows: list[dict[str, Any]]) -> list[str]:
    return [row["phone_number"] for row in rows]


@pytest.fixture
def brim(stage: Scene) -> list[dict[str, Any]]:
    """500 unreserved numbers, which fill the pool."""
    rows = seed_numbers(stage.store, MOST, seed=2)
    stage.fill(rows, reserved=False)
    return rows


def test_a_full_pool_is_refused_by_the_name_of_the_rule(stage: Scene, brim: list[dict[str, Any]]) -> None:
    """A number would have to leave before its successor is there: refused, unless it is allowed."""
    before = stage.pool()
    command = apply(stage, masking=[*names(brim[1:]), *names(stage.numbers[:1])])
    refused = stage.run(*command)
    assert refused.code == 5
    assert "leave-first" in refused.err and "masking" in refused.err
    assert (stage.writes, stage.pool()) == ([], before)
    assert stage.run(*command, "--dry-run").code == 5
    stage.ok(*command, "--allow", "leave-first")
    assert set(stage.pool()) == {row["sid"] for row in [*brim[1:], stage.numbers[0]]}


def test_a_run_that_was_cut_off_is_continued_though_its_replacements_count_by_now(stage: Scene) -> None:
    """To another command, what is left to do takes more than half of the unreserved numbers that there are now."""
    pools = Pools(stage, masking="abC")
    busy = pools.path("ab")
    pools.refuse = lambda request: problem(ApiError(20503, status=503)) if request.path in busy else None
    assert pools.apply("--retries", "0", masking="ABCd").code in (6, 7)
    assert pools.state == {"masking": "abCd"}
    pools.refuse = lambda request: None
    other = pools.apply("--retries", "1", masking="ABCd")
    assert (other.code, "lose-half" in other.err) == (5, True), other.err
    assert pools.apply("--retries", "0", masking="ABCd").code == 0
    assert pools.state == {"masking": "ABCd"}
