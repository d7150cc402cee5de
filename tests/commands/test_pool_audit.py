"""`pool audit`: its fixes fix what it found, as rows and as printed. All that it finds is in ``tests/golden/reads``."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from tests.support import Cli

PLACEHOLDERS = ("-f FILE", "OTHER_SERVICE")
URL = "https://app.example.com/events"


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory with an agency's account."""
    cli = Cli(tmp_path_factory.mktemp("agency"), {"PROXYCTL_PROFILE": "sandbox"})
    cli.ok("sandbox", "seed", "--scenario", "agency", "--seed", "1", "-o", "ids")
    return cli.directory / "state"


@pytest.fixture
def agency(cli: Cli, seeded: Path) -> Cli:
    shutil.copytree(seeded, cli.directory / "state")
    return cli


def filled_in(command: str) -> list[str]:
    """Return the words of a printed command, with a URL for each word in capitals."""
    return shlex.split(re.sub(r"\b[A-Z]+(_[A-Z]+)*_URL\b", URL, command))


def test_the_fix_of_each_row_fixes_it(agency: Cli) -> None:
    """Each command that names all it needs is typed as it stands; then there is nothing of its kind left."""
    rows = agency("pool", "audit", "--all", "-o", "json").json
    typed = [row for row in rows if not any(word in row["fix"] for word in PLACEHOLDERS)]
    assert len(typed) > 20
    for command in dict.fromkeys(row["fix"] for row in typed):
        _, *words = filled_in(command)
        ran = agency(*words, "-q", *(["--yes"] if "webhooks" in words else []))
        assert ran.code == 0, f"{command}: {ran.err}"
    left = agency("pool", "audit", "--all", "-o", "json").json
    lasting = {"number-overloaded", "number-without-sms"}  # drained now; who can't do SMS never will
    assert {row["id"] for row in left} == {
        *("pool-near-limit", "service-empty", "service-all-reserved"),
        *lasting,
    }
    assert {row["severity"] for row in left if row["id"] == "number-without-sms"} == {"info"}


def printed(cli: Cli, *arguments: str) -> list[list[str]]:
    """Return the commands that a screen prints: each a line, or two with a pipe between them."""
    lines = cli(*arguments, tty=True, environ={"COLUMNS": "80", "NO_COLOR": "1"}).lines
    starts = [number for number, text in enumerate(lines) if text.strip().startswith("→ ")]
    return [
        [one.strip("→ |") for one in lines[start : start + 1 + lines[start].endswith("|")]]
        for start in starts
    ]


def run(cli: Cli, command: list[str]) -> None:
    """Type a printed command as it stands."""
    said = ""
    for place, text in enumerate(command):
        _, *words = filled_in(text)
        ran = cli(*words, *(["-q", "--yes"] if place or len(command) == 1 else []), stdin=said)
        assert ran.code == (0 if place or len(command) == 1 else 8), f"{text}: {ran.err}"
        said = ran.out


def test_the_commands_on_the_screen_fix_all_of_a_kind(agency: Cli) -> None:
    commands = printed(agency, "pool", "audit", "--all")
    typed = [one for one in commands if not any(word in one[-1] for word in PLACEHOLDERS)]
    assert sum(len(one) == 2 for one in typed) == 2
    for command in typed:
        run(agency, command)
    left = {row["id"] for row in agency("pool", "audit", "--all", "--severity", "warning", "-o", "json").json}
    assert left == {"pool-near-limit", "service-empty", "service-all-reserved", "number-overloaded"}


def test_a_number_whose_webhooks_are_kept_is_restored(agency: Cli) -> None:
    """Five numbers that join and leave a pool: the pipe on the screen restores what they had before."""
    agency.ok("service", "create", "new")
    rows = agency.ok("number", "list", "--unassigned", "-o", "json").json
    free = [row["sid"] for row in rows if row["messaging_service_sid"] is None][:5]
    agency.ok("number", "webhooks", "new", *free, "--voice-url", URL, "--sms-url", URL, "--yes")
    agency.ok("number", "add", "new", *free, "--allow", "take-over")
    agency.ok("number", "remove", "new", *free, "--yes", "--allow", "no-unreserved")
    (command,) = printed(agency, "pool", "audit", "new", "--only", "webhook-stale")
    assert command == [
        "proxyctl pool audit new --only webhook-stale -o csv",
        "proxyctl number webhooks new -f - --column object --restore",
    ]
    run(agency, command)
    assert agency.ok("pool", "audit", "new", "--only", "webhook-stale", "-q").out == ""


FILTERS = (
    (["--severity", "error"], {"callback-at-proxy", "messaging-not-deferring", "webhook-elsewhere"}),
    (["--only", "webhook-demo", "--only", "pool-near-limit"], {"webhook-demo", "pool-near-limit"}),
    (
        ["--severity", "error", "--ignore", "webhook-elsewhere", "--ignore", "callback-at-proxy"],
        {"messaging-not-deferring"},
    ),
    (["--only", "webhook-demo", "--severity", "error"], set()),
)


def test_filters(agency: Cli) -> None:
    for options, expected in FILTERS:
        ran = agency("pool", "audit", "--all", *options, "-o", "json")
        assert ({row["id"] for row in ran.json}, ran.code) == (expected, 8 if expected else 0), options
        assert "left out" in ran.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--only", "webhook-stael"], "Did you mean 'webhook-stale'?"),
        (["--ignore", "x"], "The IDs are area-code-all-reserved, callback-at-proxy,"),
        (["--severity", "warn"], "Did you mean 'warning'?"),
        (["--severity", "x"], "error"),
    ],
)
def test_a_filter_that_there_is_not(bare: Cli, options: list[str], said: str) -> None:
    for command in (
        ("pool", "audit", "--all"),
        ("messaging", "check", "a", "--messaging-service", "MG" + "0" * 32),
    ):
        ran = bare(*command, *options)
        assert (ran.code, said in ran.err) == (2, True), ran.err
