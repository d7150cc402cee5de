"""`history undo` of a run on several Services: all is as it was before `pool apply`."""

from __future__ import annotations

from pathlib import Path

from tests.commands.pool_support import fill, numbers_of, pool_file
from tests.support import Cli


def newest(cli: Cli) -> str:
    return str(cli.ok("history", "list", "-o", "json").json[0]["id"])


def test_what_has_changed_since_is_refused(cli: Cli, tmp_path: Path) -> None:
    numbers = [row["phone_number"] for row in cli.seed(4)]
    fill(cli, "a", numbers[:2])
    fill(cli, "b", numbers[2:3])
    file = pool_file(
        tmp_path,
        {
            "a": {"default_ttl": 5, "numbers": {"reserved": numbers[2:]}},
            "b": {"numbers": {"reserved": [numbers[0]]}},
        },
    )
    assert cli("pool", "apply", file, "--yes").code == 0
    run = newest(cli)
    cli.ok("service", "update", "a", "--default-ttl", "6")
    cli.ok("sandbox", "busy", numbers[0], "1")
    undone = cli("history", "undo", run, "--yes", "-o", "json")
    assert undone.code == 6
    failed = {row["input"]: row["error"]["message"] for row in undone.json if row["action"] == "failed"}
    assert "default_ttl" in failed["a"] and "in use" in failed[numbers[0]] + str(undone.json)
    assert numbers_of(cli, "b") == {numbers[0]: True, numbers[2]: True}
    assert numbers_of(cli, "a") == {numbers[1]: True}


def test_a_service_that_is_gone(cli: Cli, tmp_path: Path) -> None:
    numbers = [row["phone_number"] for row in cli.seed(2)]
    file = pool_file(
        tmp_path, {"a": {"numbers": {"reserved": numbers[:1]}}, "b": {"numbers": {"reserved": numbers[1:]}}}
    )
    assert cli("pool", "apply", file, "--yes").code == 0
    run = newest(cli)
    cli.ok("service", "delete", "b", "--yes")
    undone = cli("history", "undo", run, "--yes")
    assert undone.code == 4
    assert "does not exist any more" in undone.err
