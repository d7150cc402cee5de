"""A row whose SID is that of another number than the one it names: never silently taken for what it says."""

from __future__ import annotations

from pathlib import Path

from tests.support import Cli


def test_an_add_tells_of_a_sid_that_is_another_numbers(either: Cli, tmp_path: Path) -> None:
    right, wrong = either.seed(2)
    file = tmp_path / "rows.csv"
    file.write_text(
        f"sid,phone_number\n{right['sid']},{right['phone_number']}\n{wrong['sid']},+12025550123\n"
    )
    either.ok("service", "create", "masking", "-q")
    first = either("number", "reserve", "masking", "-f", str(file), "--add", "-o", "json")
    assert first.code == 6
    assert [row["action"] for row in first.json] == ["added", "added"]
    assert [row["error"] and row["error"]["exit_code"] for row in first.json] == [None, 5]
    assert wrong["phone_number"] in first.json[1]["error"]["message"]
    again = either("number", "reserve", "masking", "-f", str(file), "--add", "-o", "json")
    assert again.code == 6
    assert [row["action"] for row in again.json] == ["unchanged", "failed"]
    undone = either.ok(
        "history", "undo", either.ok("history", "list", "-o", "ids").lines[0], "--yes", "-o", "json"
    )
    assert {row["action"] for row in undone.json} == {"removed"}
