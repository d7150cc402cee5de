"""`number list`: what a table shows of Services and Messaging Services, and the order of values of any type.

Its rows, filters and refusals are in ``tests/golden/reads``.
"""

from __future__ import annotations

from typing import Any

from proxyctl.commands.listing import in_order
from proxyctl.render.shapes import Shape
from tests.commands.pool_support import fill, messaging_service
from tests.support import Cli

TERMINAL = {"COLUMNS": "80", "NO_COLOR": "1"}


def test_values_of_any_type_sort_without_an_error() -> None:
    rows: list[dict[str, Any]] = [{"x": value} for value in ("b", None, 2, {"k": 1}, 1, True, "a")]
    shape = Shape.generic("row", ("x",))
    up = [row["x"] for row in in_order("x", rows, shape)]
    assert up[:3] == [1, True, 2] and up[-1] is None
    assert [row["x"] for row in in_order("-x", rows, shape)][-1] is None


def test_a_table_names_services_and_messaging_services(cli: Cli) -> None:
    first, second, third, _ = (row["sid"] for row in cli.seed(4))
    fill(cli, "a", [first])
    fill(cli, "a-service-with-quite-a-long-name", [second])
    messaging_service(cli, third)
    unassigned = cli("number", "list", "--unassigned", tty=True, environ=TERMINAL)
    assert unassigned.code == 0
    assert "Messaging Service" in unassigned.lines[0] and unassigned.lines[2].endswith("mg")
    pools = cli("number", "list", "--all", tty=True, environ=TERMINAL)
    assert pools.lines[0].split()[0] == "Service" and second in pools.out
    assert "a-service" in pools.out and "KS" not in pools.out
    assert all(len(line) <= 80 for line in unassigned.lines + pools.lines)
    assert cli("number", "list", "a", tty=True, environ=TERMINAL).lines[0].split()[0] == "Phone"
    rows = cli.ok("number", "list", "--all", "-o", "json").json
    assert all("service" not in row and row["service_sid"] for row in rows), "JSON stays the API's own"
    assert cli("number", "list", "--all", "-o", "table", "--fields", "service").code == 2
