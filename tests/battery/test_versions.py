"""Undo after others have changed what a run left: later runs, another machine, somebody in the Console."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.battery.scene import Scene, scene
from tests.support import Cli, Ran, StandingClock

ALL = ("--allow", "no-unreserved")
OPTIONS = {"add": ALL, "reserve": ALL, "drain": ALL, "remove": ("--yes", *ALL)}


@dataclass
class Machines:
    """Machines ``A`` and ``B``, each with a state directory of its own; two numbers, and a minute between runs."""

    stage: Scene
    clock: StandingClock
    runs: list[tuple[str, str]] = field(default_factory=list)  # each with the machine that made it

    def cli(self, machine: str) -> Cli:
        own = self.stage.cli
        state = str(own.directory / f"state-{machine}")
        return Cli(own.directory, {**own.environ, "PROXYCTL_STATE_DIR": state}, clock=self.clock)

    def do(self, step: str) -> Ran:
        """Carry out ``A reserve``, ``B undo 2`` (the second run of all) or ``A ttl 60``; `runs` has its run."""
        machine, verb, *rest = step.split()
        cli, self.clock.epoch = self.cli(machine), self.clock.epoch + 60
        if verb == "undo":
            line = ("history", "undo", self.runs[int(rest[0]) - 1][1], "--yes", "-o", "jsonl")
        elif verb in ("ttl", "level"):
            option = {"ttl": "--default-ttl", "level": "--geo-match-level"}[verb]
            line = ("service", "update", "masking", option, *rest)
        else:
            sids = [row["sid"] for row in self.stage.numbers]
            line = ("number", verb, "masking", *sids, *rest, *OPTIONS.get(verb, ()))
        ran = cli(*line)
        self.stage.ran.append(ran)
        self.runs.append((machine, cli.ok("history", "list", "-o", "ids", "--limit", "1").lines[0]))
        return ran

    def state(self) -> dict[str, Any]:
        """The pool, and the settings."""
        row = self.stage.other("GET", f"/v1/Services/{self.stage.service}")
        pool = set(self.stage.pool().values())
        return {"pool": pool, "ttl": row["default_ttl"], "level": row["geo_match_level"]}


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    clock = StandingClock()
    with scene(tmp_path, 2, server_clock=clock) as stage:
        yield Machines(stage, clock)
        stage.left_no_trace()


REFUSED = {
    "reserved, released and drained": ("A add", "A reserve", "A release", "A drain", 2, 4),
    "added, removed and added": ("A add", "A remove", "A add", 1, 3),
    "removed, added and removed": ("A add", "A remove", "A add", "A remove", 2, 4),
    "added, and changed since": ("A add --reserved", "A release", 1, 2),
    "settings, there and back": ("A ttl 60", "A ttl 90", "A ttl 60", "A ttl 90", 2, 4),
    "what was taken back is done again": ("A add", "A reserve", "A undo 2", "A undo 3", 1, 2),
    "of two later runs one is taken back": ("A add", "A reserve", "A release", "A undo 3", 1, 2),
    "by another machine: reserved, released and drained": (
        "A add",
        "A reserve",
        "B release",
        "B drain",
        2,
        0,
    ),
    "by another machine: added, removed and added": ("A add", "B remove", "B add", 1, 0),
    "by another machine: settings": ("A ttl 60", "A ttl 90", "B ttl 60", "B ttl 90", 2, 0),
    "by another machine, before a run that is taken back": (
        *("A add", "B reserve", "B release", "A reserve", "A undo 4", 1, 0),
    ),
}


@pytest.mark.parametrize("steps", REFUSED.values(), ids=REFUSED)
def test_what_was_changed_since_is_refused(steps: tuple[Any, ...], machines: Machines) -> None:
    """The refusal names the later run, where this machine knows it."""
    *before, wanted, by = steps
    for step in before:
        assert machines.do(step).code == 0
    found = machines.state()
    ran = machines.do(f"A undo {wanted}")
    assert ran.code in (5, 6), ran.err
    assert machines.state() == found
    names = [run for _, run in machines.runs[: len(before)] if f"history show {run}" in ran.err]
    assert names == ([machines.runs[by - 1][1]] if by else []), ran.err
    assert by or "something else changed it at 20" in ran.err


TAKEN_BACK = {
    "one after the other, the newest first": ("A add", "A reserve", "A undo 2", "A undo 1"),
    "a run that was taken back, done again and taken back": (
        *("A add", "A reserve", "A undo 2", "A undo 3", "A undo 4", "A undo 1"),
    ),
    "settings that no later run has changed": ("A add", "A ttl 60", "A level country", "A undo 2"),
}


@pytest.mark.parametrize("steps", TAKEN_BACK.values(), ids=TAKEN_BACK)
def test_what_is_as_the_run_left_it_is_taken_back(steps: tuple[str, ...], machines: Machines) -> None:
    for step in steps[:-1]:
        assert machines.do(step).code == 0
    found = machines.state()
    ran = machines.do(steps[-1])
    assert (ran.code, machines.state() == found) == (0, False), ran.err
