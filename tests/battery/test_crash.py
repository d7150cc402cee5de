"""kill -9 at any moment: nothing is lost, nothing is done twice, and the same command goes on."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from proxyctl.sandbox.server.faults import FaultPlan
from proxyctl.sandbox.server.policies import Entry
from tests.battery.driver import POINTS
from tests.battery.live import (
    FAST,
    Arrivals,
    adding,
    changed,
    end,
    histories,
    kill,
    lines_of,
    record,
    settled,
    start,
)
from tests.battery.scene import Scene, scene
from tests.battery.transit import MOST
from tests.contract.account import Account
from tests.contract.verbs import VERBS
from tests.support import StandingClock

WIDTH = 4  # numbers for each letter of the table: 16 to 24 in a run


def killed_somewhere(account: Account, chance: random.Random) -> bool:
    """Start the command and kill it at a moment that ``chance`` picks; False where it had ended by then."""
    arrivals = Arrivals()
    script = [arrivals.entry(method=method) for method in ("POST", "DELETE")]
    rates = {"reset-after": 0.05} if chance.random() < 0.25 else {}
    account.scene.policies.faults = FaultPlan(rates, seed=1, methods=("POST", "DELETE"), script=script)
    child = account.start()
    arrivals.wait(chance.randint(1, 3 * WIDTH), 0.3)
    time.sleep(chance.uniform(0.0, 0.01))
    child.kill()
    return account.killed(child)


def check_history(stage: Scene) -> None:
    """Every write to a pool was announced before it was sent, and nothing is told that did not happen."""
    items = [item for run in histories(stage) for item in run["items"]]
    announced = {item["sid"] for item in items} | {item["phone_number"] for item in items}
    committed = {named(entry) for entry in stage.ledger.effects if "/PhoneNumbers" in entry.path}
    assert committed <= announced
    done = [item for item in items if item["state"] == "done" and item["action"] in ("add", "remove")]
    assert all({item["sid"], item["phone_number"]} & committed for item in done)


def named(entry: Entry) -> str:
    """Return which number a write names."""
    form = dict(entry.form)
    return form.get("PhoneNumber") or form.get("Sid") or form.get("PhoneNumberSid") or entry.path[-34:]


def survive(directory: Path, seed: int) -> None:
    """One run that is killed up to three times, and then left to itself."""
    chance = random.Random(seed)
    verbs = [verb for verb in VERBS.values() if verb.converges and verb.verified]
    with scene(directory, 8 * WIDTH) as stage:
        stage.cli.clock = StandingClock()
        account = Account(stage, verbs[seed % len(verbs)], WIDTH)
        stage.policies.latency = 0.01
        for _ in range(chance.randint(1, 3)):
            if not killed_somewhere(account, chance):
                break
            account.did_nothing_twice()
            assert account.outside() <= MOST
        stage.heal()
        last = account.run()
        assert last.code in (0, account.verb.again), last.err
        account.is_done()
        if not account.verb.earlier:
            check_history(stage)
        account.sends_no_more()
        stage.left_no_trace()


@pytest.mark.parametrize("seed", range(28))
def test_killed_at_random_moments(tmp_path: Path, seed: int) -> None:
    survive(tmp_path, seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(28, 428))
def test_killed_at_400_random_moments(tmp_path: Path, seed: int) -> None:
    survive(tmp_path, seed)


def few(stage: Scene, count: int = 8) -> tuple[tuple[str, ...], dict[str, bool]]:
    """The command that adds a few numbers, and the pool that it wants."""
    stage.numbers = stage.numbers[:count]
    return stage.add(*FAST), stage.everything()


@pytest.mark.parametrize("point", POINTS)
def test_killed_between_intent_send_answer_and_outcome(stage: Scene, point: str) -> None:
    command, wanted = few(stage)
    killed = changed(stage, f"kill={point}:{1 if point in ('end', 'ended') else 4}", *command)
    assert killed.code == -9
    settled()
    kept = lines_of(record(stage))
    sent = {dict(entry.form)["PhoneNumber"] for entry in stage.writes}
    assert sent <= {line["phone_number"] for line in kept if line["type"] == "intent"}
    told = {line["sid"] for line in kept if line["type"] == "outcome"}
    assert told <= set(stage.pool())
    run = histories(stage)[0]
    assert run["exit_code"] == (0 if point == "ended" else None)
    assert ("damaged" in run["said"]) == point.startswith("half")
    stage.keeps_its_promises(command, wanted)
    # The intent of each item comes before its outcome, in every record.
    assert all(item["action"] and item["at"] for run in histories(stage) for item in run["items"])


def test_a_second_run_names_the_first_or_waits_until_it_is_killed(stage: Scene) -> None:
    command, wanted = few(stage)
    first = adding(stage, "timeout")  # all that it may send at once is held, and has no effect
    second = stage.run(*command)
    assert (second.code, second.out, second.error["kind"]) == (7, "", "locked")
    for part in (f"pid {first.pid}", "since 20", f"number add {stage.service}"):
        assert part in second.error["message"]
    assert "--lock-wait" in second.error["hint"]
    waited = stage.run(*command, "--lock-wait", "0.5")
    assert (waited.code, "after waiting 0.5 s" in waited.error["message"]) == (7, True)
    stage.policies.faults = None
    # Another Service has a lock of its own.
    other = stage.new_service("other")
    stage.ok("number", "add", other, stage.numbers[0]["sid"])
    stage.other("DELETE", f"/v1/Services/{other}/PhoneNumbers/{stage.numbers[0]['sid']}")
    stage.ledger.clear()
    waiting = [start(stage, *command, "--lock-wait", "300s") for _ in range(2)]
    kill(first)
    ends = [end(stage, process) for process in waiting]
    assert [ran.code for ran in ends] == [0, 0], ends
    assert sum(ran.counts["added"] for ran in ends) == len(wanted)
    stage.keeps_its_promises(command, wanted)
