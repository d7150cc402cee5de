"""`pool audit`: finds what was planted, says how to mend it, and what it says mends it."""

from __future__ import annotations

import shlex
from collections import Counter

import pytest

from tests.commands.pool_support import fill
from tests.support import Cli

KEYS = ["severity", "id", "object", "name", "service", "message", "mend"]
GOOD = ("--callback-url", "https://app.example.com/events")
PLACEHOLDERS = ("numbers.csv", "OTHER-SERVICE")

AGENCY = {
    ("error", "callback-at-proxy"): 1,
    ("error", "messaging-not-deferring"): 1,
    ("error", "webhook-elsewhere"): 3,
    ("warning", "callback-not-https"): 1,
    ("warning", "number-overloaded"): 1,
    ("warning", "number-without-sms"): 10,
    ("warning", "pool-near-limit"): 2,
    ("warning", "service-empty"): 1,
    ("warning", "webhook-demo"): 3,
    ("warning", "webhook-stale"): 7,
    ("info", "callback-missing"): 1,
    ("info", "service-all-reserved"): 2,
}


@pytest.fixture
def agency(cli: Cli) -> Cli:
    cli.ok("sandbox", "seed", "--scenario", "agency", "--seed", "1", "-o", "ids")
    return cli


def test_the_agency_s_faults_are_all_found(agency: Cli) -> None:
    ran = agency("pool", "audit", "--all", "-o", "json")
    assert ran.code == 8
    assert ran.error["kind"] == "check" and ran.error["exit_code"] == 8
    found = ran.json
    assert {tuple(row) for row in found} == {tuple(KEYS)}
    assert Counter((row["severity"], row["id"]) for row in found) == AGENCY
    severities = [row["severity"] for row in found]
    assert severities == sorted(severities, key=["error", "warning", "info"].index), "the worst first"
    assert all(row["mend"].startswith("proxyctl ") for row in found)


def test_what_it_says_mends_it(agency: Cli) -> None:
    """Each command that names all it needs is typed as it stands; then there is nothing of its kind left."""
    rows = agency("pool", "audit", "--all", "-o", "json").json
    typed = [row for row in rows if not any(word in row["mend"] for word in PLACEHOLDERS)]
    assert len(typed) > 20
    for command in dict.fromkeys(row["mend"] for row in typed):
        _, *words = shlex.split(command.replace("VOICE_URL", GOOD[1]).replace("SMS_URL", GOOD[1]))
        ran = agency(*words, "-q", *(["--yes"] if "webhooks" in words else []))
        assert ran.code == 0, f"{command}: {ran.err}"
    left = agency("pool", "audit", "--all", "-o", "json").json
    lasting = {"number-overloaded", "number-without-sms"}  # drained now; who can't do SMS never will
    assert {row["id"] for row in left} == {
        *("pool-near-limit", "service-empty", "service-all-reserved"),
        *lasting,
    }
    assert {row["severity"] for row in left if row["id"] == "number-without-sms"} == {"info"}


def test_some_services_alone(agency: Cli) -> None:
    ran = agency("pool", "audit", "rides-ca", "-o", "json")
    assert ran.code == 8
    assert {row["id"] for row in ran.json} == {
        *("messaging-not-deferring", "webhook-elsewhere", "callback-not-https"),
    }
    assert {row["service"] for row in ran.json} == {"rides-ca"}
    stale = agency("pool", "audit", "rides-us", "-o", "json").json
    assert Counter(row["id"] for row in stale)["webhook-stale"] == 5


def test_an_account_that_is_well(either: Cli) -> None:
    numbers = [row["phone_number"] for row in either.seed(3)]
    either.ok("service", "create", "masking", *GOOD)
    fill(either, "masking", numbers, reserved=False)
    ran = either.ok("pool", "audit", "--all", "-o", "json")
    assert ran.json == [] and ran.err == "found nothing to mend.\n"
    assert either.ok("pool", "audit", "masking", "-q").err == ""


def test_what_is_only_worth_knowing_is_a_finding_too(either: Cli) -> None:
    numbers = [row["phone_number"] for row in either.seed(1)]
    either.ok("service", "create", "quiet")
    fill(either, "quiet", numbers, reserved=False)
    ran = either("pool", "audit", "--all", "-o", "jsonl")
    assert ran.code == 8
    assert [(row["severity"], row["id"]) for row in ran.rows] == [("info", "callback-missing")]
    assert ran.error["message"] == "found 1 info."


def test_a_table_says_how_to_mend_each_kind(agency: Cli) -> None:
    ran = agency("pool", "audit", "--all", tty=True, environ={"COLUMNS": "80", "NO_COLOR": "1"})
    assert ran.code == 8
    assert all(len(line) <= 80 for line in ran.lines)
    assert ran.lines[0].split() == ["Severity", "Object", "Finding"]
    for short in {short for _, short in AGENCY}:
        assert f"{short}, " in ran.err
    assert "found 5 errors, 25 warnings, 3 info." in " ".join(ran.err.split())


def test_usage(either: Cli) -> None:
    assert either("pool", "audit", "--all", "--fields", "nope").code == 2
    ran = either.ok("pool", "audit", "--all", "-o", "json")
    assert ran.json == [], "no Services, no findings"
