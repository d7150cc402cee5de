"""What the history does not know, or takes for something else: undo checks, and takes back no more than was done."""

from __future__ import annotations

import pytest

from proxyctl.sandbox.server.faults import Scripted
from proxyctl.sandbox.world.seed import seed_numbers
from tests.battery.scene import Scene
from tests.support import Ran

ONE_BY_ONE = ("--rate", "0", "--concurrency", "1")
DAY = 86_400.0


def last_run(stage: Scene) -> str:
    run: str = stage.cli.ok("history", "list", "-o", "ids", "--limit", "1").lines[0]
    return run


def undo(stage: Scene, run: str) -> Ran:
    return stage.run("history", "undo", run, "--yes", *ONE_BY_ONE)


# A pool at its limit


def test_an_exchange_in_a_full_pool_and_its_undo(stage: Scene) -> None:
    """One number comes unreserved into the place that another leaves by being reserved."""
    full = seed_numbers(stage.store, 500, seed=2)
    stage.fill(full, reserved=False)
    before = stage.pool()
    new, old = stage.numbers[0], full[0]
    path = stage.directory / "pool.toml"
    path.write_text(
        f"""version = 1
        [services.masking.numbers]
        unreserved = ["{new["phone_number"]}"]
        reserved = ["{old["phone_number"]}"]
        """
    )
    stage.ok("pool", "apply", str(path), "--yes", "--allow", "leave-first", *ONE_BY_ONE)
    assert stage.pool() == before | {new["sid"]: False, old["sid"]: True}
    back = undo(stage, last_run(stage))
    assert back.code == 0, back.err
    assert stage.pool() == before
    forward = undo(stage, last_run(stage))
    assert forward.code == 0, forward.err
    assert stage.pool() == before | {new["sid"]: False, old["sid"]: True}


# Somebody else's number


@pytest.mark.parametrize("fault", ["reset-after", "500-after", "garbage-object"])
@pytest.mark.parametrize("single", [True, False])
def test_a_number_that_somebody_else_added_is_not_removed_by_undo(
    stage: Scene, fault: str, single: bool
) -> None:
    """80104, so its flag is changed, and the answer to that is lost: reserved, not added."""
    stage.numbers = stage.numbers[: 1 if single else 3]
    theirs = stage.numbers[0]
    stage.script(
        Scripted(method="POST", action=lambda: stage.fill([theirs], reserved=False)),
        Scripted(fault, "POST", path="/PN", times=1),
    )
    ran = stage.ok(*stage.add(*ONE_BY_ONE))
    assert stage.pool() == {row["sid"]: True for row in stage.numbers}
    assert ran.rows[0]["action"] == "reserved"
    stage.heal()
    back = undo(stage, last_run(stage))
    assert back.code == 0, back.err
    assert stage.pool() == {theirs["sid"]: False}


# Clocks


def test_a_clock_that_is_ahead_deletes_no_history(stage: Scene) -> None:
    """91 days by our clock, none by the server's: the runs before are still there, and their saved files."""
    stage.numbers = stage.numbers[:3]
    stage.ok(*stage.add())
    stage.ok(*stage.verb("remove", "--yes"))
    saved = sorted(stage.directory.glob("run/state/saved/*"))
    runs = set(stage.cli.ok("history", "list", "-o", "ids").lines)
    assert len(runs) == 2 and len(saved) == 1
    stage.clock.ahead = 91 * DAY
    stage.ok(*stage.add())
    stage.ok(*stage.verb("remove", "--yes"))
    assert runs < set(stage.cli.ok("history", "list", "-o", "ids").lines)
    assert set(saved) < set(stage.directory.glob("run/state/saved/*"))
