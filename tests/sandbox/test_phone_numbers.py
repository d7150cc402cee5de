"""A pool's numbers: joining, reserving, draining, leaving, and the limits."""

from __future__ import annotations

import pytest

from proxyctl.sandbox.behaviour import ACCOUNT_SID
from tests.sandbox.asking import BASE_URL, NUMBERS, Ask


@pytest.fixture
def service(ask: Ask) -> str:
    return ask.service()


def test_a_number_joins_by_sid_or_in_e164(ask: Ask, service: str) -> None:
    one, two = ask.numbers(2)
    answer = ask.post(f"{service}/PhoneNumbers", Sid=one["sid"])
    assert answer.status == 201
    assert answer.body["phone_number"] == one["phone_number"]
    assert answer.body["capabilities"] == one["capabilities"]
    assert (answer.body["is_reserved"], answer.body["in_use"]) == (False, 0)
    assert answer.body["url"] == f"{BASE_URL}{service}/PhoneNumbers/{one['sid']}"
    assert ask.get(answer.body["url"]).body == answer.body
    other = ask.post(f"{service}/PhoneNumbers", PhoneNumber=two["phone_number"], IsReserved="TRUE")
    assert (other.body["sid"], other.body["is_reserved"]) == (two["sid"], True)


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({}, 80701),
        ({"Sid": "", "PhoneNumber": ""}, 80701),
        ({"Sid": "PN" + "0" * 32, "PhoneNumber": "+14155550100"}, 80701),
        ({"Sid": "PN123"}, 80407),
        ({"Sid": "PN" + "0" * 32 + "\n"}, 80407),
        ({"Sid": "' OR 1=1--"}, 80407),
        ({"Sid": "PN" + "٣" * 32}, 80407),
        ({"PhoneNumber": "4155550100"}, 80406),
        ({"PhoneNumber": "+1415555010012345"}, 80406),
        ({"PhoneNumber": "+٣٣٣٣٣٣"}, 80406),
        ({"PhoneNumber": " 14155550100"}, 80406),
        ({"Sid": "PN" + "0" * 32}, 80301),
        ({"PhoneNumber": "+14155550100"}, 80301),
        ({"PhoneNumber": "+14155550100", "IsReserved": "yes"}, 80701),
        ({"PhoneNumber": "+14155550100", "IsReserved": ""}, 80701),
        ({"PhoneNumber": "+1\0"}, 80406),
        ({"PhoneNumber": "+1\udc80"}, 80406),
    ],
)
def test_what_cannot_be_added(ask: Ask, service: str, form: dict[str, str], code: int) -> None:
    assert ask.call("POST", f"{service}/PhoneNumbers", form).refusal == (400, code)
    assert ask.get(f"{service}/PhoneNumbers").body["phone_numbers"] == []


def test_a_number_belongs_to_one_service(ask: Ask, service: str) -> None:
    (number,) = ask.numbers(1)
    other = ask.service("other")
    assert ask.post(f"{service}/PhoneNumbers", Sid=number["sid"]).status == 201
    assert ask.post(f"{service}/PhoneNumbers", Sid=number["sid"]).refusal == (400, 80104)
    assert ask.post(f"{other}/PhoneNumbers", PhoneNumber=number["phone_number"]).refusal == (400, 80101)
    assert ask.get(f"{other}/PhoneNumbers/{number['sid']}").refusal == (404, 20404)


def test_a_number_in_a_messaging_service_cannot_join_but_the_other_order_works(
    ask: Ask, service: str
) -> None:
    sender, member = (row["sid"] for row in ask.numbers(2))
    senders = ask.post("/messaging/v1/Services", FriendlyName="a2p").body["links"]["phone_numbers"]
    assert ask.post(senders, PhoneNumberSid=sender).status == 201
    assert ask.post(f"{service}/PhoneNumbers", Sid=sender).refusal == (400, 80601)
    assert ask.post(f"{service}/PhoneNumbers", Sid=member).status == 201
    assert ask.post(senders, PhoneNumberSid=member).status == 201
    assert ask.delete(f"{service}/PhoneNumbers/{member}").status == 204
    assert ask.post(f"{service}/PhoneNumbers", Sid=member).refusal == (400, 80601)  # no way back
    assert ask.delete(f"{senders}/{member}").status == 204
    assert ask.post(f"{service}/PhoneNumbers", Sid=member).status == 201


