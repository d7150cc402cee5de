"""The account and its numbers under /2010-04-01: filters, updates, and what the envelope says."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from proxyctl.sandbox.behaviour import ACCOUNT_SID
from tests.sandbox.asking import NUMBERS, Ask


def _found(ask: Ask, query: str) -> list[str]:
    return [row["phone_number"] for row in ask.get(f"{NUMBERS}.json?{query}").body["incoming_phone_numbers"]]


def test_filters(ask: Ask) -> None:
    rows = ask.numbers(40)
    phone_number = rows[7]["phone_number"]
    assert _found(ask, f"PhoneNumber={quote(phone_number)}") == [phone_number]
    assert phone_number in _found(ask, f"PhoneNumber={quote(phone_number[:6])}")
    assert phone_number in _found(ask, f"PhoneNumber={phone_number[4:9]}")
    assert _found(ask, "PhoneNumber=" + quote(phone_number[:-2] + "**")) != []
    assert _found(ask, "PhoneNumber=" + quote(phone_number + "*")) == []  # a star is a digit, not nothing
    assert _found(ask, f"FriendlyName={quote(rows[3]['friendly_name'])}") == [rows[3]["phone_number"]]
    assert _found(ask, "FriendlyName=nobody") == []
    assert len(_found(ask, "PhoneNumber=%2B")) == 40
    assert len(_found(ask, "Origin=twilio")) == 40
    assert _found(ask, "Origin=hosted") == []


@pytest.mark.parametrize(
    "hostile", ["%25", "_", "\\", "' OR 1=1--", "9" * 200_000, "*" * 60_000, "+1' OR '1'='1"]
)
def test_hostile_filters_match_nothing(ask: Ask, hostile: str) -> None:
    ask.numbers(3)
    answer = ask.get(f"{NUMBERS}.json?PhoneNumber={quote(hostile)}")
    assert (answer.status, answer.body["incoming_phone_numbers"]) == (200, [])


def test_pages_of_up_to_a_thousand_keep_the_filter(ask: Ask) -> None:
    ask.numbers(1001)
    body = ask.get(f"{NUMBERS}.json?PageSize=1000&PhoneNumber=%2B1").body
    assert len(body["incoming_phone_numbers"]) == 1000
    assert "PhoneNumber=%2B1" in body["next_page_uri"]
    assert len(ask.get(body["next_page_uri"]).body["incoming_phone_numbers"]) == 1
    assert ask.get(body["next_page_uri"].replace("PhoneNumber=%2B1&", "")).refusal == (400, 70002)


def test_webhooks_can_be_put_back(ask: Ask) -> None:
    path = f"{NUMBERS}/{ask.numbers(1)[0]['sid']}.json"
    form = {
        "FriendlyName": "front desk",
        "VoiceUrl": "https://example.com/voice",
        "VoiceMethod": "get",
        "VoiceFallbackUrl": "https://example.com/voice/fallback",
        "VoiceFallbackMethod": "GET",
        "SmsUrl": "https://example.com/sms",
        "SmsMethod": "GET",
        "SmsFallbackUrl": "",
        "SmsFallbackMethod": "POST",
        "SmsApplicationSid": "AP" + "a" * 32,
        "StatusCallback": "https://example.com/status",
        "StatusCallbackMethod": "GET",
        "AccountSid": ACCOUNT_SID,
        "ApiVersion": "2008-08-01",
        "VoiceCallerIdLookup": "true",
        "VoiceReceiveMode": "fax",
        "AddressSid": "AD" + "a" * 32,
        "IdentitySid": "RI" + "a" * 32,
        "BundleSid": "BU" + "a" * 32,
        "EmergencyStatus": "Inactive",
        "EmergencyAddressSid": "AD" + "b" * 32,
    }
    ask.clock.sleep(60)
    body = ask.post(path, **form).body
    assert body["friendly_name"] == "front desk"
    assert (body["voice_url"], body["voice_method"]) == ("https://example.com/voice", "GET")
    assert (body["sms_url"], body["sms_fallback_url"]) == ("https://example.com/sms", "")
    assert (body["voice_caller_id_lookup"], body["voice_receive_mode"]) == (True, "fax")
    for name in ("sms_application", "address", "identity", "bundle", "emergency_address"):
        assert body[f"{name}_sid"] == form[f"{name.title().replace('_', '')}Sid"]
    assert (body["api_version"], body["emergency_status"]) == ("2008-08-01", "Inactive")
    assert body["date_updated"] == "Sun, 15 Jun 2025 15:07:40 +0000"
    assert body["date_created"] == "Sun, 15 Jun 2025 15:06:40 +0000"
    assert ask.post(path).body == body == ask.get(path).body


def test_a_trunk_and_a_voice_application_exclude_each_other(ask: Ask) -> None:
    path = f"{NUMBERS}/{ask.numbers(1)[0]['sid']}.json"
    application, trunk = "AP" + "a" * 32, "TK" + "b" * 32
    assert ask.post(path, VoiceApplicationSid=application).body["voice_application_sid"] == application
    body = ask.post(path, TrunkSid=trunk).body
    assert (body["trunk_sid"], body["voice_application_sid"]) == (trunk, "")
    body = ask.post(path, VoiceApplicationSid=application).body
    assert (body["trunk_sid"], body["voice_application_sid"]) == (None, application)


def test_a_released_number_is_gone_from_everywhere(ask: Ask) -> None:
    pool = f"{ask.service()}/PhoneNumbers"
    senders = ask.post("/messaging/v1/Services", FriendlyName="a2p").body["links"]["phone_numbers"]
    sid = ask.numbers(1)[0]["sid"]
    ask.post(pool, Sid=sid)
    ask.post(senders, PhoneNumberSid=sid)
    assert (ask.delete(f"{NUMBERS}/{sid}.json").status, _found(ask, "")) == (204, [])
    assert ask.get(pool).body["phone_numbers"] == ask.get(senders).body["phone_numbers"] == []
    assert ask.delete(f"{NUMBERS}/{sid}.json").refusal == (404, 20404)


@pytest.mark.parametrize(
    ("parameter", "value", "code"),
    [
        ("VoiceUrl", "example.com", 21402),
        ("SmsUrl", "https://example.com/" + "a" * 4000, 21402),
        ("SmsMethod", "DELETE", 21403),
        ("TrunkSid", "TK1", 20001),
        ("VoiceApplicationSid", "AP" + "a" * 32 + "\n", 20001),
        ("FriendlyName", "n" * 65, 20001),
        ("FriendlyName", "\udcff", 20001),
        ("AccountSid", "AC" + "0" * 32, 20001),
        ("ApiVersion", "2020-01-01", 20001),
        ("VoiceCallerIdLookup", "maybe", 20001),
        ("VoiceReceiveMode", "text", 20001),
        ("BundleSid", "AD" + "a" * 32, 20001),
    ],
)
def test_bad_webhooks_are_refused(ask: Ask, parameter: str, value: str, code: int) -> None:
    path = f"{NUMBERS}/{ask.numbers(1)[0]['sid']}.json"
    before = ask.get(path).body
    assert ask.post(path, **{parameter: value}).refusal == (400, code)
    assert ask.get(path).body == before


def test_another_account_or_an_unknown_number(ask: Ask) -> None:
    other = NUMBERS.replace(ACCOUNT_SID, "AC" + "0" * 32)
    assert ask.get(f"{other}.json").refusal == (401, 20003)
    assert ask.get(f"{NUMBERS}/PN{'0' * 32}.json").refusal == (404, 20404)
    assert ask.post(f"{NUMBERS}/PN{'0' * 32}.json").refusal == (404, 20404)
    assert ask.get(NUMBERS).refusal == (404, 20404)  # without .json it is another format
    assert ask.post(f"{NUMBERS}.json", PhoneNumber="+14155550100").refusal == (400, 20001)
