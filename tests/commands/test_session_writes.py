"""What the writing commands about Sessions and participants do, in process and over HTTP."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from proxyctl.console import Console
from tests.support import Cli

PEOPLE = ("+14155550199", "whatsapp:+14155550188", "Alice Example")


@pytest.fixture
def pool(either: Cli) -> Cli:
    """The program, and a Service with numbers."""
    rows = either.ok("sandbox", "seed", "--numbers", "3", "-o", "jsonl").rows
    either.ok("service", "create", "masking")
    either.ok("number", "add", "masking", *(row["phone_number"] for row in rows))
    return either


def create(cli: Cli, name: str, *options: str) -> dict[str, object]:
    found: dict[str, object] = cli.ok(
        "session", "create", "masking", "--unique-name", name, *options, "-o", "json"
    ).json
    return found


def test_nothing_of_a_participant_is_kept_on_disk(pool: Cli, tmp_path: Path) -> None:
    create(
        pool, "a", "--participant", PEOPLE[0], "--participant", "(415) 555-0188", "--default-country", "US"
    )
    assert create(pool, "b")["participants"] == []
    pool("participant", "add", "masking", "b", PEOPLE[1], "--friendly-name", PEOPLE[2])
    pool("participant", "add", "masking", "b", "+4930901820")  # no number fits
    pool("participant", "remove", "masking", "a", PEOPLE[0], "--yes")
    pool("session", "close", "masking", "--participant", "415-555-0188", "--default-country", "US", "--yes")
    kept = [path for path in (tmp_path / "state").rglob("*") if path.is_file() and path.suffix != ".db"]
    texts = "".join(path.read_text() for path in kept if "sandbox" not in path.name)
    assert "participant add masking b '[redacted]' --friendly-name '[redacted]'" in texts
    without_sids = re.sub("[A-Z]{2}[0-9a-f]{32}", "", texts)  # digits stand in those by chance
    for part in ("0199", "0188", "Alice", "Example", "901820"):
        assert part not in without_sids


def test_a_create_says_who_sees_which_number_and_completes_itself(pool: Cli) -> None:
    number = pool.ok("number", "list", "masking", "-o", "jsonl").rows[1]
    options = (
        "--participant",
        f"{PEOPLE[0]}={number['phone_number']}",
        "--ttl",
        "90m",
        "--mode",
        "voice-only",
    )
    made = create(pool, "a", *options)
    assert (made["ttl"], made["mode"]) == (5400, "voice-only")
    assert [one["proxy_identifier_sid"] for one in made["participants"]] == [number["sid"]]  # type: ignore[attr-defined]
    again = create(pool, "a", *options, "--participant", "+14155550188", "--if-not-exists")
    assert [one["identifier"] for one in again["participants"]] == [PEOPLE[0], "+14155550188"]  # type: ignore[attr-defined]
    named = ("--unique-name", "a")
    taken = pool("session", "create", "masking", *named, "-o", "json")
    assert (taken.code, "Session a exists already" in taken.error["message"]) == (5, True)
    assert pool("session", "create", "masking", *named, "--dry-run").code == 5
    pool.ok("session", "close", "masking", "a", "--yes")
    closed = pool("session", "create", "masking", *named, "--participant", PEOPLE[1], "--if-not-exists")
    assert (closed.code, "Session a is closed. It takes no participants." in closed.err) == (5, True)
    assert pool.ok("session", "create", "masking", *named, "--if-not-exists", "-o", "json").json["sid"]


def test_the_history_opens_closed_sessions_again_where_the_api_does(pool: Cli) -> None:
    one = pool.ok("number", "list", "masking", "-o", "ids").lines[0]
    create(pool, "a", "--participant", f"{PEOPLE[0]}={one}")
    create(pool, "b")
    pool.ok("session", "close", "masking", "a", "b", "--yes")
    create(pool, "c", "--participant", f"{PEOPLE[0]}={one}")
    undone = pool("history", "undo", pool.ok("history", "list", "-o", "ids").lines[1], "--yes", "-o", "json")
    assert undone.code == 6
    rows = [
        (row["unique_name"], row["action"], row["status"], (row["error"] or {}).get("code"))
        for row in undone.json
    ]
    assert rows == [("a", "failed", "closed", 80604), ("b", "restored", "in-progress", None)]
    pool.ok("session", "close", "masking", "c", "--yes")
    create(pool, "d", "--participant", f"{PEOPLE[0]}={one}")
    alone = pool("history", "undo", pool.ok("history", "list", "-o", "ids").lines[1], "--yes", "-o", "json")
    assert (alone.code, "The participant holds 1 number in KC" in alone.error["message"]) == (5, True)


def test_update_changes_what_differs(pool: Cli) -> None:
    create(pool, "a")
    line = ("session", "update", "masking", "a", "-o", "json")
    changed = pool.ok(*line, "--ttl", "2h", "--expires", "2031-01-31 12:00").json
    assert (changed["ttl"], changed["date_expiry"]) == (7200, "2031-01-31T12:00:00Z")
    assert pool.ok(*line, "--expires", "2h").json["date_expiry"] < "2031"
    refused = pool(*line, "--status", "in-progress")
    assert (refused.code, refused.error["code"]) == (5, 80608)
    assert pool(*line, "--status", "closed").code == 2
    assert pool.ok(*line, "--status", "closed", "--yes").json["status"] == "closed"
    closed = pool(*line, "--ttl", "3h")
    assert (closed.code, closed.error["code"]) == (5, 80607)


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("a", "--active"),
        ("--all-sessions", "--active"),
        ("--participant", ""),
        ("--number", " "),
        ("--idle-for", ""),
        ("--idle-for", "7"),
        ("--older-than", "0"),
        ("--status", "closed"),
        ("--max", "3"),
    ],
)
def test_sessions_are_chosen_in_one_way(remote: Cli, options: tuple[str, ...]) -> None:
    remote.ok("service", "create", "masking")
    assert remote("session", "close", "masking", *options, "--yes").code == 2


@pytest.mark.parametrize("verb", ["close", "delete"])
def test_what_session_list_prints_is_an_input(pool: Cli, tmp_path: Path, verb: str) -> None:
    sids = [create(pool, name)["sid"] for name in ("ride", "a%2Fb", "a/b", "trip;7")]
    file = tmp_path / "sessions"
    line = ("session", verb, "masking", "-f", str(file), "--dry-run", "-o", "json")
    listed = ("session", "list", "masking")
    texts = [pool.ok(*listed, "-o", form).out for form in ("json", "jsonl", "csv", "ids")]
    saved = json.dumps({"sessions": json.loads(texts[0])})
    names = "ride\na%2Fb\na/b\ntrip;7\n"
    for text in (*texts, saved, names, 'unique_name,x\nride,1\na%2Fb,2\na/b,2\n"trip;7",3\n'):
        file.write_text(text)
        assert [row["sid"] for row in pool.ok(*line).json] == sids, text
    file.write_text("sid\nPN00000000000000000000000000000000\n")
    assert pool(*line).code == 2
    file.write_text("# none\n")
    empty = pool(*line)
    assert (empty.code, empty.error["message"].endswith("holds no Session (rule empty-input).")) == (2, True)


def test_more_than_max_are_refused(pool: Cli) -> None:
    for name in ("a", "b"):
        create(pool, name)
    refused = pool("session", "delete", "masking", "--all-sessions", "--max", "1", "--yes")
    assert (refused.code, "2 Sessions would be deleted" in refused.err) == (5, True)
    assert pool.ok("session", "delete", "masking", "--all-sessions", "--max", "2", "--yes").code == 0
    gone = pool.ok("session", "delete", "masking", "a", "--yes", "-o", "json").json
    assert [row["action"] for row in gone] == ["unchanged"]
    missing = pool("session", "close", "masking", "a", "--yes", "-o", "json")
    assert (missing.code, missing.error["kind"]) == (4, "not_found")


def test_a_row_that_means_two_sessions_is_refused(pool: Cli, tmp_path: Path) -> None:
    sid = create(pool, "a")["sid"]
    create(pool, "b")
    file = tmp_path / "sessions.csv"
    file.write_text(f"sid,unique_name\n{sid},b\n")
    refused = pool("session", "close", "masking", "-f", str(file), "--yes")
    assert (refused.code, f"{sid} is Session a, not b" in refused.out) == (6, True)
    assert [row["status"] for row in pool.ok("session", "list", "masking", "-o", "json").json] == ["open"] * 2


def test_a_closed_session_that_was_opened_again_is_not_deleted(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.ok("service", "create", "masking")
    for name in ("a", "b", "c"):
        create(cli, name)
    cli.ok("session", "close", "masking", "--all-sessions", "--yes")

    def answer(console: Console, question: str) -> str:
        cli.ok("session", "delete", "masking", "c", "--yes")
        cli.ok("session", "update", "masking", "a", "--status", "in-progress")
        return "y"

    monkeypatch.setattr(Console, "ask", answer)
    ran = cli("session", "delete", "masking", "--status", "closed", "-o", "json", tty=True)
    assert ran.code == 0
    assert "Active now: 0." in ran.err
    rows = [(row["unique_name"], row["action"]) for row in ran.json]
    assert rows == [("a", "unchanged"), ("b", "deleted"), ("c", "unchanged")]


def test_a_refused_session_without_a_name_is_called_the_session(pool: Cli) -> None:
    refused = pool("session", "create", "masking", "--expires", "2001-01-01", "-o", "json")
    assert refused.error["message"].startswith("the Session can't be created: ")


def test_an_undo_is_rehearsed_in_its_own_columns(pool: Cli) -> None:
    create(pool, "a")
    pool.ok("session", "close", "masking", "a", "--yes")
    rows = pool.ok("history", "undo", "last", "--dry-run", "-o", "json").json
    assert [(row["unique_name"], row["action"], row["status"]) for row in rows] == [
        ("a", "would_restore", "in-progress")
    ]


def test_an_empty_identifier_says_what_to_give(pool: Cli) -> None:
    create(pool, "ride")
    ran = pool("participant", "add", "masking", "ride", " ", "-o", "json")
    assert (ran.code, ran.error["hint"]) == (2, "Give a number in E.164, for example +14155550199.")