def test_joining_overwrites_the_webhooks_and_leaving_does_not_restore_them(ask: Ask, service: str) -> None:
    (number,) = ask.numbers(1)
    path = f"{NUMBERS}/{number['sid']}.json"
    before = ask.get(path).body
    ask.post(f"{service}/PhoneNumbers", Sid=number["sid"])
    joined = ask.get(path).body
    root = (
        f"https://webhooks.twilio.com/v1/Accounts/{ACCOUNT_SID}/Proxy/{service.rpartition('/')[2]}/Webhooks"
    )
    assert (joined["voice_url"], joined["sms_url"]) == (f"{root}/Call", f"{root}/Message")
    assert (before["voice_url"], before["sms_url"]) != (joined["voice_url"], joined["sms_url"])
    assert ask.delete(f"{service}/PhoneNumbers/{number['sid']}").status == 204
    left = ask.get(path).body
    assert (left["voice_url"], left["sms_url"]) == (joined["voice_url"], joined["sms_url"])


def test_reserving_and_releasing(ask: Ask, service: str) -> None:
    path = f"{service}/PhoneNumbers/{ask.filled(service, 1)[0]}"
    before = ask.get(path).body
    ask.clock.sleep(10)
    assert ask.post(path).body == before  # an empty update changes nothing
    assert ask.post(path, Sid="PN" + "0" * 32).body == before  # nor does any other parameter
    assert ask.post(path, IsReserved="true").body["is_reserved"] is True
    assert ask.post(path, IsReserved="False").body["is_reserved"] is False
    assert ask.post(path, IsReserved="1").refusal == (400, 80701)


def test_a_number_in_use_drains_and_then_leaves(ask: Ask, service: str) -> None:
    sid = ask.filled(service, 1)[0]
    path = f"{service}/PhoneNumbers/{sid}"
    ask.store.set_in_use(sid, 2)
    assert ask.delete(path).refusal == (400, 80611)
    assert ask.post(path, IsReserved="true").body["in_use"] == 2
    ask.store.set_in_use(sid, 0)
    assert ask.delete(path).status == 204
    assert ask.delete(path).refusal == (404, 20404)


@pytest.mark.parametrize("bad", ["PN" + "0" * 32, "PN0", "%00", "%ff", "+14155550100", "%27%20OR%201%3D1--"])
def test_an_unknown_number(ask: Ask, service: str, bad: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        assert ask.call(method, f"{service}/PhoneNumbers/{bad}").refusal == (404, 20404)
    old = Ask(ask.store, not_found_status=400)
    assert old.get(f"{service}/PhoneNumbers/PN{'0' * 32}").refusal == (400, 80407)


def test_the_pool_limits(ask: Ask, service: str) -> None:
    path = f"{service}/PhoneNumbers"
    ask.filled(service, 5000, reserved=True)
    ask.filled(service, 499)
    first, second, third = (row["sid"] for row in ask.numbers(3))
    assert ask.post(path, Sid=first, IsReserved="true").refusal == (400, 80622)
    assert ask.post(path, Sid=first).status == 201
    assert ask.post(path, Sid=second).refusal == (400, 80622)
    full = ask.post(f"{path}/{first}", IsReserved="true")
    assert full.refusal == (400, 80622)
    assert ask.post(f"{path}/{first}", IsReserved="false").status == 200  # it has its place already
    assert ask.delete(f"{path}/{first}").status == 204
    assert ask.post(path, Sid=third).status == 201
    other = ask.service("elsewhere")
    assert ask.post(f"{other}/PhoneNumbers", Sid=second, IsReserved="true").status == 201
