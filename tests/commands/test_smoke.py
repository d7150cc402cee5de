"""The main job from end to end, both ways into the sandbox."""

from __future__ import annotations

from pathlib import Path

from tests.support import Cli


def test_main_job(either: Cli, tmp_path: Path) -> None:
    numbers = either.seed(12)
    file = tmp_path / "numbers.csv"
    file.write_text("phone_number\n" + "\n".join(n["phone_number"] for n in numbers) + "\n")
    service = either.ok("service", "create", "masking", "-o", "json").json
    assert service["unique_name"] == "masking"

    first = either.ok("number", "reserve", "masking", "-f", str(file), "--add", "-o", "json")
    assert [row["action"] for row in first.json] == ["added"] * 12
    assert "added 12, failed 0" in first.err

    again = either.ok("number", "reserve", "masking", "-f", str(file), "--add", "-o", "json")
    assert {row["action"] for row in again.json} == {"unchanged"}

    assert either.ok("number", "list", "masking", "--reserved", "--count").out == "12\n"
    assert either.ok("number", "release", "masking", numbers[0]["sid"]).code == 0
    assert either.ok("number", "list", "masking", "--unreserved", "-o", "ids").lines == [numbers[0]["sid"]]
    assert either.ok("number", "remove", "masking", "-f", str(file), "--yes", "-q").out == ""
    assert either.ok("number", "list", "masking", "-o", "json").json == []
    assert either.ok("service", "delete", "masking", "--yes").out == ""
    assert either("service", "show", "masking").code == 4
