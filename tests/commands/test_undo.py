"""`history undo` of records that say less than all, or that are not ours. What it prints is golden."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proxyctl.sandbox.behaviour import ACCOUNT_SID
from proxyctl.sandbox.server.faults import FaultPlan, Scripted
from proxyctl.state.history import History, RunInfo
from tests.sandbox.serving import Served
from tests.support import Cli, Ran


class Pool:
    """A Service with a reserved number, an unreserved one, and two more numbers in the account."""

    def __init__(self, cli: Cli) -> None:
        self.cli = cli
        self.sids = [row["sid"] for row in cli.seed(4)]
        cli.ok("service", "create", "masking")
        cli.ok("number", "add", "masking", self.sids[0], "--reserved")
        cli.ok("number", "add", "masking", self.sids[1], "--unreserved")

    def run(self, verb: str, *arguments: str) -> str:
        """Carry out a verb; return the id of its run."""
        self.cli.ok("number", verb, "masking", *arguments, "-q", "--allow", "no-unreserved")
        return self.last()

    def last(self) -> str:
        run: str = self.cli.ok("history", "list", "-o", "ids", "--limit", "1", "-q").lines[0]
        return run

    def undo(self, run: str, *options: str, **settings: Any) -> Ran:
        return self.cli("history", "undo", run, "-o", "jsonl", *(options or ("--yes",)), **settings)

    def state(self) -> dict[str, bool]:
        rows = self.cli.ok("number", "list", "masking", "-o", "json").json
        return {row["sid"]: row["is_reserved"] for row in rows}


@pytest.fixture
def pool(either: Cli) -> Pool:
    return Pool(either)


@pytest.fixture
def local(cli: Cli) -> Pool:
    return Pool(cli)


# Which runs


def test_another_account(local: Pool) -> None:
    run = local.run("reserve", local.sids[1])
    other = {
        "PROXYCTL_PROFILE": "",
        "TWILIO_ACCOUNT_SID": "AC" + "9" * 32,
        "TWILIO_AUTH_TOKEN": "t",
        "PROXYCTL_BASE_URL": "http://127.0.0.1:9",
    }
    ran = local.undo(run, environ=other)
    assert ran.code == 2
    assert ACCOUNT_SID in ran.error["message"] and "9" * 32 in ran.error["message"]
    assert "(sandbox)" in ran.error["hint"]


def test_a_run_that_still_goes_on(local: Pool) -> None:
    history = History(local.cli.directory / "state" / "history")
    recorder = history.begin(
        RunInfo("proxyctl number add", account_sid=ACCOUNT_SID, service_sid="KS" + "1" * 32)
    )
    try:
        recorder.intent(0, {"action": "add", "sid": local.sids[0]})
        ran = local.undo(recorder.id)
        assert ran.code == 5
        assert "still running" in ran.error["message"]
    finally:
        recorder.close()


def test_last_is_the_accounts_last_run_that_changed_something(local: Pool) -> None:
    local.run("add", local.sids[2])
    local.cli.ok("number", "add", "masking", local.sids[2])  # nothing to do
    local.cli("number", "reserve", "masking", "+14155550199")  # refused
    other = History(local.cli.directory / "state" / "history")
    other.begin(RunInfo("proxyctl number add", account_sid="AC" + "9" * 32)).end({"added": 1}, 0)
    assert (local.undo("last").code, sorted(local.state())) == (0, sorted(local.sids[:2]))
    assert local.undo("last").code == 0, "it undoes the undo"
    assert sorted(local.state()) == sorted(local.sids[:3])


def test_last_is_one_that_broke_off_and_may_have_changed_something(local: Pool) -> None:
    run = local.run("add", local.sids[2])
    edit(local, run, lambda lines: [line for line in lines if line["type"] in ("run", "intent")])
    ran = local.undo("last", "--dry-run")
    assert (ran.code, ran.actions) == (0, ["would_remove"])


def test_last_where_nothing_was_changed(cli: Cli) -> None:
    ran = cli("history", "undo", "last", "--yes", "-o", "json")
    assert (ran.code, "has changed anything" in ran.error["message"]) == (4, True)


# Records that say less than all


def edit(pool: Pool, run: str, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
    """Rewrite the record of a run."""
    path = pool.cli.directory / "state" / "history" / f"{run}.jsonl"
    lines = change([json.loads(line) for line in path.read_text().splitlines()])
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_items_that_nobody_knows_of_are_settled_by_the_pool(pool: Pool) -> None:
    """As after a kill -9 between the request and its answer: one of the two was done."""
    before = pool.state()
    run = pool.run("add", pool.sids[2], "--reserved")

    def two_intents(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        intent = next(line for line in lines if line["type"] == "intent")
        other = {**intent, "index": 1, "input": pool.sids[3], "sid": pool.sids[3], "phone_number": None}
        return [lines[0], intent, other]

    edit(pool, run, two_intents)
    ran = pool.undo(run)
    assert (ran.code, ran.actions) == (0, ["removed", "unchanged"])
    assert "as it was already" in ran.err
    assert pool.state() == before


def test_answers_that_were_lost(remote: Cli, server: Served) -> None:
    pool = Pool(remote)
    before = pool.state()
    script = [Scripted("reset-after", "POST", f"/PhoneNumbers/{pool.sids[1]}", times=None)]
    script.append(Scripted("503", "GET", f"/PhoneNumbers/{pool.sids[1]}", first=2, times=None))
    server.policies.faults = FaultPlan(script=script)
    options = ("--retries", "0", "--allow", "no-unreserved")
    ran = remote("number", "reserve", "masking", pool.sids[1], *options)
    assert (ran.code, remote.ok("history", "list", "-o", "json").json[0]["exit_code"]) == (7, 7)
    server.policies.faults = None
    assert pool.state() == {pool.sids[0]: True, pool.sids[1]: True}
    assert pool.undo(pool.last()).code == 0
    assert pool.state() == before


def test_damage_is_told(local: Pool) -> None:
    run = local.run("add", *local.sids[2:])
    path = local.cli.directory / "state" / "history" / f"{run}.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([lines[0], '{"type":"int\n', *lines[2:]]))
    ran = local.undo(run)
    assert ran.code == 0
    assert "warning: line 2" in ran.err
    assert len(ran.rows) == 1
    path.write_text("".join(lines[1:]))
    ran = local.undo(run)
    assert ran.code == 5
    assert "does not say on which account" in ran.error["message"]


HOSTILE = st.none() | st.integers() | st.text(max_size=8) | st.lists(st.integers(), max_size=1)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.sampled_from(["action", "sid", "phone_number", "input", "before", "state", "index"]), HOSTILE
    )
)
def test_a_record_that_was_tampered_with(cli: Cli, changes: dict[str, Any]) -> None:
    """Whatever it holds: a result or an error that is told, never a defect."""
    if not (cli.directory / "state").exists():
        Pool(cli)
    history = History(cli.directory / "state" / "history")
    service = cli.ok("service", "list", "-o", "ids").lines[0]
    recorder = history.begin(RunInfo("x", account_sid=ACCOUNT_SID, service_sid=service))
    intent = {"action": "remove", "sid": "PN" + "5" * 32, "input": "x", "before": {"is_reserved": True}}
    recorder.intent(0, intent | changes)
    recorder.outcome(0, {"state": "done", "action": "removed"} | changes)
    recorder.close()
    ran = cli("history", "undo", recorder.id, "--yes", "-o", "jsonl", "--no-history")
    assert ran.code in (0, 5, 6), ran.err
    assert "internal error" not in ran.err
    assert cli("history", "show", recorder.id).code == 0
