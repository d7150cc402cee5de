"""`pool status` at a terminal, and where a pool can't be read. Its rows are in ``tests/golden/reads``."""

from __future__ import annotations

from proxyctl.sandbox.server.faults import FaultPlan, Scripted
from tests.commands.pool_support import fill
from tests.sandbox.serving import Served
from tests.support import Cli


def test_bars_and_a_sheet_on_a_terminal(cli: Cli) -> None:
    """Service a: 2 reserved and 1 unreserved number, the last one busy; b: 1 German number; empty: none."""
    us, german = [row["sid"] for row in cli.seed(3)], cli.seed(1, country="DE")
    cli.ok("service", "create", "empty", "-q")
    fill(cli, "a", us[:2])
    fill(cli, "a", us[2:], reserved=False)
    fill(cli, "b", [german[0]["sid"]], reserved=False)
    cli.ok("sandbox", "busy", us[2], "101")
    narrow = {"COLUMNS": "80", "NO_COLOR": "1"}
    ran = cli("pool", "status", "--all", tty=True, environ=narrow)
    assert ran.code == 0
    assert all(len(line) <= 80 for line in ran.lines)
    assert ran.lines[0].split() == ["Service", "Reserved", "Unreserved", "In", "use", "Sessions"]
    assert ran.lines[2].split()[:5] == ["a", "█░░░░░░░░░", "2", "0.0", "%"]
    assert ran.lines[4].count("░" * 10) == 2, "nothing is an empty bar"
    assert "a: 1 number has more than 100 open Sessions" in ran.err
    ascii_only = cli("pool", "status", "--all", tty=True, environ={"COLUMNS": "120", "TERM": "dumb"})
    assert ascii_only.out.isascii() and "#........." in ascii_only.out and "US 3" in ascii_only.out
    sheet = cli("pool", "status", "a", tty=True, environ=narrow).lines
    entries = {line.split("  ")[0]: line.split("  ")[-1] for line in sheet}
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
