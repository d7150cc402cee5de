"""`pool status` at a terminal, and where a pool can't be read. Its rows are in ``tests/golden/reads``."""

from __future__ import annotations

from rich.cells import cell_len

from proxyctl.sandbox.server.faults import FaultPlan, Scripted
from tests.commands.pool_support import fill
from tests.sandbox.serving import Served
from tests.support import Cli


def test_bars_fit_the_terminal(cli: Cli) -> None:
    """Service a: 2 reserved and 1 unreserved number, the last one busy; a long name; empty: none."""
    us, german = [row["sid"] for row in cli.seed(3)], cli.seed(1, country="DE")
    long_name = "a-name-that-is-longer-than-any-column"
    cli.ok("service", "create", "empty", "-q")
    fill(cli, "a", us[:2])
    fill(cli, "a", us[2:], reserved=False)
    fill(cli, long_name, [german[0]["sid"]], reserved=False)
    cli.ok("sandbox", "busy", us[2], "101")
    for width in (40, 50, 60, 80, 100, 200):
        ran = cli("pool", "status", "--all", tty=True, environ={"COLUMNS": str(width), "NO_COLOR": "1"})
        assert ran.code == 0 and ran.err == ""
        assert all(cell_len(line) <= width for line in ran.lines), ran.out
        assert ran.lines[0].split()[:2] == ["Service", "Reserved"] and "0%" in ran.lines[1]
        assert ("▏" in ran.out, "Sessions" in ran.lines[0]) == (width >= 80, width >= 60)
        assert long_name in ran.out and "has 101 Sessions" in " ".join(ran.out.split())
    ascii_only = cli("pool", "status", "--all", tty=True, environ={"COLUMNS": "120", "TERM": "dumb"})
    assert ascii_only.out.isascii() and "|        |     2   0%" in ascii_only.out


def test_what_was_read_is_printed_where_one_can_t_be(remote: Cli, server: Served) -> None:
    for name in "abc":
        remote.ok("service", "create", name, "-q")
    sid = remote.ok("service", "show", "b", "-o", "ids").lines[0]
    server.policies.faults = FaultPlan(script=[Scripted("503", "GET", f"{sid}/PhoneNumbers", times=None)])
    ran = remote("pool", "status", "--all", "--retries", "0", "-o", "json")
    assert ran.code == 7
    rows = ran.json if ran.out else []  # side by side: the one that fails may be the first to answer
    assert "b" not in {row["service"] for row in rows}
