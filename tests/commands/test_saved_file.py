"""Before numbers leave or a Service is deleted, a pool file is saved that restores them, as far as that is possible."""

from __future__ import annotations

import json
import os
import re
import shlex
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxyctl.sandbox.context import ApiError, Request, Response, problem
from proxyctl.sandbox.server.faults import Scripted
from tests.battery.scene import Scene, scene
from tests.commands.pool_support import messaging_service
from tests.support import Cli, Ran, StandingClock

JSON = [("Content-Type", "application/json")]
ALLOWED = ("--allow", "no-unreserved")
REMOVE = ("number", "remove", "a", "--yes", *ALLOWED)
SAVED = re.compile(r"saved to (\S+): '(proxyctl pool apply [^']+)'")


@pytest.fixture
def pool(either: Cli) -> Cli:
    """A Service "a" with three numbers, one of them unreserved."""
    either.ok("service", "create", "a", "--default-ttl", "77", "-q", "-o", "ids")
    rows = either.seed(3)
    either.ok("number", "add", "a", *(row["sid"] for row in rows[:2]), "--reserved", "-q")
    either.ok("number", "add", "a", rows[2]["sid"], "--unreserved", "-q")
    return either


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path, 4) as stage:
        yield stage


def numbers(cli: Cli, service: str = "a") -> dict[str, bool]:
    rows = cli.ok("number", "list", service, "-o", "json").json
    return {row["sid"]: row["is_reserved"] for row in rows}


def saved(cli: Cli) -> list[Path]:
    return sorted((cli.directory / "state" / "saved").glob("*"))


def senders(cli: Cli, mg: str) -> set[str]:
    rows = cli.ok("api", "GET", f"/messaging/v1/Services/{mg}/PhoneNumbers").json["phone_numbers"]
    return {row["sid"] for row in rows}


def way_back(ran: Ran) -> list[str]:
    """The command line that a run printed."""
    match = SAVED.search(" ".join(ran.err.split()))
    assert match, ran.err
    return shlex.split(match[2])[1:]


def test_removed_numbers_come_back(pool: Cli) -> None:
    before = numbers(pool)
    first, *rest = before
    ran = pool.ok(*REMOVE, *rest)
    assert numbers(pool) == {first: True}
    pool.ok("number", "release", "a", first)
    pool.ok("service", "update", "a", "--default-ttl", "5", "-q")
    (path,) = saved(pool)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "default_ttl" not in path.read_text(), "only what left is in it"
    pool.ok(*way_back(ran), "--yes")
    assert numbers(pool) == {**before, first: False}
    assert pool.ok("service", "show", "a", "-o", "json").json["default_ttl"] == 5


def test_restoring_changes_no_flag_and_no_pool(pool: Cli) -> None:
    """What came back since stays as it is: as reserved, or in another pool."""
    first, second, third = sorted(numbers(pool), key=lambda sid: not numbers(pool)[sid])
    ran = pool.ok(*REMOVE, first, second, third)
    pool.ok("service", "create", "b", "-q")
    pool.ok("number", "add", "a", third, "--reserved")
    pool.ok("number", "add", "b", first)
    again = pool(*way_back(ran), "--prune", "--yes", "-o", "json")
    assert (again.code, sorted(again.actions)) == (6, ["added", "failed", "unchanged"]), again.err
    assert "is in the pool of Service b" in again.err
    assert numbers(pool) == {second: True, third: True} and list(numbers(pool, "b")) == [first]


def test_after_a_rename_a_saved_file_creates_nothing(pool: Cli) -> None:
    ran = pool.ok(*REMOVE, *numbers(pool))
    pool.ok("service", "update", "a", "--unique-name", "green", "-q")
    for restored in (pool(*way_back(ran), "--yes"), pool("pool", "plan", str(saved(pool)[0]))):
        assert restored.code == 5 and "is called green now" in restored.err
        assert "Write [services.green]" in restored.err
    assert [row["unique_name"] for row in pool.ok("service", "list", "-o", "json").json] == ["green"]
    path = saved(pool)[0]
    path.write_text(path.read_text().replace("[services.a", "[services.green"))
    pool.ok(*way_back(ran), "--yes")
    assert len(numbers(pool, "green")) == 3


