"""`history`: who it was, tables, damage, and where it can't be written. What is listed is in ``tests/golden/reads``."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from proxyctl.sandbox.server.faults import FaultPlan, Scripted
from tests.sandbox.serving import Served
from tests.support import Cli


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


def test_who_it_was(either: Cli, sids: list[str]) -> None:
    either.ok("number", "add", "masking", sids[0])
    (head, *_) = map(json.loads, records(either)[-1].read_text().splitlines())
    assert head["pid"] == os.getpid()
    shown = either.ok("history", "show", head["id"])
    assert f"{head['user'] or 'somebody'}@{head['host']}" in shown.err
    assert f"proxyctl number add masking {sids[0]}" in shown.err


def test_failed_and_unknown_items(remote: Cli, server: Served) -> None:
    remote.ok("service", "create", "masking")
    rows = remote.seed(5)
    names = [row["phone_number"] for row in rows]
    remote.ok("number", "add", "masking", *names[:3], names[4])
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
    assert set(states) == {*(row["sid"] for row in rows[:3]), None}
    assert (states[None]["phone_number"], states[None]["state"], states[None]["request_id"]) == (
        names[3],
        "failed",
        None,
    ), "nothing was sent for it"
    assert "not in the pool" in states[None]["message"]
    assert states[rows[1]["sid"]]["state"] == told[rows[1]["sid"]] == "failed"
    assert states[rows[1]["sid"]]["message"]
    assert (states[rows[2]["sid"]]["state"], told[rows[2]["sid"]]) == ("done", "reserved")
    assert states[rows[0]["sid"]]["state"] == {"reserved": "done"}.get(told[rows[0]["sid"]], "unknown")
    run = runs(remote)[0]
    counts = {word: run[word] for word in ("changed", "failed", "unknown")}
    assert run["exit_code"] == 6 and sum(counts.values()) == 4
    assert counts["failed"] == ran.counts["failed"] and counts["changed"] == ran.counts["reserved"]


# Listing


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
        assert all(len(line) <= int(columns) or "x" * 100 in line for line in shown.lines)
        assert "exit 0" in shown.out and run["command"][:60] in " ".join(shown.out.split())


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
    assert "remove 600" in asked and "… and 597 more" in asked
    assert sids[20] not in asked
    table = cli("history", "list", "--color", "never", tty=True).out
    assert "number add" in table
    assert "proxyctl number" not in table


def test_the_counts_are_those_of_the_run(cli: Cli) -> None:
    cli.ok("service", "create", "masking")
    sids = [row["sid"] for row in cli.seed(3)]
    cli.ok("number", "add", "masking", *sids[:2])
    cli.ok("number", "add", "masking", *sids)
    cli.ok("number", "add", "masking", *sids)
    cli.ok("service", "create", "masking", "--if-not-exists")
    refused = cli("number", "reserve", "masking", *sids)  # the last unreserved one
    newest, exists, nothing, mixed, *_ = runs(cli)
    assert (newest["exit_code"], newest["changed"], newest["failed"]) == (refused.code, 0, 0) == (5, 0, 0)
    assert (exists["verb"], exists["changed"], exists["unchanged"]) == ("service create", 0, 1)
    assert (nothing["changed"], nothing["unchanged"], nothing["exit_code"]) == (0, 3, 0)
    assert (mixed["verb"], mixed["service"], mixed["changed"], mixed["unchanged"]) == (
        "number add",
        "masking",
        1,
        2,
    )
    assert "no unreserved" in cli("history", "show", newest["id"], tty=True).out, "a failure has its reason"


def test_a_run_without_an_end_is_counted_by_its_items(cli: Cli) -> None:
    cli.ok("service", "create", "masking")
    cli.ok("number", "add", "masking", *[row["sid"] for row in cli.seed(2)])
    path = records(cli)[-1]
    lines = [line for line in path.read_text().splitlines(keepends=True) if '"type":"end"' not in line]
    path.write_text("".join(lines[:-1]))
    (run, _) = runs(cli)
    assert (run["changed"], run["unknown"], run["exit_code"], run["seconds"]) == (1, 1, None, None)
    assert [run["id"]] == [row["id"] for row in runs(cli, "--failed")]


def test_runs_of_one_service_of_failures_and_of_a_profile(cli: Cli) -> None:
    sid = cli.ok("service", "create", "masking", "-o", "json").json["sid"]
    cli.ok("service", "create", "other")
    (number,) = (row["sid"] for row in cli.seed(1))
    cli.ok("number", "add", "masking", number)
    cli.ok(
        "number", "move", number, "--from", "masking", "--to", "other", "--yes", "--allow", "no-unreserved"
    )
    assert cli("number", "reserve", "masking", number).code == 4
    verbs = [row["verb"] for row in runs(cli, "--service", "masking")]
    assert verbs == ["number reserve", "number move", "number add", "service create"]
    assert [row["verb"] for row in runs(cli, "--service", sid)] == ["number reserve", "number add"]
    assert [row["exit_code"] for row in runs(cli, "--failed")] == [4]
    assert len(runs(cli, "--sandbox")) == len(runs(cli)) and runs(cli, "-p", "prod") == []


def test_no_record_where_none_is_wanted(cli: Cli) -> None:
    cli.ok("service", "create", "masking")
    for line in (("--no-history",), ("--dry-run",)):
        cli.ok("service", "create", "masking", "--if-not-exists", *line)
    assert cli("service", "delete", "masking").code == 2, "it was not confirmed"
    assert len(runs(cli)) == 1


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
