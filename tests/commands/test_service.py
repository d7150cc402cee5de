"""`service`: names of all kinds, pages and races. What its commands print is in ``tests/golden``."""

from __future__ import annotations

import pytest

from proxyctl.commands.service.declare import Clearable
from proxyctl.pools.poolfile import CLEARABLE
from tests.support import Cli

CLEARED = [field.value for field in Clearable]


def create(cli: Cli, name: str, *options: str) -> str:
    sid: str = cli.ok("service", "create", name, *options, "-o", "ids").lines[0]
    return sid


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("x" * 192,), 5, "UniqueName"),
        (("a", "--callback-url", "CALLBACK_URL"), 2, "CALLBACK_URL stands for a URL"),
        (("a", "--default-ttl", "-1"), 2, "x>=0"),
        (("a", "--default-ttl", "1e9"), 2, "is not a valid int"),
        (("a", "--default-ttl", "nan"), 2, "is not a valid int"),
        (("a", "--geo-match-level", "are-code"), 2, "'area-code'"),
        (("a", "--number-selection-behavior", "sticky"), 2, "'prefer-sticky', 'avoid-sticky'"),
        (("\udcff",), 2, "UTF-8"),
        ((), 2, "NAME"),
        *((("a", f"--{field}", empty), 2, "--clear FIELD") for field in CLEARED for empty in ("", " ")),
    ],
)
def test_what_can_not_be_is_refused(either: Cli, options: tuple[str, ...], code: int, words: str) -> None:
    ran = either("service", "create", *options)
    assert (ran.code, ran.out) == (code, ""), ran.err
    assert words in ran.err
    assert either.ok("service", "list", "-o", "json").json == []


def test_a_name_counts_characters_and_may_hold_any(either: Cli) -> None:
    name = "ü" * 190 + "/"
    create(either, name)
    assert either.ok("service", "show", name, "-o", "json").json["unique_name"] == name


def test_lists_go_on_over_all_pages(either: Cli, tmp_path: object) -> None:
    for number in range(101):
        either.ok("api", "POST", "/v1/Services", "-d", f"UniqueName=s{number:03}", "--no-history")
    listed = either.ok("service", "list", "-o", "jsonl").rows
    assert [row["unique_name"] for row in listed] == [f"s{number:03}" for number in range(101)]


@pytest.mark.parametrize("name", ["Masking-Prod", "masking_prod", "masking prod", "MASKINGPROD"])
def test_a_name_that_people_take_for_another_is_noted(either: Cli, name: str) -> None:
    create(either, "masking-prod")
    said = "Service masking-prod exists. Its name differs only in case, blanks, '-' or '_'.\n"
    assert either.ok("service", "create", name, "--dry-run").err.startswith(said)
    assert either.ok("service", "create", name).err.startswith(said)
    assert "exists" not in either.ok("service", "create", "masking-prod2").err
    assert either.ok("service", "create", "masking-prod", "--if-not-exists", "-q").err == ""


def test_the_same_fields_can_be_cleared_on_the_command_line_and_in_a_file() -> None:
    assert [field.replace("-", "_") for field in CLEARED] == list(CLEARABLE)


@pytest.mark.parametrize("field", CLEARED)
def test_a_field_is_cleared_and_undo_restores_it(either: Cli, field: str) -> None:
    value = f"IS{'1' * 32}" if field == "chat-instance-sid" else "https://example.com/a"
    create(either, "a", f"--{field}", value)
    refused = either("service", "update", "a", f"--{field}", "")
    assert (refused.code, "--clear FIELD" in refused.err) == (2, True), refused.err
    key = field.replace("-", "_")
    cleared = either.ok("service", "update", "a", "--clear", field, "-o", "json")
    assert not cleared.json[key] and f"{key} {value} → (not set)" in cleared.err
    run = either.ok("history", "list", "-o", "jsonl").rows[0]["id"]
    either.ok("history", "undo", run, "--yes")
    assert either.ok("service", "show", "a", "-o", "json").json[key] == value


def test_a_sheet_shows_no_links_to_a_server_that_does_not_run(cli: Cli) -> None:
    """The embedded sandbox listens nowhere; json keeps the API's own fields."""
    create(cli, "a")
    shown = cli("service", "show", "a", tty=True)
    assert shown.code == 0 and "://" not in shown.out
    assert cli.ok("service", "show", "a", "-o", "json").json["links"]
