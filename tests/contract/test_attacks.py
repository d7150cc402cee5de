"""The table of attacks is complete, and each of its tests exists; and the attacks that no other test runs."""

from __future__ import annotations

from typing import Any

import pytest

from proxyctl.sandbox.context import Request
from tests.battery.foreign import Foreign, foreign, hostile
from tests.battery.front import SECRET
from tests.battery.test_foreign_names import COMMANDS
from tests.battery.test_wrong_answers import spoil
from tests.contract.attacks import ATTACKS, GROUPS
from tests.support import REPOSITORY, Ran, all_commands

__all__ = ["foreign", "hostile"]  # fixtures


def test_every_group_has_a_row_and_every_attack_a_cell() -> None:
    groups = {node.path[0] for node in all_commands() if node.path}
    assert groups == GROUPS.keys(), "tests/contract/attacks.py: add a row, and run each attack or say why not"
    assert all(row.keys() == ATTACKS for row in GROUPS.values())


@pytest.mark.parametrize(
    "cell", sorted({cell for row in GROUPS.values() for cell in row.values() if "::" in cell})
)
def test_a_test_of_the_table_exists(cell: str) -> None:
    file, _, name = cell.partition("::")
    assert f"\ndef {name}(" in (REPOSITORY / file).read_text()


@pytest.mark.parametrize("command", COMMANDS)
def test_the_secret_in_answers_is_not_said_or_kept(foreign: Foreign, command: str) -> None:
    """As a server would echo it: in names, and in a key that nobody asked for. Stdout has the answer as it is."""

    def echoed(row: dict[str, Any]) -> None:
        row |= {
            key: f"x {SECRET}"
            for key in ("unique_name", "friendly_name", "echo")
            if key in row or key == "echo"
        }

    foreign.spoil_rows(echoed)
    for line in COMMANDS[command]:
        for options in ("-vv", "-o json"):
            ran = foreign(f"{line} {options}")
            assert "internal error" not in ran.err, ran.err
            foreign.stage.ran.append(Ran(ran.code, "", ran.err))
    (foreign.stage.directory / "run" / "config" / "config.toml").unlink()  # the secret is in it
    foreign.stage.left_no_trace()


# What the first two read of lists is no row of their own; the others read a list for the facts of a refusal alone.
LIST_IS_ASIDE = ("doctor", "service create", "session create", "participant add")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_page_that_is_too_large_changes_nothing(foreign: Foreign, command: str) -> None:
    asked = []

    def grown(request: Request, body: Any) -> Any:
        for key, value in body.items():
            if isinstance(value, list) and value and isinstance(value[0], dict):
                asked.append(key)
                body[key] = value * 1001
        return body

    spoil(foreign.stage, grown)
    for line in COMMANDS[command]:
        asked.clear()
        ran = foreign(line)
        assert "internal error" not in ran.err, ran.err
        if asked and command not in LIST_IS_ASIDE:
            assert ran.code, (line, ran.out)
            assert "larger than any response" in ran.err, (line, ran.err)
