"""The small files of runs that may have numbers in transit: damage is no error, and accounts are kept apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxyctl.errors import OutputError
from proxyctl.state.transit import Transit, Transits

ACCOUNT, OTHER = "AC" + "1" * 32, "AC" + "2" * 32
A, B, C = ("KS" + letter * 32 for letter in "abc")
RUN = Transit("20261129-000000-001", (A, B), "proxyctl number move", 3)


def test_a_run_is_found_by_each_of_its_services_until_it_ends(tmp_path: Path) -> None:
    transits = Transits(tmp_path / "transit", ACCOUNT)
    assert transits.of([A, None]) == []
    transits.begin(RUN)
    assert [transits.of([sid]) for sid in (A, B, C)] == [[RUN], [RUN], []]
    assert Transits(tmp_path / "transit", OTHER).of([A]) == []
    transits.end(RUN.run)
    transits.end(RUN.run)
    assert transits.of([A]) == []


ENDLESS = '{"run": "x", "services": [], "command": "y", "attaches": 1e999}'


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"run": "x", "services": 3}', ENDLESS, "[" * 100_000])
def test_a_torn_or_damaged_file_is_left_out(tmp_path: Path, text: str) -> None:
    transits = Transits(tmp_path, ACCOUNT)
    transits.begin(RUN)
    (file,) = tmp_path.glob("*.json")
    file.write_text(text)
    assert transits.of([A]) == []


def test_a_directory_that_can_not_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        Transits(tmp_path / "file" / "transit", ACCOUNT).begin(RUN)
