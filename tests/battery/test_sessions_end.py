"""Sessions that are closed in bulk while the process dies and Sessions come to life, and creates of unknown outcome."""

from __future__ import annotations

import itertools
import os
import random
import re
import signal
import threading
import time
import warnings
from collections import Counter
from pathlib import Path

import pytest

from proxyctl.sandbox.context import ApiError, Request, Response, problem
from proxyctl.sandbox.server.faults import Scripted
from proxyctl.sandbox.world.rehearsal import Draft, couples, insert_sessions, member
from tests.battery.live import settled
from tests.battery.scene import Scene, scene

DAY = 86_400
SWEEP = ("session", "close", "masking", "--idle-for", "7d", "--yes")
ONE = re.compile(r"/Sessions/(KC\w{32})$")


def idle(stage: Scene, count: int, age: int = 8 * DAY) -> None:
    """Let Sessions be there that nobody has used for so long."""
    stage.fill(stage.numbers, reserved=False)
    with stage.store.writing() as db:
        rows = [member(db, row["sid"]) for row in stage.numbers]
        numbers = itertools.cycle([row for row in rows if row is not None])
        pairs = itertools.islice(couples("US"), count)
        insert_sessions(db, (Draft(next(numbers), people, age=age) for people in pairs), int(time.time()))


def statuses(stage: Scene) -> dict[str, str]:
    with stage.store.reading() as db:
        return {row["sid"]: row["status"] for row in db.execute("SELECT sid, status FROM sessions")}


class Life:
    """Lets some Sessions come to life just before they are read again."""

    def __init__(self, stage: Scene, seed: int, share: float = 0.1) -> None:
        self.stage, self.share = stage, share
        self.chance, self.lock = random.Random(seed), threading.Lock()
        self.alive: set[str] = set()

    def __call__(self, request: Request) -> Response | None:
        found = ONE.search(request.path)
        if found is None or request.method != "GET":
            return None
        with self.lock:
            if self.chance.random() < self.share and statuses(self.stage)[found[1]] != "closed":
                with self.stage.store.writing() as db:
                    now = int(time.time())
                    query = (
                        "UPDATE sessions SET status = 'in-progress', date_last_interaction = ? WHERE sid = ?"
                    )
                    db.execute(query, (now, found[1]))
                self.alive.add(found[1])
        return None


def sweep_and_die(stage: Scene, after: float) -> None:
    """Run the command in a process of its own, and kill that."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads: the child uses none of ours
        child = os.fork()
    if child == 0:
        try:
            stage.cli(*SWEEP)
        finally:
            os._exit(0)
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    settled()


def converges(directory: Path, count: int, seed: int) -> None:
    chance = random.Random(seed)
    with scene(directory, 10) as stage:
        idle(stage, count)
        stage.front.answer = life = Life(stage, seed)
        for _ in range(3):
            sweep_and_die(stage, chance.uniform(0.05, 0.1 + count / 500))
        ran = stage.run(*SWEEP)
        assert ran.code == 0, ran.err
        left = {sid for sid, status in statuses(stage).items() if status != "closed"}
        assert left == life.alive, "those that came to life, and no other"
        closed = Counter(entry.path for entry in stage.ledger.effects if entry.method == "POST")
        assert set(closed.values()) <= {1} and len(closed) == count - len(left)
        again = stage.run(*SWEEP)
        assert (again.code, again.rows) == (0, [])
        stage.left_no_trace()


@pytest.mark.parametrize("seed", range(2))
def test_a_sweep_converges_through_kills_and_closes_none_that_came_to_life(tmp_path: Path, seed: int) -> None:
    converges(tmp_path, 60, seed)


@pytest.mark.long
def test_a_sweep_of_1500_converges_through_kills(tmp_path: Path) -> None:
    converges(tmp_path, 1500, 5)


def test_what_came_to_life_is_left_alone_and_said(stage: Scene) -> None:
    idle(stage, 3)
    stage.front.answer = Life(stage, 1, share=1.0)
    dry = stage.run(*SWEEP, "--dry-run", "--requests")
    assert [row["method"] for row in dry.rows] == ["GET", "POST"] * 3
    ran = stage.ok(*SWEEP)
    assert [row["action"] for row in ran.rows] == ["unchanged"] * 3
    assert "3 Sessions left alone" in ran.err and stage.writes == []
    items = [stage.ok("history", "show", run["id"]).rows for run in stage.ok("history", "list", "--all").rows]
    assert items == [[]], "reads are not recorded"


def test_what_was_closed_meanwhile_is_unchanged(stage: Scene) -> None:
    idle(stage, 2)

    def close_them() -> None:
        for sid in statuses(stage):
            stage.other("POST", f"/v1/Services/{stage.service}/Sessions/{sid}", Status="closed")

    stage.act_before_the_first_write(close_them)
    ran = stage.ok("session", "close", "masking", "--all-sessions", "--yes")
    assert [row["action"] for row in ran.rows] == ["unchanged"] * 2


# Creates


@pytest.mark.parametrize("fault", ["reset", "503-after", "garbage-null"])
def test_a_nameless_create_of_unknown_outcome_is_never_repeated(stage: Scene, fault: str) -> None:
    stage.script(Scripted(fault, "POST", times=1))
    ran = stage.run("session", "create", "masking", "--ttl", "1h", "-o", "json")
    assert (ran.code, len(stage.writes)) == (6, 1), ran.err
    assert "unknown" in ran.error["message"] and "proxyctl session list KS" in ran.error["hint"]
    assert [row["exit_code"] for row in stage.ok("history", "list").rows] == [6]


def two(stage: Scene, *options: str) -> tuple[str, ...]:
    stage.fill(stage.numbers, reserved=False)
    people = ("--participant", "+14155550199", "--participant", "+4930901820")
    return ("session", "create", "masking", "--unique-name", "ride", *people, *options)


def test_where_a_participant_is_refused_the_session_is_closed_again(stage: Scene) -> None:
    ran = stage.run(*two(stage), "-o", "json")
    assert (ran.code, ran.error["code"]) == (5, 80203), ran.err
    assert "closed again" in ran.error["message"] and "0 numbers of the country DE" in ran.error["message"]
    assert list(statuses(stage).values()) == ["closed"]
    undone = stage.run("history", "undo", "last", "--yes")
    assert undone.code == 5 and list(statuses(stage).values()) == ["closed"]


def test_a_participant_waits_while_another_create_has_not_answered(stage: Scene) -> None:
    busy: list[Request] = []

    def once(request: Request) -> Response | None:
        if request.method == "GET" or not request.path.endswith("/Participants") or busy:
            return None
        busy.append(request)
        return problem(ApiError(80623, status=409))

    stage.fill(stage.numbers, reserved=False)
    stage.front.answer = once
    ran = stage.ok("session", "create", "masking", "--participant", "+14155550199")
    assert len(ran.rows[0]["participants"]) == 1 and busy
