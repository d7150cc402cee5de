"""`service`: names of all kinds, pages and races. What its commands print is in ``tests/golden``."""

from __future__ import annotations

import pytest

from tests.support import Cli


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
    assert either.ok("service", "create", name).err == said
    assert either.ok("service", "create", "masking-prod2").err == ""
    assert either.ok("service", "create", "masking-prod", "--if-not-exists", "-q").err == ""
