"""--quiet: a cron job that uses it gets mail about errors and findings alone."""

from __future__ import annotations

import pytest

from tests.support import Cli

# In this order: each finds what the one before left. Reads print what they were asked for, checks only findings.
SILENT = (
    "sandbox seed --numbers 3 --seed 1",
    "service create masking",
    "service create masking --if-not-exists",
    "service update masking --default-ttl 60 --callback-url https://example.com/events",
    "number add masking N1 N2 N3",
    "number add masking N1 N2 N3",
    "number reserve masking N1",
    "number release masking N1",
    "number list masking --reserved",
    "number webhooks masking N2 --voice-url https://example.com/voice",
    "number webhooks masking N2 --proxy",
    "pool status masking --fail-above 99 --fail-below 1",
    "pool plan pool.toml",
    "pool plan pool.toml --exit-code",
    "pool apply pool.toml",
    "pool audit masking",
    "sandbox busy N3 2",
    "sandbox busy N3 0",
    "number drain masking N3 --wait --remove",
    "number remove masking N3",
    "api POST /v1/Services -d UniqueName=other",
    "number move N2 --from masking --to other --allow no-unreserved",
    "service delete other",
    "config set output csv",
    "history prune --older-than 90d",
    "sandbox reset",
)


NOT_ASKED = (
    "number list",
    "pool status",
    "pool plan",
    "pool audit",
    "sandbox seed",
    "sandbox busy",
    "config set",
)


@pytest.mark.parametrize("tty", [False, True])
def test_all_that_goes_well_says_nothing(bare: Cli, tty: bool) -> None:
    numbers: dict[str, str] = {}
    file = bare.directory / "pool.toml"
    for command in SILENT:
        if "pool.toml" in command:
            file.write_text(bare.ok("--sandbox", "pool", "export", "masking").out)
        words = [str(file) if word == file.name else numbers.get(word, word) for word in command.split()]
        sure = [] if command.startswith(NOT_ASKED) else ["--yes"]
        ran = bare("--sandbox", *words, *sure, "--quiet", tty=tty)
        assert (ran.code, ran.out, ran.err) == (0, "", ""), command
        if not numbers:
            rows = bare.ok("--sandbox", "number", "list", "--unassigned", "-o", "json").json
            numbers = {f"N{index}": row["phone_number"] for index, row in enumerate(rows, 1)}


def test_only_what_is_not_in_order_is_printed(bare: Cli) -> None:
    shown = bare("--sandbox", "doctor", "-q")
    whole = bare("--sandbox", "doctor", "-q", "-o", "json").json
    states = [line.split("\t")[1] for line in shown.out.splitlines()[1:]]
    assert states == [row["state"] for row in whole if row["state"] != "ok"]
    assert len(states) < len(whole)


def test_what_failed_is_said(bare: Cli) -> None:
    bare.ok("--sandbox", "service", "create", "masking", "-q")
    ran = bare("--sandbox", "number", "add", "masking", "+14155550100", "+14155550101", "-q")
    assert ran.code == 6 and ran.out == "" and ran.err.count("failed:") == 2
    ran = bare("--sandbox", "pool", "status", "masking", "--fail-below", "1", "-q")
    assert ran.code == 8 and ran.out == "" and "masking has 0" in ran.err


def test_an_output_that_was_asked_for_is_printed(bare: Cli) -> None:
    bare.ok("--sandbox", "service", "create", "masking", "-q")
    assert bare.ok("--sandbox", "service", "show", "masking", "-q").lines
    assert bare.ok("--sandbox", "number", "list", "masking", "-q", "-o", "json").json == []
    assert bare.ok("--sandbox", "service", "create", "other", "-q", "-o", "ids").out.startswith("KS")
