"""`pool audit`: what it says corrects what it found. All that it finds is in ``tests/golden/reads``."""

from __future__ import annotations

import shlex

import pytest

from tests.support import Cli

PLACEHOLDERS = ("numbers.csv", "OTHER-SERVICE")
URL = "https://app.example.com/events"


@pytest.fixture
def agency(cli: Cli) -> Cli:
    cli.ok("sandbox", "seed", "--scenario", "agency", "--seed", "1", "-o", "ids")
    return cli


def test_what_it_says_mends_it(agency: Cli) -> None:
    """Each command that names all it needs is typed as it stands; then there is nothing of its kind left."""
    rows = agency("pool", "audit", "--all", "-o", "json").json
    typed = [row for row in rows if not any(word in row["fix"] for word in PLACEHOLDERS)]
    assert len(typed) > 20
    for command in dict.fromkeys(row["fix"] for row in typed):
        _, *words = shlex.split(command.replace("VOICE_URL", URL).replace("SMS_URL", URL))
        ran = agency(*words, "-q", *(["--yes"] if "webhooks" in words else []))
        assert ran.code == 0, f"{command}: {ran.err}"
    left = agency("pool", "audit", "--all", "-o", "json").json
    lasting = {"number-overloaded", "number-without-sms"}  # drained now; who can't do SMS never will
    assert {row["id"] for row in left} == {
        *("pool-near-limit", "service-empty", "service-all-reserved"),
        *lasting,
    }
    assert {row["severity"] for row in left if row["id"] == "number-without-sms"} == {"info"}


def test_a_table_says_how_to_mend_each_kind(agency: Cli) -> None:
    ran = agency("pool", "audit", "--all", tty=True, environ={"COLUMNS": "80", "NO_COLOR": "1"})
    assert ran.code == 8
    assert all(len(line) <= 80 for line in ran.lines)
    assert ran.lines[0].split() == ["Severity", "Object", "Finding"]
    for row in agency("pool", "audit", "--all", "-o", "json").json:
        assert f"{row['id']}, " in ran.err
    assert "found 5 errors, 27 warnings, 1 info." in " ".join(ran.err.split())
