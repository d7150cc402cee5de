"""`pool status`: rows for dashboards, bars for people, an exit code for monitoring."""

from __future__ import annotations

import pytest

from proxyctl.sandbox.server.faults import FaultPlan, Scripted
from tests.sandbox.serving import Served
from tests.support import Cli

# The contract with dashboards: keys are only ever added.
KEYS = [
    *("service", "sid", "reserved", "reserved_limit", "unreserved", "unreserved_limit", "in_use", "idle"),
    *("sessions", "share", "by_country", "by_capability", "busiest", "warnings"),
]


@pytest.fixture
def pools(either: Cli) -> Cli:
    """Service a: 2 reserved and 1 unreserved number, one of them busy; b: 1 German number; empty: none."""
    us, german = either.seed(3), either.seed(1, country="DE")
    for name in ("b", "a", "empty"):
        either.ok("service", "create", name, "-q")
    either.ok("number", "add", "a", us[0]["sid"], us[1]["sid"], "--reserved")
    either.ok("number", "add", "a", us[2]["sid"])
    either.ok("number", "add", "b", german[0]["sid"])
    either.ok("sandbox", "busy", us[2]["sid"], "101")
    return either


def test_a_row_for_each_service(pools: Cli) -> None:
    rows = pools.ok("pool", "status", "--all", "-o", "json").json
    assert [row["service"] for row in rows] == ["a", "b", "empty"]
    assert [list(row) for row in rows] == [KEYS] * 3
    a, b, empty = rows
    assert (a["reserved"], a["unreserved"], a["in_use"], a["idle"], a["sessions"]) == (2, 1, 1, 2, 101)
    assert (a["reserved_limit"], a["unreserved_limit"], a["share"]) == (5000, 500, 0.2)
    assert (a["by_country"], b["by_country"], empty["by_country"]) == ({"US": 3}, {"DE": 1}, {})
    assert a["by_capability"]["sms_inbound"] == 3 and "fax_inbound" not in b["by_capability"]
    assert [each["in_use"] for each in a["busiest"]] == [101]
    assert len(a["warnings"]) == 1 and b["warnings"] == []
    assert (empty["idle"], empty["share"], empty["busiest"]) == (0, 0.0, [])
    assert pools.ok("pool", "status", "a", "-o", "json").json == [a], "an array for one Service too"
    assert pools.ok("pool", "status", a["sid"], "a", "-o", "jsonl").rows == [a]
    assert pools.ok("pool", "status", "--all", "-o", "ids").lines == [row["sid"] for row in rows]
    table = pools.ok("pool", "status", "--all")
    assert table.lines[0] == "\t".join(KEYS) and table.err == ""
    assert pools.ok("pool", "status", "--all", "--fields", "service,by_country.US", "--no-header").lines == [
        *("a\t3", "b\t", "empty\t"),
    ]


def test_usage(pools: Cli) -> None:
    for wrong in ("-1", "100.5", "nan", "inf", "x", ""):
        assert pools("pool", "status", "a", "--fail-above", wrong).code == 2, wrong
    assert pools("pool", "status", "a", "--fields", "nope").code == 2


def test_fail_above_prints_and_fails(pools: Cli) -> None:
    ran = pools("pool", "status", "--all", "--fail-above", "0.1", "-o", "json")
    assert ran.code == 8 and len(ran.json) == 3
    assert ran.error["kind"] == "check" and ran.error["exit_code"] == 8
    assert "a: unreserved 0.2 % (1 of 500)" in ran.error["message"]
    assert "b: unreserved 0.2 % (1 of 500)" in ran.error["message"] and "empty" not in ran.error["message"]
    assert pools.ok("pool", "status", "--all", "--fail-above", "0.2").err == "", (
        "at the limit is not above it"
    )
    assert pools("pool", "status", "empty", "--fail-above", "0").code == 0


def test_bars_on_a_terminal(pools: Cli) -> None:
    ran = pools("pool", "status", "--all", tty=True, environ={"COLUMNS": "80", "NO_COLOR": "1"})
    assert ran.code == 0
    lines = ran.lines
    assert all(len(line) <= 80 for line in lines)
    assert lines[0].split() == ["Service", "Reserved", "Unreserved", "In", "use", "Sessions"]
    assert lines[2].split()[:5] == ["a", "█░░░░░░░░░", "2", "0.0", "%"]
    assert lines[4].count("░" * 10) == 2, "nothing is an empty bar"
    assert "a: 1 number has more than 100 open Sessions" in ran.err
    ascii_only = pools("pool", "status", "--all", tty=True, environ={"COLUMNS": "120", "TERM": "dumb"})
    assert ascii_only.out.isascii() and "#........." in ascii_only.out and "US 3" in ascii_only.out


def test_one_service_is_a_sheet_on_a_terminal(pools: Cli) -> None:
    ran = pools("pool", "status", "a", tty=True, environ={"COLUMNS": "80", "NO_COLOR": "1"})
    entries = {line.split("  ")[0]: line.split("  ")[-1] for line in ran.lines}
    assert entries["by_country.US"].strip() == "3" and "(101)" in entries["busiest"]
    assert "of 5000" in entries["reserved"] and "more than 100" in entries["warnings"]


def test_what_was_read_is_printed_where_one_can_t_be(remote: Cli, server: Served) -> None:
    for name in "abc":
        remote.ok("service", "create", name, "-q")
    sid = remote.ok("service", "show", "b", "-o", "ids").lines[0]
    server.policies.faults = FaultPlan(script=[Scripted("503", "GET", f"{sid}/PhoneNumbers", times=None)])
    ran = remote("pool", "status", "--all", "--retries", "0", "-o", "json")
    assert ran.code == 7
    rows = ran.json if ran.out else []  # side by side: the one that fails may be the first to answer
    assert "b" not in {row["service"] for row in rows}
