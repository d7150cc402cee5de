"""The resources: their calls, names that are looked up, and creates whose answer was lost."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from proxyctl.api.models import IncomingNumber, MessagingService, PhoneNumber, Service, Session
from proxyctl.errors import AnswerError, NotFoundError, ProxyctlError, RefusedError, UsageError
from tests.api.stubs import AC, KS, MG, PN, Reply, answer, page, refusal, scripted, sent, slept

LIST = "GET /v1/Services?PageSize=100"
POOL = f"/v1/Services/{KS}/PhoneNumbers"
OURS = {"sid": KS, "unique_name": "mask", "default_ttl": 3600, "future_field": 1}
NUMBER = {"sid": PN, "phone_number": "+14155550100", "is_reserved": True}
LOST = [
    httpx.ReadError("reset"),
    refusal(500, 20500),
    answer({}, 201),
    httpx.Response(201, content=b"<html>"),
]


def test_services_by_their_calls() -> None:
    script: list[tuple[str, Reply]] = [
        ("POST /v1/Services", answer(OURS, 201)),
        (f"GET /v1/Services/{KS}", answer(OURS)),
        (f"POST /v1/Services/{KS}", answer(OURS)),
        (f"DELETE /v1/Services/{KS}", httpx.Response(204)),
    ]
    with scripted(*script) as client:
        service = client.services.create(unique_name="mask", default_ttl=3600, callback_url=None)
        assert client.services.fetch(KS) == service
        client.services.update(KS, callback_url="", geo_match_level="area-code")
        client.services.delete(KS)
        forms = [request.content.decode() for request in sent(client)]
    assert forms == ["UniqueName=mask&DefaultTtl=3600", "", "CallbackUrl=&GeoMatchLevel=area-code", ""]
    assert (service.sid, service.unique_name, service.default_ttl) == (KS, "mask", 3600)
    assert service.raw == OURS


def test_a_service_by_name_or_sid() -> None:
    others = [{"sid": "KS0", "unique_name": "MASK"}, {"sid": "KS1", "unique_name": None}, {"sid": "KS2"}]
    script = ((LIST, page("services", [*others, OURS])), (f"GET /v1/Services/{KS}", answer(OURS)))
    with scripted(*script) as client:
        assert client.services.find("mask").sid == KS
        assert client.services.find(KS).sid == KS


@pytest.mark.parametrize(
    ("name", "hint"),
    [("masking-prd", "masking-prod"), ("MASKING-PROD", "masking-prod"), ("qqq", "service list")],
)
def test_a_name_that_is_not_there(name: str, hint: str) -> None:
    listed = page(
        "services", [{"sid": "KS0", "unique_name": "masking-prod"}, {"sid": "KS1", "unique_name": "other"}]
    )
    with scripted((LIST, listed)) as client, pytest.raises(NotFoundError) as caught:
        client.services.find(name)
    assert name in caught.value.message
    assert hint in str(caught.value.hint)


@pytest.mark.parametrize("lost", LOST)
def test_a_lost_create_of_a_service_is_found_by_its_name(lost: Reply) -> None:
    script = (("POST /v1/Services", lost), (LIST, page("services", [])), (LIST, page("services", [OURS])))
    with scripted(*script) as client:
        assert client.services.create(unique_name="mask", default_ttl=3600).sid == KS
        assert slept(client) == [0.0, 1.0]


def test_a_lost_create_is_repeated_only_after_looking_four_times() -> None:
    script = [("POST /v1/Services", LOST[0])] + [(LIST, page("services", [])) for _ in range(4)]
    with scripted(*script, ("POST /v1/Services", answer(OURS, 201))) as client:
        assert client.services.create(unique_name="mask").sid == KS
        assert slept(client) == [0.0, 1.0, 2.0, 5.0]


def test_a_taken_name_after_a_repeat_is_success_if_the_service_is_as_it_was_asked_for() -> None:
    script = [("POST /v1/Services", LOST[0])] + [(LIST, page("services", [])) for _ in range(4)]
    script += [("POST /v1/Services", refusal(400, 80602)), (LIST, page("services", [OURS]))]
    with scripted(*script) as client:
        assert client.services.create(unique_name="mask", default_ttl=3600).sid == KS


def test_a_taken_name_is_a_refusal_at_first_or_where_the_service_differs() -> None:
    with scripted(("POST /v1/Services", refusal(400, 80602))) as client, pytest.raises(RefusedError):
        client.services.create(unique_name="mask")
    script = [("POST /v1/Services", LOST[0])] + [(LIST, page("services", [OURS])) for _ in range(4)]
    script += [("POST /v1/Services", refusal(400, 80602)), (LIST, page("services", [OURS]))]
    with scripted(*script) as client, pytest.raises(RefusedError):
        client.services.create(unique_name="mask", default_ttl=60)


def test_where_looking_fails_the_outcome_stays_unknown() -> None:
    script = (("POST /v1/Services", LOST[0]), (LIST, refusal(403)))
    with scripted(*script) as client, pytest.raises(ProxyctlError) as caught:
        client.services.create(unique_name="mask")
    assert caught.value.may_have_happened
    assert isinstance(caught.value.__cause__, ProxyctlError)


def test_an_outage_ends_after_the_retries() -> None:
    script: list[tuple[str, Reply]] = []
    for _ in range(2):
        script += [("POST /v1/Services", refusal(500))] + [(LIST, page("services", [])) for _ in range(4)]
    with scripted(*script, retries=1) as client, pytest.raises(ProxyctlError) as caught:
        client.services.create(unique_name="mask")
    assert caught.value.may_have_happened
    assert caught.value.exit_code == 7


def test_phone_numbers_by_their_calls() -> None:
    script: list[tuple[str, Reply]] = [
        (f"POST {POOL}", answer(NUMBER, 201)),
        (f"POST {POOL}", answer(NUMBER, 201)),
        (f"GET {POOL}/{PN}", answer(NUMBER)),
        (f"POST {POOL}/{PN}", answer(NUMBER)),
        (f"DELETE {POOL}/{PN}", httpx.Response(204)),
        (f"GET {POOL}?PageSize=100", page("phone_numbers", [NUMBER])),
    ]
    with scripted(*script) as client:
        pool = client.phone_numbers(KS)
        pool.create(sid=PN, is_reserved=True)
        pool.create(phone_number="+14155550100")
        assert pool.fetch(PN).phone_number == "+14155550100"
        assert pool.update(PN, False).is_reserved
        pool.delete(PN)
        assert [found.items for found in pool.list()] == [[NUMBER]]
        forms = [request.content.decode() for request in sent(client)]
    assert forms[:4] == [f"Sid={PN}&IsReserved=true", "PhoneNumber=%2B14155550100", "", "IsReserved=false"]


@pytest.mark.parametrize("arguments", [{}, {"sid": PN, "phone_number": "+1"}])
def test_a_number_is_added_by_exactly_one_of_sid_and_number(arguments: dict[str, Any]) -> None:
    with scripted() as client, pytest.raises(UsageError):
        client.phone_numbers(KS).create(**arguments)


@pytest.mark.parametrize("lost", LOST)
def test_a_lost_add_is_settled_by_a_get(lost: Reply) -> None:
    script = (
        (f"POST {POOL}", lost),
        (f"GET {POOL}/{PN}", refusal(400, 80407)),
        (f"GET {POOL}/{PN}", answer(NUMBER)),
    )
    with scripted(*script) as client:
        assert client.phone_numbers(KS).create(sid=PN, is_reserved=True).sid == PN


def test_a_lost_add_by_number_is_settled_by_a_list() -> None:
    script = ((f"POST {POOL}", LOST[0]), (f"GET {POOL}?PageSize=100", page("phone_numbers", [NUMBER])))
    with scripted(*script) as client:
        assert client.phone_numbers(KS).create(phone_number="+14155550100").sid == PN


def test_already_there_after_a_repeat_is_success_and_a_refusal_otherwise() -> None:
    absent = [(f"GET {POOL}/{PN}", refusal(404, 20404)) for _ in range(4)]
    repeat = [(f"POST {POOL}", refusal(400, 80104)), (f"GET {POOL}/{PN}", answer(NUMBER))]
    with scripted((f"POST {POOL}", LOST[0]), *absent, *repeat) as client:
        assert client.phone_numbers(KS).create(sid=PN, is_reserved=True).sid == PN
    with scripted((f"POST {POOL}", refusal(400, 80104))) as client, pytest.raises(RefusedError):
        client.phone_numbers(KS).create(sid=PN)


def test_a_service_that_is_gone_ends_a_lost_add() -> None:
    absent = [(f"GET {POOL}/{PN}", refusal(400, 80408)) for _ in range(4)]
    script = [(f"POST {POOL}", LOST[0]), *absent, (f"POST {POOL}", refusal(400, 80408))]
    with scripted(*script) as client, pytest.raises(NotFoundError):
        client.phone_numbers(KS).create(sid=PN)


def test_the_accounts_numbers() -> None:
    base = f"/2010-04-01/Accounts/{AC}/IncomingPhoneNumbers"
    key = "incoming_phone_numbers"
    found = answer({key: [{"sid": "PN0", "phone_number": "+141555501000"}, NUMBER], "next_page_uri": None})
    script: list[tuple[str, Reply]] = [
        (f"GET {base}.json?PhoneNumber=%2B14155550100&PageSize=50", found),
        (f"GET {base}/{PN}.json", answer(NUMBER)),
        (f"POST {base}/{PN}.json", answer(NUMBER)),
    ]
    with scripted(*script) as client:
        number = client.incoming_numbers.by_number("+14155550100")
        assert number is not None
        assert number.sid == PN
        client.incoming_numbers.fetch(PN)
        client.incoming_numbers.update(PN, voice_url="", sms_method="POST")
        assert sent(client)[-1].content == b"VoiceUrl=&SmsMethod=POST"


def test_messaging_services_and_their_numbers() -> None:
    base = "/messaging/v1/Services"
    script: list[tuple[str, Reply]] = [
        (f"GET {base}?PageSize=100", page("services", [{"sid": MG}])),
        (f"GET {base}/{MG}", answer({"sid": MG, "use_inbound_webhook_on_number": True})),
        (f"GET {base}/{MG}/PhoneNumbers?PageSize=100", page("phone_numbers", [])),
        (f"POST {base}/{MG}/PhoneNumbers", httpx.ReadError("reset")),
        (f"GET {base}/{MG}/PhoneNumbers/{PN}", refusal(404, 20404)),
        (f"GET {base}/{MG}/PhoneNumbers/{PN}", answer(NUMBER)),
        (f"DELETE {base}/{MG}/PhoneNumbers/{PN}", httpx.Response(204)),
    ]
    with scripted(*script) as client:
        assert [found.items for found in client.messaging.list()] == [[{"sid": MG}]]
        assert client.messaging.fetch(MG).use_inbound_webhook_on_number
        numbers = client.messaging.phone_numbers(MG)
        assert [found.items for found in numbers.list()] == [[]]
        assert numbers.create(PN).phone_number == "+14155550100"
        numbers.delete(PN)
        assert sent(client)[3].content == f"PhoneNumberSid={PN}".encode()


def test_sessions() -> None:
    with scripted(
        (f"GET /v1/Services/{KS}/Sessions?PageSize=100", page("sessions", [{"sid": "KC1"}]))
    ) as client:
        assert [found.items for found in client.sessions(KS).list()] == [[{"sid": "KC1"}]]


def test_user_text_cannot_leave_its_segment_of_a_path() -> None:
    with scripted(("GET /v1/Services/..%2F..%2Fx%3Fy%23z", refusal(404))) as client:
        with pytest.raises(NotFoundError):
            client.services.fetch("../../x?y#z")
        for text in ("..", ".", ""):
            with pytest.raises(UsageError):
                client.services.delete(text)


@pytest.mark.parametrize("raw", [None, [], "x", {}, {"sid": None}, {"sid": 5}, {"sid": ""}])
@pytest.mark.parametrize("kind", [Service, PhoneNumber, Session, IncomingNumber, MessagingService])
def test_what_is_no_resource(kind: type[Service], raw: Any) -> None:
    with pytest.raises(AnswerError):
        kind(raw)


def test_fields_that_are_missing_or_of_another_type_are_none() -> None:
    bare, odd = (
        PhoneNumber({"sid": "12345"}),
        PhoneNumber({"sid": "x", "in_use": True, "is_reserved": 1, "capabilities": []}),
    )
    for number in (bare, odd):
        assert (number.in_use, number.is_reserved, number.capabilities, number.phone_number) == (
            None,
            None,
            {},
            None,
        )
    mixed = PhoneNumber(
        {"sid": "x", "capabilities": {"fax_inbound": False, "new": True, "odd": "yes"}, "in_use": 0}
    )
    assert (mixed.capabilities, mixed.in_use) == ({"fax_inbound": False, "new": True}, 0)
