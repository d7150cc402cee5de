"""Every transcript of README and of the help topics shows what the program prints; GOLDEN=write writes them anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from proxyctl.help import topics
from tests.golden.transcripts import TRANSCRIPT, replayed
from tests.support import REPOSITORY

TOPICS = Path(topics.__file__).with_name("topics")
OF_README = {"TERM": "xterm-256color", "COLUMNS": "80"}
OF_TOPICS = {"TERM": "dumb", "COLUMNS": "68"}  # for man pages: ASCII, and as wide as an example may be
POOL = (
    "proxyctl sandbox seed --numbers 3 --seed 7 -o csv --fields phone_number > numbers.csv",
    "proxyctl --sandbox service create masking-prod -q",
    "proxyctl --sandbox number add masking-prod -f numbers.csv -q",
)
# What was done before a document's first transcript.
BEFORE = {
    "README": ("proxyctl sandbox seed --scenario agency --seed 1 -q",),
    "rules": POOL,
    "troubleshooting": POOL,
}
DOCUMENTS = [
    REPOSITORY / "README.md",
    *(path for path in sorted(TOPICS.glob("*.txt")) if TRANSCRIPT.search(path.read_text())),
]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_transcripts_show_what_the_program_prints(path: Path, tmp_path: Path) -> None:
    text = path.read_text()
    terminal = OF_README if path.suffix == ".md" else OF_TOPICS
    found = replayed(text, tmp_path, terminal, BEFORE.get(path.stem, ()))
    if os.environ.get("GOLDEN") == "write":
        path.write_text(found)
        return
    assert found.splitlines() == text.splitlines()


def test_there_are_transcripts() -> None:
    assert {"README", "first-steps", "rules"} <= {path.stem for path in DOCUMENTS}
