"""What commands print, in each form, and their exit codes: the files in ``writes/`` and ``reads/`` are the contract.

``GOLDEN=write pytest tests/golden`` writes them anew; read the difference before it is committed.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.golden.replay import replay

FILES = sorted(Path(__file__).parent.glob("*/*.txt"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_commands_print_what_the_file_says(path: Path, tmp_path: Path) -> None:
    script = path.read_text()
    found = replay(script, tmp_path)
    if os.environ.get("GOLDEN") == "write":
        path.write_text(found)
        return
    assert found.splitlines() == script.splitlines()