def test_a_deleted_service_comes_back(pool: Cli) -> None:
    before = numbers(pool)
    ran = pool.ok("service", "delete", "a", "--yes")
    assert pool("service", "show", "a").code == 4
    pool.ok(*way_back(ran), "--yes")
    assert numbers(pool) == before
    assert pool.ok("service", "show", "a", "-o", "json").json["default_ttl"] == 77
    pool.ok("service", "update", "a", "--default-ttl", "5", "-q")
    again = pool.ok(*way_back(ran), "--yes")
    assert "1 unchanged: there already, with other settings" in again.err
    assert pool.ok("service", "show", "a", "-o", "json").json["default_ttl"] == 5, (
        "the old settings are not newer"
    )


def test_the_file_of_a_deletion_that_may_have_happened_is_named(stage: Scene) -> None:
    name = stage.service
    stage.script(Scripted("reset", "DELETE", times=None))
    ran = stage.cli("service", "delete", name, "--yes", "-q", "--retries", "0")
    assert ran.code == 7, ran.err
    assert way_back(ran)[-1] == str(saved(stage.cli)[0])


def test_a_service_with_open_sessions_is_not_deleted(stage: Scene) -> None:
    rows = [
        {"sid": f"KC{n:032}", "status": status} for n, status in enumerate(("open", "in-progress", "closed"))
    ]

    def sessions(request: Request) -> Response | None:
        listed = request.method == "GET" and request.path.endswith("/Sessions")
        page = {"sessions": rows, "meta": {"key": "sessions", "next_page_url": None}}
        kind = [("Content-Type", "application/json")]
        return Response(200, kind, json.dumps(page).encode()) if listed else None

    stage.front.answer = sessions
    line = ("service", "delete", stage.service, "--yes", "-q")
    for options in ((), ("--dry-run",)):
        ran = stage.cli(*line, *options)
        assert ran.code == 5 and "2 open Sessions" in ran.err and "--allow in-use permits it." in ran.err
    assert stage.writes == [] and saved(stage.cli) == []
    assert stage.cli.ok(*line, "--allow", "in-use").err == ""


def test_without_a_way_back_nothing_is_sent(pool: Cli) -> None:
    before = numbers(pool)
    (pool.directory / "state" / "saved").write_text("in the way")
    for line in ((*REMOVE, *before), ("service", "delete", "a", "--yes")):
        ran = pool(*line)
        assert ran.code == 1 and "nothing was sent" in ran.err and "--no-history" in ran.err
    assert numbers(pool) == before
    ran = pool(*REMOVE, *before, "--no-history")
    assert ran.code == 0 and "no file to restore from could be saved" in ran.err


def test_what_was_saved_long_ago_is_forgotten(remote: Cli) -> None:
    directory = remote.directory / "state" / "saved"
    directory.mkdir(mode=0o700)
    remote.ok("service", "create", "a", "-q")
    remote.ok("number", "add", "a", *(row["sid"] for row in remote.seed(2)))
    for name, mtime in (("old.toml", 1e9), ("notes.txt", 1e9), ("week.toml", time.time() - 7 * 86_400)):
        (directory / name).write_text("")
        os.utime(directory / name, (mtime, mtime))
    remote.ok(*REMOVE, *numbers(remote))
    assert len(saved(remote)) == 3 and not (directory / "old.toml").exists()


@pytest.mark.parametrize("known", [True, False])
def test_a_clock_that_is_ahead_is_no_reason_to_forget(cli: Cli, remote: Cli, known: bool) -> None:
    """Our clock is 91 days ahead, for some days: the server's counts, and where that is not known, nothing goes."""
    cli = remote if known else cli
    sids = [row["sid"] for row in cli.seed(2)]
    cli.ok("service", "create", "a")
    for left, days in enumerate((0, 91, 93), start=1):
        cli.clock = StandingClock(time.time() + days * 86_400)
        cli.ok("number", "add", "a", *sids)
        cli.ok(*REMOVE, *sids)
        assert len(saved(cli)) == left
        os.utime(saved(cli)[-1], (cli.clock.now(),) * 2)


