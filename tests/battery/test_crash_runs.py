"""kill -9 in the middle of runs that take numbers from one pool and put them into another, and of their undo."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from proxyctl.sandbox.server.faults import FaultPlan
from tests.battery.live import Arrivals
from tests.battery.scene import Scene, scene
from tests.battery.test_crash import killed_somewhere
from tests.battery.transit import MOST, write_pool_file

VERBS = ("apply", "move", "through", "drain", "undo apply", "undo move")
FAST = ("--rate", "0", "--concurrency", "8")
COUNT = 24
Pools = dict[str, dict[str, bool]]


class Killed:
    """Two Services with 24 numbers between them, a command, and the pools that it wants."""

    def __init__(self, stage: Scene, verb: str) -> None:
        self.stage = stage
        self.sids = [row["sid"] for row in stage.numbers]
        self.flags = {sid: index % 3 != 0 for index, sid in enumerate(self.sids)}
        self.other, self.mg = stage.new_service("other"), None
        before, wanted, command = getattr(self, verb.rpartition(" ")[2])()
        self._fill(before)
        if verb.startswith("undo"):
            assert stage.run(*command).code == 0
            run = stage.cli.ok("history", "list", "-o", "ids").lines[-1]
            before, wanted, command = wanted, before, ("history", "undo", run, "--yes", *FAST)
        # What is in a pool before and afterwards is never without one at the end.
        self.wanted, self.command = wanted, command
        found = set(self.sids) if verb == "through" else set().union(*before.values())
        self.stays = found & set().union(*wanted.values())
        stage.ledger.clear()

    def _fill(self, pools: Pools) -> None:
        for sid, pool in pools.items():
            for reserved in (True, False):
                rows = [row for row in self.stage.numbers if pool.get(row["sid"]) is reserved]
                self.stage.fill(rows, reserved=reserved, service=sid)

    def some(self, first: int, last: int) -> dict[str, bool]:
        return {sid: self.flags[sid] for sid in self.sids[first:last]}

    def rows(self, pool: dict[str, bool], *, reserved: bool) -> list[str]:
        return [row["phone_number"] for row in self.stage.numbers if pool.get(row["sid"]) is reserved]

    # The verbs: the pools before, the pools afterwards, the command

    def move(self) -> tuple[Pools, Pools, tuple[str, ...]]:
        before = {self.stage.service: self.some(0, COUNT), self.other: {}}
        file = self.stage.file(self.stage.numbers)
        line = ("number", "move", "-f", file, "--from", "masking", "--to", "other", "--yes", *FAST)
        return before, {self.stage.service: {}, self.other: self.flags}, line

    def through(self) -> tuple[Pools, Pools, tuple[str, ...]]:
        """The same of numbers of which every fifth is in a Messaging Service."""
        before, after, line = self.move()
        self._fill(before)
        self.mg = self.stage.other("POST", "/messaging/v1/Services", FriendlyName="mg")["sid"]
        for sid in self.sids[::5]:
            self.stage.other("POST", self.senders_path, PhoneNumberSid=sid)
        return {}, after, (*line, "--through-messaging")

    @property
    def senders_path(self) -> str:
        return f"/messaging/v1/Services/{self.mg}/PhoneNumbers"

    def senders_are_kept(self) -> None:
        if self.mg is not None:
            rows = self.stage.other("GET", self.senders_path)["phone_numbers"]
            assert {row["sid"] for row in rows} == set(self.sids[::5])

    def drain(self) -> tuple[Pools, Pools, tuple[str, ...]]:
        before = {self.stage.service: self.some(0, COUNT), self.other: {}}
        line = ("number", "drain", "masking", "-f", self.stage.file(self.stage.numbers), "--remove")
        return before, {self.stage.service: {}, self.other: {}}, (*line, "--yes", *FAST)

    def apply(self) -> tuple[Pools, Pools, tuple[str, ...]]:
        """Eight move, four change their flag, four leave, and four come; four stay as they are."""
        masking, other = self.some(0, 16), self.some(16, 20)
        swapped = {sid: not flag for sid, flag in self.some(8, 12).items()}
        after = {
            self.stage.service: swapped | self.some(16, 20),
            self.other: self.some(0, 8) | self.some(20, 24),
        }
        lists = {
            name: {"numbers": {kind: self.rows(after[sid], reserved=kind == "reserved") for kind in KINDS}}
            for name, sid in (("masking", self.stage.service), ("other", self.other))
        }
        line = ("pool", "apply", write_pool_file(self.stage, lists), "--prune", "--yes", *FAST)
        return {self.stage.service: masking, self.other: other}, after, line

    # What holds

    def pools(self) -> Pools:
        return {sid: self.stage.pool(sid) for sid in (self.stage.service, self.other)}

    def outside(self) -> set[str]:
        """The numbers that are to stay in some pool, and are in none."""
        return self.stays - set().union(*self.pools().values())

    def added_once(self) -> None:
        """No add to one pool was committed twice."""
        seen: set[tuple[str, Any]] = set()
        for entry in self.stage.ledger.effects:
            if (
                entry.method == "POST"
                and entry.path.endswith("/PhoneNumbers")
                and "messaging" not in entry.path
            ):
                named = (entry.path, dict(entry.form).get("Sid") or dict(entry.form)["PhoneNumber"])
                assert named not in seen
                seen.add(named)


KINDS = ("reserved", "unreserved")


def survive(directory: Path, seed: int) -> None:
    """One run that is killed once, twice or three times, and then left to itself."""
    chance = random.Random(seed)
    with scene(directory, COUNT) as stage:
        killed = Killed(stage, VERBS[seed % len(VERBS)])
        arrivals = Arrivals()
        script = [arrivals.entry(method="POST"), arrivals.entry(method="DELETE")]
        rates = {"reset-after": 0.05} if seed % 4 == 0 else {}
        stage.policies.faults = FaultPlan(rates, seed=seed, methods=("POST", "DELETE"), script=script)
        stage.policies.latency = 0.01
        for _ in range(chance.randint(1, 3)):
            if not killed_somewhere(stage, killed.command, chance, arrivals):
                break
            assert len(killed.outside()) <= MOST
            killed.added_once()
        stage.policies.latency = 0.0
        stage.heal()
        last = stage.run(*killed.command)
        assert last.code == 0, last.err
        assert killed.outside() == set()
        assert killed.pools() == killed.wanted
        killed.senders_are_kept()
        killed.added_once()
        stage.ledger.clear()
        third = stage.run(*killed.command)
        assert third.code == 0, third.err
        assert stage.writes == []
        stage.left_no_trace()


@pytest.mark.parametrize("seed", range(12))
def test_killed_at_random_moments(tmp_path: Path, seed: int) -> None:
    survive(tmp_path, seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(12, 212))
def test_killed_at_200_random_moments(tmp_path: Path, seed: int) -> None:
    survive(tmp_path, seed)
