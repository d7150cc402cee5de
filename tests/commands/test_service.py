"""`service`: create, list, show, update, delete, by name and SID, in process and over HTTP."""

from __future__ import annotations

import pytest

from proxyctl.sandbox.server.faults import FaultPlan, Scripted
from tests.sandbox.serving import Served
from tests.support import Cli

NOBODY = "KS" + "1" * 32
FIELDS = (
    "sid",
    "unique_name",
    "account_sid",
    "chat_instance_sid",
    "callback_url",
    "default_ttl",
    "number_selection_behavior",
    "geo_match_level",
    "intercept_callback_url",
    "out_of_session_callback_url",
    "date_created",
    "date_updated",
    "url",
    "links",
)


def create(cli: Cli, name: str, *options: str) -> str:
    sid: str = cli.ok("service", "create", name, *options, "-o", "ids").lines[0]
    return sid


def test_create_prints_the_service_with_every_setting(either: Cli) -> None:
    chat = "IS" + "a" * 32
    made = either.ok(
        *("service", "create", "masking", "--default-ttl", "3600", "--callback-url", "https://a.example/c"),
        *("--intercept-callback-url", "https://a.example/i", "--geo-match-level", "overlay"),
        *("--out-of-session-callback-url", "https://a.example/o", "--chat-instance-sid", chat),
        *("--number-selection-behavior", "avoid-sticky", "-o", "json"),
    ).json
    assert tuple(made) == FIELDS
    assert (made["unique_name"], made["default_ttl"]) == ("masking", 3600)
    assert made["callback_url"] == "https://a.example/c"
    assert made["intercept_callback_url"] == "https://a.example/i"
    assert made["out_of_session_callback_url"] == "https://a.example/o"
    assert (made["geo_match_level"], made["number_selection_behavior"]) == ("overlay", "avoid-sticky")
    assert made["chat_instance_sid"] == chat
    assert either.ok("service", "show", "masking", "-o", "json").json == made
    assert either.ok("service", "show", made["sid"], "-o", "json").json == made


def test_if_not_exists_prints_what_is_there_and_says_where_it_differs(either: Cli) -> None:
    arguments = ("service", "create", "masking", "--if-not-exists", "--default-ttl", "60", "-o", "json")
    first = either.ok(*arguments)
    assert "exists" not in first.err
    again = either.ok(*arguments)
    assert again.json == first.json
    assert "exists already" in again.err and "default_ttl" not in again.err
    other = either.ok(
        *arguments[:-2], "--default-ttl", "90", "--callback-url", "https://a.example", "-o", "json"
    )
    assert other.json == first.json
    assert "default_ttl is 60, not 90" in other.err
    assert "callback_url is empty, not https://a.example" in other.err
    assert either.ok(*arguments[:5], "30", "-q").err == ""


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("",), 5, "UniqueName"),
        (("x" * 192,), 5, "UniqueName"),
        (("a", "--default-ttl", "99999999999"), 5, "DefaultTtl"),
        (("a", "--callback-url", "ftp://a.example"), 5, "CallbackUrl"),
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


def test_list_filters_by_name_limits_and_says_so(either: Cli) -> None:
    for name in ("masking-a", "masking-b", "Masking-c", "other"):
        create(either, name)

    def names(*options: str) -> list[str]:
        return either.ok("service", "list", *options, "--fields", "unique_name", "--no-header").lines

    assert names() == ["masking-a", "masking-b", "Masking-c", "other"]
    assert names("--name", "masking-*") == ["masking-a", "masking-b"]
    assert names("--name", "*-[ab]") == ["masking-a", "masking-b"]
    assert names("--name", "nothing") == []
    assert names("--limit", "2") == ["masking-a", "masking-b"]
    cut = either.ok("service", "list", "--limit", "2")
    assert "--limit" in cut.err
    assert either.ok("service", "list", "--limit", "4").err == ""
    assert either.ok("service", "list", "--limit", "2", "-q").err == ""
    assert either.ok("service", "list", "--name", "masking-*", "--limit", "2").err == ""


def test_lists_go_on_over_all_pages(either: Cli, tmp_path: object) -> None:
    for number in range(101):
        either.ok("api", "POST", "/v1/Services", "-d", f"UniqueName=s{number:03}", "--no-history")
    listed = either.ok("service", "list", "-o", "jsonl").rows
    assert [row["unique_name"] for row in listed] == [f"s{number:03}" for number in range(101)]


def test_a_service_that_is_not_there(either: Cli) -> None:
    create(either, "masking-prod")
    for arguments in (
        ("show",),
        ("update", "--default-ttl", "1"),
        ("delete", "--yes"),
        ("delete", "--dry-run"),
    ):
        verb, *options = arguments
        near = either("service", verb, "masking-prd", *options)
        assert (near.code, near.out) == (4, "")
        assert "masking-prod" in near.err
        assert either("service", verb, NOBODY, *options).code == 4
    error = either("service", "show", NOBODY, "-o", "json").error
    assert (error["kind"], error["exit_code"]) == ("not_found", 4)
    far = either("service", "show", "zzz")
    assert far.code == 4 and "service list" in far.err


def test_update_changes_what_is_named_and_nothing_else(either: Cli) -> None:
    sid = create(either, "masking", "--default-ttl", "60", "--callback-url", "https://a.example")
    before = either.ok("service", "show", "masking", "-o", "json").json
    after = either.ok("service", "update", "masking", "--default-ttl", "90", "-o", "json").json
    assert {key for key in before if before[key] != after[key]} <= {"default_ttl", "date_updated"}
    assert after["default_ttl"] == 90
    cleared = either.ok("service", "update", sid, "--callback-url", "", "-o", "json").json
    assert cleared["callback_url"] is None
    renamed = either.ok("service", "update", sid, "--unique-name", "hiding", "-o", "json").json
    assert (renamed["sid"], renamed["unique_name"]) == (sid, "hiding")
    assert either("service", "show", "masking").code == 4


def test_update_without_a_setting_sends_nothing(either: Cli) -> None:
    create(either, "masking")
    ran = either("service", "update", "masking")
    assert ran.code == 2 and "nothing to update" in ran.err
    assert either("service", "update", "masking", "--unique-name", "").code == 5


def test_quiet_is_silent_on_success(either: Cli) -> None:
    create(either, "masking")
    done = either.ok("service", "delete", "masking", "--yes", "-q")
    assert (done.out, done.err) == ("", "")


def test_a_race_for_a_name_ends_with_the_service_that_won(remote: Cli, server: Served) -> None:
    """The list does not have it, and somebody else makes it before the create arrives."""
    script = [Scripted(None, "POST", times=1, action=lambda: create(remote, "masking"))]
    server.policies.faults = FaultPlan(script=script)
    ran = remote.ok("service", "create", "masking", "--if-not-exists", "-o", "ids")
    assert ran.lines[0].startswith("KS") and "exists already" in ran.err