@pytest.mark.parametrize(
    ("verb", "options", "recorded"),
    [
        (("number", "remove", "a"), ("--allow", "leave-messaging"), True),
        (("number", "remove", "a"), ("--through-messaging",), False),
        (("number", "drain", "a", "--remove"), ("--allow", "leave-messaging"), False),
        (("number", "drain", "a", "--remove"), ("--through-messaging",), True),
    ],
)
def test_a_note_names_what_restores_numbers_of_a_messaging_service(
    pool: Cli, verb: tuple[str, ...], options: tuple[str, ...], recorded: bool
) -> None:
    """The file adds no number that is in a Messaging Service, and puts none back into one. Undo does."""
    before = numbers(pool)
    first, *rest = before
    mg = messaging_service(pool, first)
    without = () if recorded else ("--no-history",)
    ran = pool.ok(*verb, *before, "--yes", *ALLOWED, *options, *without)
    note = " ".join(ran.err.split())
    left = "--through-messaging" in options
    assert "adds them again. It adds no number that is in a Messaging Service, and puts none back" in note
    assert senders(pool, mg) == (set() if left else {first})
    named = re.search(r"'proxyctl (history undo [^']*)ID' does\.", note)
    assert bool(named) == recorded
    if named:
        run = pool.ok("history", "list", "-o", "json").json[0]["id"]
        pool.ok(*named[1].split(), run, "--yes")
        assert senders(pool, mg) == {first}
    else:
        again = pool(*way_back(ran), "--yes", "-o", "json")
        assert sorted(again.actions) == ["added", "added", "added" if left else "failed"], again.err
        assert senders(pool, mg) == (set() if left else {first})
    assert set(numbers(pool)) == (set(before) if left or named else set(rest))


def test_undo_of_a_deletion_names_the_file_that_creates_the_service_again(pool: Cli) -> None:
    before = numbers(pool)
    pool.ok(*REMOVE, *list(before)[:2])
    pool.ok("number", "add", "a", *list(before)[:2], "--reserved")
    pool.ok("service", "delete", "a", "--yes", "-q")
    run = pool.ok("history", "list", "-o", "json").json[0]["id"]
    refused = pool("history", "undo", run, "--yes")
    assert refused.code == 5 and "is the deletion of Service a" in refused.err, refused.err
    (command,) = re.findall("'proxyctl (pool apply [^']+)'", refused.err)
    pool.ok(*shlex.split(command), "--yes")
    assert numbers(pool) == before
    Path(shlex.split(command)[-1]).unlink()
    refused = pool("history", "undo", run, "--yes")
    assert refused.code == 5 and "pool apply" not in refused.err and "history show" in refused.err


def test_nothing_leaves_where_the_messaging_api_gives_no_answer(stage: Scene) -> None:
    """Whether a number could come back is known first. What a key may not read is a note."""
    stage.fill(stage.numbers, reserved=True)
    stage.new_service("other")
    first, second = (row["sid"] for row in stage.numbers[:2])
    move = ("number", "move", first, "--from", "masking", "--to", "other", "--yes")
    remove = ("number", "remove", "masking", second, "--yes")
    listed = b'{"services": [{}], "meta": {"next_page_url": null, "key": "services"}}'
    for answer in (Response(200, JSON, listed), Response(200, JSON, b"[]")):
        stage.front.answer = lambda request, answer=answer: answer if "/messaging/" in request.path else None
        assert {stage.run(*line).code for line in (move, remove)} <= {1, 7}
        assert (stage.writes, stage.pool()) == ([], stage.everything())
    stage.front.answer = lambda request: (
        problem(ApiError(20403, status=403)) if "/messaging/" in request.path else None
    )
    removed = stage.ok(*remove)
    assert "whether numbers are in a Messaging Service is unknown" in removed.err
    assert second not in stage.pool()
    stage.left_no_trace()


def test_a_messaging_api_that_hangs_stops_a_removal_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("proxyctl.pools.facts.COURTESY", 0.3)
    with scene(tmp_path, 3, factor=1.0) as stage:
        stage.fill(stage.numbers, reserved=True)
        stage.script(Scripted("timeout", path="/messaging/", times=None))
        started = time.monotonic()
        removed = stage.run("number", "remove", "masking", *(row["sid"] for row in stage.numbers), "--yes")
        assert time.monotonic() - started < 20, "a request alone may take 60 s"
        assert removed.code == 7 and "no response within 0.3 s" in removed.error["message"]
        assert (stage.writes, stage.pool()) == ([], stage.everything())


def test_what_a_drain_reserved_first_comes_back_as_it_was(pool: Cli) -> None:
    before = numbers(pool)
    assert set(before.values()) == {True, False}
    ran = pool.ok("number", "drain", "a", *before, "--remove", "--yes", *ALLOWED)
    assert numbers(pool) == {}
    pool.ok(*way_back(ran), "--yes")
    assert numbers(pool) == before
