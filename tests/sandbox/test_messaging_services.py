"""Messaging Services, as far as a Proxy pool meets them."""

from __future__ import annotations

import pytest

from tests.sandbox.asking import BASE_URL, Ask


def _service(ask: Ask, name: str = "a2p") -> str:
    return str(ask.post("/messaging/v1/Services", FriendlyName=name).body["url"])


def test_a_service_is_created_listed_updated_and_deleted(ask: Ask) -> None:
    url = _service(ask)
    assert url.startswith(f"{BASE_URL}/messaging/v1/Services/MG")
    body = ask.get(url).body
    assert body["use_inbound_webhook_on_number"] is False
    assert ask.get("/messaging/v1/Services").body["services"] == [body]
    assert ask.post(url).body == body
    ask.clock.sleep(5)
    updated = ask.post(url, UseInboundWebhookOnNumber="true", ValidityPeriod="600").body
    assert (updated["use_inbound_webhook_on_number"], updated["validity_period"]) == (True, 600)
    assert updated["friendly_name"] == "a2p" and updated["date_updated"] > body["date_updated"]
    assert ask.delete(url).status == 204
    assert ask.get(url).refusal == (404, 20404)


@pytest.mark.parametrize(
    "form",
    [
        {"FriendlyName": ""},
        {"FriendlyName": "n" * 65},
        {"FriendlyName": "x", "UseInboundWebhookOnNumber": "maybe"},
        {"FriendlyName": "x", "InboundRequestUrl": "nowhere"},
        {"FriendlyName": "x", "InboundMethod": "PUT"},
        {"FriendlyName": "x", "ScanMessageContent": "perhaps"},
        {"FriendlyName": "x", "ValidityPeriod": "36001"},
        {"FriendlyName": "x\0"},
        {},
    ],
)
def test_bad_settings(ask: Ask, form: dict[str, str]) -> None:
    assert ask.call("POST", "/messaging/v1/Services", form).refusal == (400, 20001)


def test_senders_join_are_found_and_leave(ask: Ask) -> None:
    senders = _service(ask) + "/PhoneNumbers"
    number = ask.numbers(1)[0]
    answer = ask.post(senders, PhoneNumberSid=number["sid"])
    assert answer.status == 201
    assert answer.body["capabilities"] == ["MMS", "SMS", "Voice"]
    assert (answer.body["phone_number"], answer.body["country_code"]) == (number["phone_number"], "US")
    assert ask.get(answer.body["url"]).body == answer.body
    assert ask.get(senders).body["phone_numbers"] == [answer.body]
    assert ask.delete(answer.body["url"]).status == 204
    assert ask.get(answer.body["url"]).refusal == (404, 20404)
    assert ask.delete(answer.body["url"]).refusal == (404, 20404)


def test_what_cannot_be_a_sender(ask: Ask) -> None:
    senders, others = _service(ask) + "/PhoneNumbers", _service(ask, "other") + "/PhoneNumbers"
    sid = ask.numbers(1)[0]["sid"]
    assert ask.post(senders, PhoneNumberSid=sid).status == 201
    assert ask.post(senders, PhoneNumberSid=sid).refusal == (409, 21710)
    assert ask.post(others, PhoneNumberSid=sid).refusal == (409, 21712)
    voice_only = ask.numbers(1, "GB", "local")[0]["sid"]
    assert ask.post(senders, PhoneNumberSid=voice_only).refusal == (400, 21715)
    assert ask.post(senders, PhoneNumberSid="PN" + "0" * 32).refusal == (404, 20404)
    assert ask.post(senders, PhoneNumberSid="PN0").refusal == (400, 20001)
    assert ask.post(senders).refusal == (400, 20001)


def test_a_service_has_400_senders_at_most(ask: Ask) -> None:
    senders = _service(ask) + "/PhoneNumbers"
    sids = [row["sid"] for row in ask.numbers(401)]
    assert {ask.post(senders, PhoneNumberSid=sid).status for sid in sids[:400]} == {201}
    assert ask.post(senders, PhoneNumberSid=sids[400]).refusal == (400, 21714)
    assert [len(page["phone_numbers"]) for page in ask.pages(f"{senders}?PageSize=1000")] == [400]


def test_deleting_a_messaging_service_frees_its_senders(ask: Ask) -> None:
    url, sid = _service(ask), ask.numbers(1)[0]["sid"]
    ask.post(f"{url}/PhoneNumbers", PhoneNumberSid=sid)
    ask.delete(url)
    assert ask.post(f"{_service(ask)}/PhoneNumbers", PhoneNumberSid=sid).status == 201
