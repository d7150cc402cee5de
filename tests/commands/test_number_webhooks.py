"""`number webhooks`: points numbers at URLs, at their Service, or back at what was kept; and undo takes it back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.commands.test_webhooks import OWN, numbers, path_of, sids, webhooks
from tests.support import Cli, Ran

__all__ = ["numbers"]

URLS = ("--voice-url", "https://new.example.com/voice", "--sms-url", "https://new.example.com/sms")
NEW = {**OWN, "voice_url": URLS[1], "sms_url": URLS[3]}
Rows = list[dict[str, Any]]


def point(cli: Cli, rows: Rows, *options: str) -> Ran:
    return cli("number", "webhooks", "a", *sids(rows), *options, "-o", "jsonl")


def actions(ran: Ran) -> tuple[int, list[str]]:
    return ran.code, [row["action"] for row in ran.rows]


def last(cli: Cli) -> str:
    return cli.ok("history", "list", "--limit", "1", "-o", "ids").lines[0]


def undo(cli: Cli, run: str) -> tuple[int, list[str]]:
    return actions(cli("history", "undo", run, "--yes", "-o", "jsonl"))


def test_urls_and_undo(either: Cli, numbers: Rows) -> None:
    """Any number of the account; a second run has nothing to do, and an application no longer comes first."""
    application = "AP" + "0" * 32
    either.ok("api", "POST", path_of(numbers[0]["sid"]), "-d", f"VoiceApplicationSid={application}")
    dry = point(either, numbers, *URLS, "--dry-run")
    assert dry.rows[0]["form"] == {"VoiceUrl": URLS[1], "SmsUrl": URLS[3], "VoiceApplicationSid": ""}
    assert actions(point(either, numbers, *URLS)) == (0, ["updated"] * 3), "nothing is destroyed: no question"
    assert [webhooks(either, sid) for sid in sids(numbers)] == [NEW] * 3
    assert actions(point(either, numbers, *URLS)) == (0, ["unchanged"] * 3)
    run = last(either)
    assert undo(either, run) == (0, ["updated"] * 3)
    assert undo(either, run) == (0, ["unchanged"] * 3)
    assert [webhooks(either, sid) for sid in sids(numbers)] == [OWN] * 3
    assert either.ok("api", "GET", path_of(numbers[0]["sid"])).json["voice_application_sid"] == application
    assert undo(either, last(either)) == (0, ["updated"] * 3), "and the undo is undone"
    either.ok("api", "POST", path_of(numbers[0]["sid"]), "-d", "VoiceUrl=https://third.example.com")
    assert undo(either, run) == (6, ["failed", "updated", "updated"]), "somebody changed the first since"


def test_away_from_proxy_and_back(either: Cli, numbers: Rows) -> None:
    either.ok("number", "add", "a", *sids(numbers[:2]))
    joined = webhooks(either, sids(numbers)[0])
    ran = point(either, numbers, *URLS)
    assert ran.code == 2 and "This points 2 numbers of account" in ran.err and "--yes" in ran.error["hint"]
    assert webhooks(either, sids(numbers)[0]) == joined
    assert actions(point(either, numbers, *URLS, "--yes")) == (0, ["updated"] * 3)
    ran = point(either, numbers, "--proxy")
    assert actions(ran) == (6, ["updated", "updated", "failed"])
    assert "is not in the pool" in ran.rows[2]["error"]["message"]
    assert [webhooks(either, sid) for sid in sids(numbers)] == [joined, joined, NEW]
    assert point(either, numbers[2:], "--proxy").code == 5, "one number: its own code"
    assert actions(point(either, numbers[:2], "--proxy")) == (0, ["unchanged"] * 2)


def test_restore(either: Cli, numbers: Rows) -> None:
    """The newest kept ones, however often they were put back since."""
    either.ok("number", "add", "a", *sids(numbers[:2]), "--keep-webhooks")
    ran = point(either, numbers, "--restore", "--yes")
    assert actions(ran) == (6, ["restored", "restored", "failed"])
    assert (ran.rows[2]["error"]["exit_code"], "were kept" in ran.rows[2]["error"]["message"]) == (5, True)
    assert [webhooks(either, sid) for sid in sids(numbers)] == [OWN] * 3
    assert actions(point(either, numbers[:2], "--restore")) == (0, ["unchanged"] * 2)
    assert actions(point(either, numbers[:2], "--proxy")) == (0, ["updated"] * 2)
    assert actions(point(either, numbers[:2], "--restore", "--yes")) == (0, ["restored"] * 2)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "--proxy, --restore"),
        (("--proxy", "--restore"), "--proxy, --restore"),
        (("--proxy", *URLS), "--proxy, --restore"),
        (("--voice-url", "VOICE_URL"), "VOICE_URL stands for a URL"),
        (("--voice-url", "", *URLS[2:]), "'--voice-url': the URL is empty"),
        (("--sms-url", " "), "'--sms-url': the URL is empty"),
    ],
)
def test_usage(either: Cli, numbers: Rows, options: tuple[str, ...], words: str) -> None:
    ran = point(either, numbers, *options)
    assert ran.code == 2 and words in ran.err
    assert webhooks(either, sids(numbers)[0]) == OWN


def test_a_number_that_the_account_does_not_own(either: Cli, numbers: Rows) -> None:
    assert either("number", "webhooks", "a", "+14155559999", *URLS).code == 4
    row = f"sid,phone_number\n{numbers[0]['sid']},{numbers[1]['phone_number']}\n"
    ran = either("number", "webhooks", "a", "-f", "-", *URLS, stdin=row)
    assert ran.code == 6 and "not " + numbers[1]["phone_number"] in ran.err
