"""What the records of runs say of a number's webhooks, and which webhooks are worth keeping."""

from __future__ import annotations

from typing import Any

import pytest

from proxyctl.api.models import IncomingNumber
from proxyctl.pools.webhooks import KeptWebhooks, kept_by, settings_of, users_of
from proxyctl.state.record import ItemRecord
from tests.state.records import item_record

SID, NUMBER = "PN" + "1" * 32, "+14155550101"
FIRST = {"voice_url": "https://example.com/1", "sms_url": ""}
SECOND = {"voice_url": "https://example.com/2", "sms_url": ""}
HALF = {"voice_url": "https://example.com/3"}
PROXY = f"https://webhooks.twilio.com/v1/Accounts/AC{'0' * 32}/Proxy/KS{'a' * 32}/Webhooks/Call"
PROXY_ELSEWHERE = PROXY.removeprefix("https://").replace("twilio.com", "example.com")
DEMO = "https://demo.twilio.com/welcome/voice/"


def record(action: str, webhooks: Any = None, state: str = "done", index: int = 0, **more: Any) -> ItemRecord:
    intent = {"action": action, "sid": None, "phone_number": NUMBER, "webhooks": webhooks, **more}
    done = {"add": "added", "remove": "removed"}.get(action, action)
    return item_record(intent, {"state": state, "action": done, "sid": SID}, index=index)


def found(*runs: list[ItemRecord]) -> Any:
    """What is found in ``runs``, newest first."""
    search = KeptWebhooks([SID])
    for run in runs:
        search.take(run)
    return search.found.get(SID)


def test_the_newest_is_found() -> None:
    assert found([record("add", SECOND)], [record("remove")], [record("add", FIRST)]) == SECOND
    assert found([record("reserve")], [record("add", FIRST)]) == FIRST
    assert found([record("add")]) is None


def test_an_add_that_may_have_happened_counts() -> None:
    assert found([record("add", FIRST, "lost")]) == FIRST


def test_a_removal_that_was_cut_off_is_gone_on_with() -> None:
    assert found([record("remove", FIRST)], [record("add", FIRST)]) == FIRST
    assert found([record("restore_webhooks", FIRST, "lost")]) == FIRST


def pointed(after: Any, action: str = "set_webhooks") -> list[ItemRecord]:
    return [record(action, FIRST if action == "restore_webhooks" else None, after=after)]


def test_what_its_owner_has_set_since_is_left_alone() -> None:
    kept = [record("add", FIRST)]
    assert found(pointed(FIRST, "restore_webhooks"), [record("remove", FIRST)], kept) is None
    assert found(pointed(SECOND), kept) is None
    assert found(pointed(HALF), kept) == {"sms_url": ""}, "calls and messages apart"


def test_what_proxy_has_replaced_since_does_not_count() -> None:
    kept = [record("add", FIRST)]
    assert found([record("remove")], kept) == FIRST
    assert found([record("add")], [record("remove")], kept) == FIRST, "the second add found Proxy's"
    assert found(pointed({"voice_url": PROXY}), pointed(HALF), kept) == FIRST
    assert found([record("add", HALF)], [record("remove")], kept) == {**HALF, "sms_url": ""}


def test_a_move_is_no_time_off() -> None:
    moved = [record("remove", index=0), record("add", index=1)]
    assert found(moved, [record("add", FIRST)]) == FIRST


@pytest.mark.parametrize("webhooks", [None, [], "x", {}, {"voice_url": 3}, {"evil": "x"}])
def test_damaged_records(webhooks: Any) -> None:
    assert found([record("add", webhooks)]) is None
    assert kept_by([record("add", webhooks)]) == {}


def test_kept_by_a_run() -> None:
    assert kept_by([record("add", FIRST)]) == {SID: FIRST, NUMBER: FIRST}


def incoming(**raw: Any) -> IncomingNumber:
    return IncomingNumber({"sid": SID, "phone_number": NUMBER, **raw})


@pytest.mark.parametrize(
    ("raw", "users"),
    [
        ({}, []),
        ({"voice_url": PROXY, "sms_url": DEMO}, []),
        ({"voice_fallback_url": "https://example.com"}, []),
        (
            {"voice_url": "https://user:secret@ivr.example.com:8443/main?key=1#x"},
            ["ivr.example.com:8443/main"],
        ),
        ({"voice_url": "https://example.com/a", "sms_url": "https://example.com/a"}, ["example.com/a"]),
        ({"voice_url": "https://[", "sms_url": PROXY}, ["a URL"]),
        (
            {"voice_url": DEMO, "trunk_sid": "TK1", "sms_application_sid": "AP1"},
            ["trunk TK1", "application AP1"],
        ),
        ({"voice_url": PROXY.replace("twilio.com", "example.com")}, [PROXY_ELSEWHERE]),
    ],
)
def test_which_other_applications_use_a_number(raw: Any, users: list[str]) -> None:
    assert users_of(incoming(**raw)) == users


def test_what_proxy_left_behind_is_not_kept() -> None:
    assert settings_of(incoming(voice_url=PROXY, voice_method="POST", sms_url=DEMO)) == {}
    assert settings_of(incoming(voice_url=PROXY, sms_url="")) == {"sms_url": "", "sms_fallback_url": ""}
    kept = settings_of(incoming(voice_url=DEMO, voice_application_sid="AP1", sms_url=DEMO))
    assert kept == {"voice_url": DEMO, "voice_fallback_url": "", "voice_application_sid": "AP1"}


def test_settings_clear_what_was_empty() -> None:
    number = incoming(voice_url="https://example.com", voice_method="GET", sms_url=None, trunk_sid=None)
    assert settings_of(number) == {
        "voice_url": "https://example.com",
        "voice_fallback_url": "",
        "sms_url": "",
        "sms_fallback_url": "",
        "voice_method": "GET",
    }
