"""`history list`, `show` and `prune`: every write is there, nothing else is, and damage stops nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from proxyctl.sandbox.behaviour import ACCOUNT_SID
from proxyctl.sandbox.server.faults import FaultPlan, Scripted
from tests.sandbox.serving import Served
from tests.support import Cli, StandingClock

DAY = 86_400.0


def runs(cli: Cli, *options: str) -> Sequence[dict[str, Any]]:
    rows: list[dict[str, Any]] = cli.ok("history", "list", "-o", "json", *options).json
    return rows


def items(cli: Cli, run: str | None = None) -> list[dict[str, Any]]:
    """The items of a run (default: the newest)."""
    rows: list[dict[str, Any]] = cli.ok("history", "show", run or runs(cli)[0]["id"], "-o", "json").json
    return rows


def records(cli: Cli) -> list[Path]:
    return sorted((cli.directory / "state" / "history").glob("*.jsonl"))


@pytest.fixture
def sids(either: Cli) -> list[str]:
    """A Service "masking" with an empty pool, and three numbers of the account."""
    either.ok("service", "create", "masking")
    return [row["sid"] for row in either.seed(3)]


# Each write


def test_a_service_from_its_creation_to_its_end(either: Cli) -> None:
    either.ok("service", "create", "masking", "--default-ttl", "60")
    either.ok("service", "update", "masking", "--default-ttl", "90")
    either.ok("service", "delete", "masking", "--yes")
    found = runs(either)
    assert [run["command"].split()[2] for run in found] == ["delete", "update", "create"], "newest first"
    assert {run["outcome"] for run in found} == {"done"}
    assert {run["account_sid"] for run in found} == {ACCOUNT_SID}
    profile = either.ok("auth", "status", "-o", "json").json["profile"]
    assert {run["profile"] for run in found} == {profile or "environment"}
    deleted, updated, created = (items(either, run["id"])[0] for run in found)
    assert (created["before"], created["after"]["default_ttl"]) == (None, 60)
    assert (updated["before"]["default_ttl"], updated["after"]["default_ttl"]) == (60, 90)
    assert (deleted["before"]["default_ttl"], deleted["after"]) == (90, None)
    assert [each["action"] for each in (created, updated, deleted)] == [
        "create_service",
        "update_service",
        "delete_service",
    ]


def test_other_requests(either: Cli, sids: list[str]) -> None:
    service = either.ok("service", "show", "masking", "-o", "ids").lines[0]
    before = len(runs(either))
    either.ok("api", "POST", f"/v1/Services/{service}/PhoneNumbers", "-d", f"Sid={sids[0]}")
    either.ok("api", "DELETE", f"/v1/Services/{service}/PhoneNumbers/{sids[0]}", "--yes")
    either.ok("api", "GET", f"/v1/Services/{service}/PhoneNumbers", "--paginate")
    assert either("api", "DELETE", f"/v1/Services/{service}/PhoneNumbers/{sids[0]}", "--yes").code == 4
    found = runs(either)
    assert len(found) == before + 3
    assert [run["outcome"] for run in found[:3]] == ["exit 4", "done", "done"]
    assert [items(either, run["id"])[0]["action"].split()[:2] for run in found[:3]] == [
        ["api", "DELETE"],
        ["api", "DELETE"],
        ["api", "POST"],
    ]
    assert items(either)[0]["state"] == "failed"


def test_who_it_was(either: Cli, sids: list[str]) -> None:
    either.ok("number", "add", "masking", sids[0])
    (head, *_) = map(json.loads, records(either)[-1].read_text().splitlines())
    assert head["pid"] == os.getpid()
    shown = either.ok("history", "show", head["id"])
    assert f"{head['user'] or 'somebody'}@{head['host']}" in shown.err
    assert f"proxyctl number add masking {sids[0]}" in shown.err


def test_what_writes_nothing_is_not_recorded(either: Cli, sids: list[str]) -> None:
    either.ok("number", "add", "masking", *sids)
    before = runs(either)
    either.ok("number", "add", "masking", *sids)  # as wanted already
    either.ok("number", "list", "masking")
    either.ok("service", "list")
    either.ok("service", "create", "masking", "--if-not-exists")
    either.ok("number", "remove", "masking", *sids, "--dry-run")
    either.ok("service", "delete", "masking", "--dry-run")
    either.ok("api", "POST", "/v1/Services", "-d", "UniqueName=x", "--dry-run")
    assert either("number", "remove", "masking", *sids).code == 2  # not confirmed
    assert either("number", "reserve", "masking", "+14155559999").code == 4
    either.ok("number", "reserve", "masking", sids[0], "--no-history")
    assert runs(either) == before


def test_failed_and_unknown_items(remote: Cli, server: Served) -> None:
    remote.ok("service", "create", "masking")
    rows = remote.seed(4)
    names = [row["phone_number"] for row in rows]
    remote.ok("number", "add", "masking", *names[:3])
    script = [
        Scripted("timeout-after", "POST", f"/PhoneNumbers/{rows[0]['sid']}", times=None),
        Scripted("404", None, f"/PhoneNumbers/{rows[1]['sid']}", times=None),
    ]
    server.policies.faults = FaultPlan(script=script, hold=0.05)
    ran = remote("number", "reserve", "masking", *names[:3], names[3], "--retries", "0", "-o", "jsonl")
    assert ran.code == 6
    server.policies.faults = None
    states = {row["sid"]: row for row in items(remote)}
    told = {row["sid"]: row["action"] for row in ran.rows}
    assert set(states) == {row["sid"] for row in rows[:3]}, "what could not be sent is no write"
    assert states[rows[1]["sid"]]["state"] == told[rows[1]["sid"]] == "failed"
    assert states[rows[1]["sid"]]["message"]
    assert (states[rows[2]["sid"]]["state"], told[rows[2]["sid"]]) == ("done", "reserved")
    assert states[rows[0]["sid"]]["state"] == {"reserved": "done"}.get(told[rows[0]["sid"]], "unknown")
    run = runs(remote)[0]
    assert (run["outcome"], run["items"], run["done"]) == ("exit 6", 4, 4 - run["failed"])


def test_a_write_whose_answer_is_lost_is_verified(remote: Cli, server: Served) -> None:
    remote.ok("service", "create", "masking")
    server.policies.faults = FaultPlan(script=[Scripted("reset-after", "POST", times=None)])
    remote.ok("service", "update", "masking", "--default-ttl", "9", "--retries", "0")
    (item,) = items(remote)
    assert (item["action"], item["state"], item["before"]) == ("update_service", "done", {"default_ttl": 0})


# Listing


def test_since_and_limit(cli: Cli) -> None:
    clock = StandingClock()
    cli.clock = clock
    for day in range(4):
        cli.ok("service", "create", f"day-{day}")
        clock.time += DAY
    assert [run["command"].split()[-1] for run in runs(cli)] == ["day-3", "day-2", "day-1", "day-0"]
    assert len(runs(cli, "--since", "50h")) == 2
    assert len(runs(cli, "--since", "1h")) == 0
    ran = cli.ok("history", "list", "--limit", "3", "-o", "ids")
    assert len(ran.lines) == 3
    assert "--limit" in ran.err
    assert cli.ok("history", "list", "--limit", "4").err == ""
    assert cli("history", "list", "--since", "yesterday").code == 2
    assert cli("history", "list", "--limit", "0").code == 2


def test_formats(cli: Cli) -> None:
    assert runs(cli) == []
    cli.ok("service", "create", "masking")
    fields = [
        "id",
        "time",
        "command",
        "profile",
        "account_sid",
        "service",
        "items",
        "done",
        "failed",
        "outcome",
    ]
    assert list(runs(cli)[0]) == fields
    assert cli.ok("history", "list").lines[0].split("\t") == fields
    run = runs(cli)[0]["id"]
    assert cli.ok("history", "list", "--fields", "id", "--no-header").lines == [run]
    assert cli("history", "list", "--fields", "nothing").code == 2
    shown = [
        "index",
        "action",
        "input",
        "sid",
        "phone_number",
        "before",
        "after",
        "state",
        "at",
        "request_id",
        "code",
        "message",
    ]
    assert list(items(cli)[0]) == shown
    assert cli.ok("history", "show", run).lines[0].split("\t") == shown


@pytest.mark.parametrize("columns", ["80", "200"])
def test_tables(cli: Cli, columns: str) -> None:
    cli.ok("service", "create", "short")
    cli.ok("service", "create", "a-service-with-quite-a-long-name-" + "x" * 120)
    cli.ok("number", "add", "short", *[row["sid"] for row in cli.seed(2)])
    cli.environ["COLUMNS"] = columns
    ran = cli("history", "list", "--color", "never", tty=True)
    assert ran.code == 0
    assert all(len(line) <= int(columns) for line in ran.lines)
    assert runs(cli)[0]["id"] in ran.out
    assert "3 runs" in ran.out
    for run in runs(cli):
        shown = cli("history", "show", run["id"], "--color", "never", tty=True)
        assert all(len(line) <= int(columns) for line in shown.lines)
        assert "done" in shown.out, "how it ended is never dropped"


def test_a_command_that_names_hundreds_of_numbers(cli: Cli) -> None:
    cli.ok("service", "create", "masking")
    sids = [row["sid"] for row in cli.seed(600)]
    cli.ok("number", "add", "masking", *sids, "--reserved", "-q")
    ran = cli.ok("history", "list", "-o", "json", "--limit", "1", "-q")
    assert ran.err == "", "nothing is damaged"
    assert ran.json[0]["command"].startswith(f"proxyctl number add masking {sids[0]} ")
    assert len(ran.json[0]["command"]) <= 1001
    assert len(items(cli)) == 600
    asked = cli("history", "undo", ran.json[0]["id"], stdin="n\n", tty=True).err
    assert "masking: remove 600 numbers" in " ".join(asked.split())
    assert sids[20] not in asked
    table = cli("history", "list", "--color", "never", tty=True).out
    assert "number add" in table
    assert "proxyctl number" not in table


def test_an_id_may_be_cut_as_long_as_it_is_one_runs(cli: Cli) -> None:
    cli.clock = StandingClock()
    cli.ok("service", "create", "one")
    run = runs(cli)[0]["id"]
    assert items(cli, run[:8]) == items(cli, run)
    cli.clock.time += 10
    cli.ok("service", "create", "two")
    ran = cli("history", "show", run[:8])
    assert ran.code == 4
    assert "2 runs" in ran.err
    for wrong in ("20", "nonsense", "", "../" + run, run + "0"):
        assert cli("history", "show", wrong).code == 4


# Damage and forgetting


def test_damage_is_told_and_stops_nothing(cli: Cli) -> None:
    cli.ok("service", "create", "masking")
    sids = [row["sid"] for row in cli.seed(2)]
    cli.ok("number", "add", "masking", *sids)
    first, second = records(cli)
    lines = second.read_text().splitlines(keepends=True)
    second.write_text("".join([lines[0], lines[1][:20] + "\n", '{"type": []}\n', "\0\0\n", *lines[2:]]))
    ran = cli.ok("history", "show", second.stem, "-o", "json")
    assert len(ran.json) == 2
    assert ran.err.count("warning: line") == 3
    first.write_bytes(b"\xff\xfe garbage\n" + first.read_bytes())
    ran = cli.ok("history", "list", "-o", "json")
    assert [run["id"] for run in ran.json] == [second.stem, first.stem]
    assert f"warning: run {first.stem}: its first line is damaged" in ran.err
    first.write_bytes(b"")
    (first.parent / "notes.txt").write_text("not a record")
    (first.parent / "20260101-000000-000.jsonl").mkdir()
    ran = cli.ok("history", "list", "-o", "json")
    assert len(ran.json) == 3
    assert ran.err.count("warning") == 2
    assert cli.ok("service", "create", "goes-on").code == 0


def test_hostile_text_is_shown_as_text(cli: Cli) -> None:
    cli.ok("service", "create", "masking")
    (path,) = records(cli)
    path.write_text(path.read_text().replace("proxyctl service create", "\\u001b[31m[red]\\u202e"))
    ran = cli("history", "list", tty=True)
    assert "\x1b[31m[red]" not in ran.out
    assert "[red]" in ran.out
    shown = cli("history", "show", path.stem, tty=True)
    assert "\x1b[31m[red]" not in shown.err


def test_prune(cli: Cli) -> None:
    clock = cli.clock = StandingClock()
    for _ in range(3):
        cli.ok("service", "create", f"at-{clock.time}")
        clock.time += 10 * DAY
    ran = cli.ok("history", "prune", "--older-than", "15d")
    assert ran.err == "forgot 2 runs.\n"
    assert len(runs(cli)) == 1
    assert cli.ok("history", "prune", "--older-than", "15d").err == "forgot no runs.\n"
    assert cli.ok("history", "prune", "--older-than", "1s", "-q").err == ""
    assert runs(cli) == []
    assert cli("history", "prune").code == 2
    assert cli("history", "prune", "--older-than", "-1d").code == 2


def test_it_forgets_by_itself(cli: Cli) -> None:
    clock = cli.clock = StandingClock()
    for name in ("oldest", "old", "new"):
        cli.ok("service", "create", name)
        clock.time += 50 * DAY
    assert [run["command"].split()[-1] for run in runs(cli)] == ["new", "old"]


def test_a_clock_that_jumped_forgets_nothing(cli: Cli) -> None:
    clock = cli.clock = StandingClock()
    for name in ("one", "two"):
        cli.ok("service", "create", name)
    clock.time += 91 * DAY
    for name in ("three", "four"):
        cli.ok("service", "create", name)
    assert len(runs(cli)) == 4


# Where it can't be written


def test_no_history_where_state_cannot_be_written(cli: Cli) -> None:
    cli.ok("service", "create", "masking")
    history = cli.directory / "state" / "history"
    for path in records(cli):
        path.unlink()
    history.rmdir()
    history.write_text("in the way")
    ran = cli("service", "update", "masking", "--default-ttl", "9")
    assert ran.code == 1
    assert "--no-history" in ran.err
    assert cli.ok("service", "show", "masking", "-o", "json").json["default_ttl"] == 0, "nothing was sent"
    cli.ok("service", "update", "masking", "--default-ttl", "9", "--no-history")
    assert cli.ok("service", "show", "masking", "-o", "json").json["default_ttl"] == 9


def test_records_are_private(cli: Cli) -> None:
    old = os.umask(0)
    try:
        cli.ok("service", "create", "masking")
    finally:
        os.umask(old)
    (path,) = records(cli)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
