"""Webhooks that a number had before it joined a pool: kept by `add`, put back by `remove` and by `history undo`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from proxyctl.sandbox.context import ACCOUNT_SID
from tests.battery.scene import Scene, scene
from tests.support import Cli

OWN = {"voice_url": "https://example.com/voice", "voice_method": "GET", "sms_url": "https://example.com/sms"}
FORM = ("VoiceUrl=https://example.com/voice", "VoiceMethod=GET", "SmsUrl=https://example.com/sms")


def path_of(sid: str) -> str:
    return f"/2010-04-01/Accounts/{ACCOUNT_SID}/IncomingPhoneNumbers/{sid}.json"


@pytest.fixture
def numbers(either: Cli) -> list[dict[str, Any]]:
    """Three numbers with webhooks of their own, and a Service "a"."""
    either.ok("service", "create", "a", "-q", "-o", "ids")
    rows = either.seed(3)
    for row in rows:
        either.ok("api", "POST", path_of(row["sid"]), *(word for part in FORM for word in ("-d", part)))
    return rows


def webhooks(cli: Cli, sid: str) -> dict[str, Any]:
    row = cli.ok("api", "GET", path_of(sid)).json
    return {name: row[name] for name in OWN}


def sids(rows: list[dict[str, Any]]) -> list[str]:
    return [row["sid"] for row in rows]


def test_without_the_option_nothing_is_put_back(either: Cli, numbers: list[dict[str, Any]]) -> None:
    sid = numbers[0]["sid"]
    either.ok("number", "add", "a", sid)
    ran = either.ok("number", "remove", "a", sid, "--restore-webhooks", "--yes")
    assert "no webhooks were kept for 1 number" in ran.err
    assert webhooks(either, sid)["voice_url"] != OWN["voice_url"]


def test_a_removal_without_the_option_is_mended_later(either: Cli, numbers: list[dict[str, Any]]) -> None:
    sid = numbers[0]["sid"]
    either.ok("number", "add", "a", sid, "--keep-webhooks")
    either.ok("number", "remove", "a", sid, "--yes")
    either.ok("number", "remove", "a", sid, "--restore-webhooks", "--yes")
    assert webhooks(either, sid) == OWN


def test_webhooks_set_since_are_left_alone(either: Cli, numbers: list[dict[str, Any]]) -> None:
    sid = numbers[0]["sid"]
    either.ok("number", "add", "a", sid, "--keep-webhooks")
    either.ok("number", "remove", "a", sid, "--yes")
    either.ok("api", "POST", path_of(sid), "-d", "VoiceUrl=https://new.example.com", "-d", "SmsUrl=")
    either.ok("number", "remove", "a", sid, "--restore-webhooks")
    assert webhooks(either, sid)["voice_url"] == "https://new.example.com"


def test_what_is_out_of_date_is_not_put_back(either: Cli, numbers: list[dict[str, Any]]) -> None:
    """Kept once, then out of all pools for a while, then in one again without the option."""
    sid = numbers[0]["sid"]
    either.ok("number", "add", "a", sid, "--keep-webhooks")
    either.ok("number", "remove", "a", sid, "--yes")
    either.ok("number", "add", "a", sid)
    ran = either.ok("number", "remove", "a", sid, "--restore-webhooks", "--yes")
    assert "no webhooks were kept" in ran.err
    assert webhooks(either, sid)["voice_url"] != OWN["voice_url"]


def test_kept_through_a_move(either: Cli, numbers: list[dict[str, Any]]) -> None:
    sid = numbers[0]["sid"]
    either.ok("service", "create", "b", "-q", "-o", "ids")
    either.ok("number", "add", "a", sid, "--keep-webhooks")
    either.ok("number", "move", sid, "--from", "a", "--to", "b", "--yes")
    either.ok("number", "remove", "b", sid, "--restore-webhooks", "--yes")
    assert webhooks(either, sid) == OWN


def test_kept_beside_a_number_that_is_in_the_pool_already(either: Cli, numbers: list[dict[str, Any]]) -> None:
    there, joining, _ = sids(numbers)
    either.ok("number", "add", "a", there)
    either.ok("number", "add", "a", there, joining, "--reserved", "--keep-webhooks")
    either.ok("number", "remove", "a", joining, "--restore-webhooks", "--yes")
    assert webhooks(either, joining) == OWN


def test_keeping_needs_the_history(either: Cli, numbers: list[dict[str, Any]]) -> None:
    ran = either("number", "add", "a", numbers[0]["sid"], "--keep-webhooks", "--no-history")
    assert ran.code == 2 and "--no-history" in ran.err
    assert either.ok("number", "list", "a", "--count").out == "0\n"


# Faults


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Scene]:
    """Twelve numbers with webhooks of their own, in the pool of "masking", their webhooks kept."""
    with scene(tmp_path, 12) as stage:
        for row in stage.numbers:
            stage.other("POST", path_of(row["sid"]), **dict(part.split("=") for part in FORM))
        assert stage.run(*stage.add("--keep-webhooks")).code == 0
        yield stage


def seen(stage: Scene) -> list[dict[str, Any]]:
    rows = [stage.other("GET", path_of(row["sid"])) for row in stage.numbers]
    return [{name: row[name] for name in OWN} for row in rows]


def test_what_could_not_be_put_back_has_failed(stage: Scene) -> None:
    from proxyctl.sandbox.context import ApiError, problem

    def refuse(request: Any) -> Any:
        named = request.method == "POST" and request.path == path_of(stage.numbers[3]["sid"])
        return problem(ApiError(21402)) if named else None

    stage.front.answer = refuse
    line = stage.verb("remove", "--restore-webhooks", "--yes")
    ran = stage.run(*line)
    assert ran.code == 6
    assert [row["action"] for row in ran.rows].count("failed") == 1
    assert "webhooks were not put back" in ran.rows[3]["error"]["message"]
    stage.heal()
    assert stage.run(*line).code == 0
    assert seen(stage) == [OWN] * 12
