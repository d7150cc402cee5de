"""What the records of runs say of a number's webhooks, and which webhooks are worth keeping."""

from __future__ import annotations

from typing import Any

import pytest

from proxyctl.api.resources import IncomingNumber
from proxyctl.pools.webhooks import KeptWebhooks, is_own, kept_by, settings_of
from proxyctl.state.record import ItemRecord
from tests.state.records import item_record

SID, NUMBER = "PN" + "1" * 32, "+14155550101"
FIRST = {"voice_url": "https://example.com/1", "sms_url": ""}
SECOND = {"voice_url": "https://example.com/2", "sms_url": ""}
PROXY = f"https://webhooks.twilio.com/v1/Accounts/AC{'0' * 32}/Proxy/KS{'a' * 32}/Webhooks/Call"


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


def test_what_was_put_back_is_not_put_back_again() -> None:
    assert (
        found([record("restore_webhooks", FIRST)], [record("remove", FIRST)], [record("add", FIRST)]) is None
    )


def test_what_was_kept_before_the_number_was_free_is_out_of_date() -> None:
    assert found([record("remove")], [record("add", FIRST)]) == FIRST
    assert found([record("add")], [record("remove")], [record("add", FIRST)]) is None


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


def test_which_are_worth_keeping() -> None:
    assert is_own(incoming(voice_url="https://example.com", sms_url=None))
    assert is_own(incoming())
    assert is_own(incoming(voice_url="https://demo.twilio.com/welcome/voice/", sms_url="https://example.com"))
    assert not is_own(incoming(voice_url=PROXY))
    assert not is_own(incoming(voice_url="", sms_url=PROXY))
    assert not is_own(incoming(voice_url="https://demo.twilio.com/welcome/voice/"))


def test_settings_clear_what_was_empty() -> None:
    number = incoming(voice_url="https://example.com", voice_method="GET", sms_url=None, trunk_sid=None)
    assert settings_of(number) == {
        "voice_url": "https://example.com",
        "voice_fallback_url": "",
        "sms_url": "",
        "sms_fallback_url": "",
        "voice_method": "GET",
    }
