"""`pool apply` of all that a file can want, where something goes wrong midway: the same command again finishes.

The contract kills it, and loses its answers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import tomli_w

from proxyctl.sandbox.server.faults import Scripted
from proxyctl.sandbox.wire import ApiError, Request, Response, problem
from tests.battery.scene import Scene, scene


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path, 40) as ready:
        yield ready


def prepare(stage: Scene) -> tuple[str, dict[str, dict[str, bool]]]:
    """Fill two pools, and write a file that wants something else of each number; return it and the pools it wants."""
    sids = [row["sid"] for row in stage.numbers]
    names = [row["phone_number"] for row in stage.numbers]
    other = stage.new_service("other")
    stage.fill(stage.numbers[:8], reserved=False)  # to be reserved
    stage.fill(stage.numbers[12:16], reserved=True)  # to be released
    stage.fill(stage.numbers[30:36], reserved=True)  # to be removed
    stage.fill(stage.numbers[8:12], reserved=False, service=other)  # to be moved
    lists = {
        "masking": {
            "default_ttl": 60,
            "numbers": {"reserved": names[:12], "unreserved": names[12:18]},
        },
        "other": {"numbers": {"reserved": names[18:22]}},
        "new": {"numbers": {"unreserved": names[22:26]}},
    }
    path = stage.directory / "pool.toml"
    path.write_text(tomli_w.dumps({"version": 1, "services": lists}))
    wanted = {
        "masking": {**dict.fromkeys(sids[:12], True), **dict.fromkeys(sids[12:18], False)},
        "other": dict.fromkeys(sids[18:22], True),
        "new": dict.fromkeys(sids[22:26], False),
    }
    return str(path), wanted


def pools(stage: Scene) -> dict[str, dict[str, bool]]:
    """What the Services hold, by unique name."""
    listed = stage.other("GET", "/v1/Services")["services"]
    return {service["unique_name"]: stage.pool(service["sid"]) for service in listed}


def command(file: str) -> tuple[str, ...]:
    return ("pool", "apply", file, "--prune", "--yes", "--rate", "0", "--concurrency", "4")


def finishes(stage: Scene, file: str, wanted: dict[str, dict[str, bool]]) -> None:
    """The same command makes it so, and a third one has nothing to send."""
    stage.heal()
    again = stage.run(*command(file))
    assert again.code == 0, again.err
    assert pools(stage) == wanted
    stage.ledger.clear()
    third = stage.run(*command(file))
    assert third.code == 0 and not stage.writes
    assert {row["action"] for row in third.rows} == {"unchanged"}
    plan = stage.run("pool", "plan", file, "--prune", "--exit-code")
    assert (plan.code, plan.rows) == (0, [])
    stage.left_no_trace()


def test_the_lost_answer_of_a_new_service(stage: Scene) -> None:
    """It is found by its name, and not made twice."""
    file, wanted = prepare(stage)
    stage.script(Scripted("reset-after", "POST", path=r"/Services$"))
    ran = stage.run(*command(file))
    assert ran.code == 0, ran.err
    creates = [entry for entry in stage.writes if entry.path == "/v1/Services"]
    assert len(creates) == 1
    assert Counter(row["action"] for row in ran.rows)["created"] == 1
    finishes(stage, file, wanted)


def test_credentials_that_end_midway_stop_all(stage: Scene) -> None:
    file, wanted = prepare(stage)
    stage.script(Scripted("401", "POST", first=10, times=None))
    ran = stage.run(*command(file))
    assert ran.code == 6, ran.err
    assert {"failed", "skipped"} <= {row["action"] for row in ran.rows}
    assert len(ran.rows) == sum(len(pool) for pool in wanted.values()) + 6 + 2
    finishes(stage, file, wanted)


def test_a_deadline_leaves_the_rest_to_the_next_run(stage: Scene) -> None:
    """What was not tried is skipped, and has a row each."""
    file, wanted = prepare(stage)
    stage.policies.latency = 0.02
    ran = stage.run(*command(file), "--deadline", "3s")
    assert ran.code == 7, ran.err
    actions = Counter(row["action"] for row in ran.rows)
    assert actions["skipped"]
    assert actions.total() == sum(len(pool) for pool in wanted.values()) + 6 + 2
    held = Counter(sid for pool in pools(stage).values() for sid in pool)
    assert max(held.values()) == 1
    finishes(stage, file, wanted)


def test_a_service_that_vanishes_midway(stage: Scene) -> None:
    """The run stops, and the next one makes the Service anew."""
    file, wanted = prepare(stage)
    other = next(
        s["sid"] for s in stage.other("GET", "/v1/Services")["services"] if s["unique_name"] == "other"
    )
    gone = Scripted(None, "POST", first=12, action=lambda: stage.other("DELETE", f"/v1/Services/{other}"))
    stage.script(gone)
    ran = stage.run(*command(file))
    assert ran.code in (0, 6), ran.err
    finishes(stage, file, wanted)


@pytest.mark.parametrize("nowhere", [False, True])
def test_a_number_that_is_not_taken_goes_back(stage: Scene, nowhere: bool) -> None:
    """It left its pool for another one, which refuses it; where its old one does so too, that is said."""
    file, wanted = prepare(stage)
    other = next(
        s["sid"] for s in stage.other("GET", "/v1/Services")["services"] if s["unique_name"] == "other"
    )
    sid = stage.numbers[8]["sid"]

    def answer(request: Request) -> Response | None:
        add = request.method == "POST" and dict(request.form).get("Sid") == sid
        refuses = add and (nowhere or request.path == stage.path)
        return problem(ApiError(80601)) if refuses else None

    stage.front.answer = answer
    ran = stage.run(*command(file))
    assert ran.code == 6, ran.err
    (failed,) = [row for row in ran.rows if row["action"] == "failed"]
    left = [row["error"]["message"] for row in ran.rows if row["action"] == "skipped"]
    assert all(text.startswith(("left as it is: what should", "left where it is, since")) for text in left)
    assert (failed["sid"], failed["action"], failed["error"]["code"]) == (sid, "failed", 80601)
    assert stage.pool(other).get(sid) == (None if nowhere else False)
    assert ("is in none now" in failed["error"]["message"]) == nowhere
    finishes(stage, file, wanted)
