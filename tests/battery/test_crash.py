"""kill -9 at any moment: nothing is lost, nothing is done twice, and the same command goes on."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from proxyctl.sandbox.server.faults import FaultPlan
from proxyctl.sandbox.server.policies import Entry
from tests.battery.driver import POINTS
from tests.battery.live import (
    Arrivals,
    actions,
    drive,
    end,
    histories,
    kill,
    lines_of,
    record,
    settled,
    start,
)
from tests.battery.scene import Scene, scene

VERBS = ("add", "add", "reserve", "release", "remove")
FAST = ("--rate", "0", "--concurrency", "4")


def set_up(stage: Scene, verb: str) -> tuple[tuple[str, ...], dict[str, bool]]:
    """Prepare the pool for ``verb``; return the command and the pool that it wants."""
    sids = [row["sid"] for row in stage.numbers]
    if verb == "add":
        return stage.add(*FAST), dict.fromkeys(sids, True)
    stage.fill(stage.numbers, reserved=verb == "release")
    command = stage.verb(verb, *FAST, *(["--yes"] if verb == "remove" else []))
    return command, {} if verb == "remove" else dict.fromkeys(sids, verb == "reserve")


def killed_somewhere(stage: Scene, command: Sequence[str], chance: random.Random, arrivals: Arrivals) -> bool:
    """Start the command and kill it at a moment that ``chance`` picks; False where it had ended by then."""
    seen = arrivals.count
    process = start(stage, *command)
    if chance.random() < 0.25:
        time.sleep(chance.uniform(0.0, 0.5))  # anywhere, start-up included
    else:
        arrivals.wait(seen + chance.randint(1, 20), 1.0)
        time.sleep(chance.uniform(0.0, 0.02))
    ended = process.poll() is not None
    kill(process)
    settled()
    return not ended


def check_history(stage: Scene) -> None:
    """Every write was announced before it was sent, and nothing is told that did not happen."""
    items = [item for run in histories(stage) for item in run["items"]]
    announced = {item["sid"] for item in items} | {item["phone_number"] for item in items}
    committed = [entry for entry in stage.ledger.effects if entry.path.startswith(stage.path)]
    for entry in committed:
        assert named(entry) in announced
    for item in items:
        if item["state"] == "done":
            assert any(named(entry) in (item["sid"], item["phone_number"]) for entry in committed)


def named(entry: Entry) -> str:
    """Return which number a write names."""
    form = dict(entry.form)
    return form.get("PhoneNumber") or form.get("Sid") or entry.path.rpartition("/")[2]


def survive(directory: Path, seed: int) -> None:
    """One run that is killed once or twice, and then left to itself."""
    chance = random.Random(seed)
    with scene(directory, 24) as stage:
        command, wanted = set_up(stage, VERBS[seed % len(VERBS)])
        arrivals = Arrivals()
        script = [arrivals.entry(method="POST"), arrivals.entry(method="DELETE")]
        rates = {"reset-after": 0.05} if seed % 4 == 0 else {}
        stage.policies.faults = FaultPlan(rates, seed=seed, methods=("POST", "DELETE"), script=script)
        stage.policies.latency = 0.01
        for _ in range(chance.randint(1, 2)):
            if not killed_somewhere(stage, command, chance, arrivals):
                break
            stage.did_nothing_twice()
            histories(stage)
        stage.policies.latency = 0.0
        last = stage.run(*command)
        assert last.code == 0, last.err
        assert stage.pool() == wanted
        stage.did_nothing_twice()
        check_history(stage)
        stage.keeps_its_promises(command, wanted)


@pytest.mark.parametrize("seed", range(20))
def test_killed_at_random_moments(tmp_path: Path, seed: int) -> None:
    survive(tmp_path, seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(20, 220))
def test_killed_at_200_random_moments(tmp_path: Path, seed: int) -> None:
    survive(tmp_path, seed)


@pytest.mark.parametrize("point", POINTS)
def test_killed_between_intent_send_answer_and_outcome(stage: Scene, point: str) -> None:
    stage.numbers = stage.numbers[:8]
    command, wanted = set_up(stage, "add")
    process = drive(stage, f"kill={point}:{1 if point in ('end', 'ended') else 4}", *command)
    assert end(stage, process).code == -9
    settled()
    kept = lines_of(record(stage))
    sent = {dict(entry.form)["PhoneNumber"] for entry in stage.writes}
    assert sent <= {line["phone_number"] for line in kept if line["type"] == "intent"}
    told = {line["sid"] for line in kept if line["type"] == "outcome"}
    assert told <= set(stage.pool())
    run = histories(stage)[0]
    assert run["outcome"] == ("done" if point == "ended" else "broken off")
    assert ("damaged" in run["said"]) == point.startswith("half")
    stage.keeps_its_promises(command, wanted)
    check_order(stage)


def check_order(stage: Scene) -> None:
    """The intent of each item comes before its outcome, in every record."""
    for run in histories(stage):
        assert all(item["action"] and item["at"] for item in run["items"])


@pytest.mark.parametrize("fault", ["timeout", "timeout-after"])
def test_killed_while_the_answer_is_held_before_and_after_the_effect(stage: Scene, fault: str) -> None:
    stage.numbers = stage.numbers[:8]
    command, wanted = set_up(stage, "add")
    arrivals = Arrivals()
    stage.script(arrivals.entry(fault, first=3))
    process = start(stage, *command)
    assert arrivals.wait(4)
    kill(process)
    settled()
    lost = sum(item["state"] == "unknown" for item in histories(stage)[0]["items"])
    assert lost >= 2
    stage.keeps_its_promises(command, wanted)


def test_history_cut_at_any_byte(stage: Scene) -> None:
    stage.numbers = stage.numbers[:3]
    command, wanted = set_up(stage, "add")
    assert stage.run(*command).code == 0
    path = record(stage)
    whole = path.read_bytes()
    ends = [index for index, byte in enumerate(whole) if byte == 10]
    near = {cut + step for cut in ends for step in (-1, 0, 1)}
    for cut in sorted({*near, *range(0, len(whole), 97)}):
        path.write_bytes(whole[:cut])
        run = histories(stage)[0]
        assert run["id"] == path.stem
        assert run["outcome"] == ("done" if cut >= len(whole) - 1 else "broken off")
        complete = whole[: cut + 1 if whole[cut : cut + 1] == b"\n" else cut].count(b'"type":"intent"')
        assert complete - 1 <= len(run["items"]) <= complete
    path.write_bytes(whole[: len(whole) // 2])
    stage.keeps_its_promises(command, wanted)


def test_two_runs_at_once_the_second_names_the_first_within_a_second(stage: Scene) -> None:
    stage.numbers = stage.numbers[:8]
    command, wanted = set_up(stage, "add")
    arrivals = Arrivals()
    stage.script(arrivals.entry("timeout"))
    first = start(stage, *command)
    assert arrivals.wait(1)
    began = time.monotonic()
    second = end(stage, start(stage, *command))
    assert time.monotonic() - began < 1.0
    assert second.code == 7
    assert second.out == ""
    for part in (f"pid {first.pid}", "since 20", f"number add {stage.service}"):
        assert part in second.error["message"]
    assert second.error["kind"] == "locked"
    assert "--lock-wait" in second.error["hint"]
    # Another Service has a lock of its own.
    other = stage.new_service("other")
    stage.policies.faults = None
    assert stage.run("number", "add", other, stage.numbers[0]["sid"]).code == 0
    stage.other("DELETE", f"/v1/Services/{other}/PhoneNumbers/{stage.numbers[0]['sid']}")
    stage.ledger.clear()
    kill(first)
    settled()
    stage.keeps_its_promises(command, wanted)


def test_lock_wait_ends_in_time_or_when_the_holder_is_killed(stage: Scene) -> None:
    stage.numbers = stage.numbers[:8]
    command, wanted = set_up(stage, "add")
    arrivals = Arrivals()
    stage.script(arrivals.entry("timeout"))
    first = start(stage, *command)
    assert arrivals.wait(1)
    began = time.monotonic()
    waited = end(stage, start(stage, *command, "--lock-wait", "0.5"))
    assert 0.5 <= time.monotonic() - began < 1.8
    assert waited.code == 7
    assert "after waiting 0.5 s" in waited.error["message"]
    second = start(stage, *command, "--lock-wait", "30s")
    third = start(stage, *command, "--lock-wait", "30s")
    stage.policies.faults = None
    began = time.monotonic()
    kill(first)
    settled_runs = [end(stage, second), end(stage, third)]
    assert time.monotonic() - began < 3.0
    assert [ran.code for ran in settled_runs] == [0, 0], settled_runs
    both = [actions(ran) for ran in settled_runs]
    assert sum(counts.get("added", 0) for counts in both) + 4 >= len(wanted)
    stage.keeps_its_promises(command, wanted)


def test_the_lock_of_a_killed_run_is_free_at_once(stage: Scene) -> None:
    stage.numbers = stage.numbers[:8]
    command, wanted = set_up(stage, "add")
    process = drive(stage, "kill=answered:2", *command)
    assert end(stage, process).code == -9
    settled()
    kept = json.loads(next(Path(stage.cli.environ["PROXYCTL_STATE_DIR"]).glob("locks/*.lock")).read_text())
    assert kept["pid"] == process.pid
    assert stage.run(*command).code == 0
    assert stage.pool() == wanted
