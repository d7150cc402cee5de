"""Each answer against the published schema: its fields, and the type and form of each, told as data."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from proxyctl.sandbox.behaviour import ACCOUNT_SID
from tests.sandbox.asking import BASE_URL, NUMBERS, Ask

Check = Callable[[Any], bool]


def _sid(prefix: str) -> Check:
    return lambda value: isinstance(value, str) and bool(re.fullmatch(prefix + "[0-9a-fA-F]{32}", value))


def _one_of(*members: object) -> Check:
    return lambda value: value in members


def _or_null(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _map(keys: str, check: Check) -> Check:
    return lambda value: (
        isinstance(value, dict) and set(value) == set(keys.split()) and all(map(check, value.values()))
    )


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _whole(value: Any) -> bool:
    return type(value) is int


def _flag(value: Any) -> bool:
    return type(value) is bool


def _flags(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_flag, value.values()))


def _url(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(BASE_URL + "/")


def _web(value: Any) -> bool:
    return value == "" or (isinstance(value, str) and value.startswith(("http://", "https://")))


def _uri(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("/2010-04-01/")


def _e164(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"\+[1-9][0-9]{1,14}", value))


def _country(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch("[A-Z]{2}", value))


def _date(value: Any) -> bool:
    return isinstance(value, str) and datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ") is not None


def _rfc_2822(value: Any) -> bool:
    return isinstance(value, str) and value.endswith(" +0000") and parsedate_to_datetime(value) is not None


_METHOD = _one_of("GET", "POST")
_OPTIONAL_URL = _or_null(_web)


def shape(*fields: tuple[str, Check]) -> dict[str, Check]:
    """The fields of an answer: those that are alike in one line."""
    return {name: check for names, check in fields for name in names.split()}


SERVICE = shape(
    ("sid", _sid("KS")),
    ("unique_name", _text),
    ("account_sid", _one_of(ACCOUNT_SID)),
    ("chat_instance_sid", _or_null(_sid("IS"))),
    ("callback_url intercept_callback_url out_of_session_callback_url", _OPTIONAL_URL),
    ("default_ttl", _whole),
    ("number_selection_behavior", _one_of("prefer-sticky", "avoid-sticky")),
    ("geo_match_level", _one_of("area-code", "overlay", "radius", "country", "extended-area-code")),
    ("date_created date_updated", _date),
    ("url", _url),
    ("links", _map("sessions phone_numbers short_codes", _url)),
)
PHONE_NUMBER = shape(
    ("sid", _sid("PN")),
    ("account_sid", _one_of(ACCOUNT_SID)),
    ("service_sid", _sid("KS")),
    ("date_created date_updated", _date),
    ("phone_number", _e164),
    ("friendly_name", _text),
    ("iso_country", _country),
    ("capabilities", _flags),
    ("url", _url),
    ("is_reserved", _flag),
    ("in_use", _whole),
)
_STATUS = _one_of(
    *("accepted", "answered", "busy", "canceled", "completed", "deleted", "delivered", "delivery-unknown"),
    *("failed", "in-progress", "initiated", "no-answer", "queued", "received", "receiving", "ringing"),
    *("scheduled", "sending", "sent", "undelivered", "unknown"),
)
_PARENTS = (("account_sid", _one_of(ACCOUNT_SID)), ("service_sid", _sid("KS")))
SESSION = shape(
    ("sid", _sid("KC")),
    *_PARENTS,
    ("date_started date_ended date_last_interaction date_expiry", _or_null(_date)),
    ("unique_name closed_reason", _or_null(_text)),
    ("status", _one_of("open", "in-progress", "closed", "failed", "unknown")),
    ("ttl", _whole),
    ("mode", _one_of("message-only", "voice-only", "voice-and-message")),
    ("date_created date_updated", _date),
    ("url", _url),
    ("links", _map("interactions participants", _url)),
)
PARTICIPANT = shape(
    ("sid", _sid("KP")),
    ("session_sid", _sid("KC")),
    *_PARENTS,
    ("friendly_name proxy_identifier", _or_null(_text)),
    ("identifier", _text),
    ("proxy_identifier_sid", _or_null(_sid("PN"))),
    ("date_deleted", _or_null(_date)),
    ("date_created date_updated", _date),
    ("url", _url),
    ("links", _map("message_interactions", _url)),
)
INTERACTION = shape(
    ("sid", _sid("KI")),
    ("session_sid", _sid("KC")),
    *_PARENTS,
    ("data", _text),
    ("type", _one_of("message", "voice", "unknown")),
    ("inbound_participant_sid outbound_participant_sid", _or_null(_sid("KP"))),
    ("inbound_resource_sid outbound_resource_sid", _or_null(_sid("[A-Z]{2}"))),
    ("inbound_resource_status outbound_resource_status", _or_null(_STATUS)),
    ("inbound_resource_type outbound_resource_type", _or_null(_text)),
    ("inbound_resource_url outbound_resource_url", _or_null(_web)),
    ("date_created date_updated", _date),
    ("url", _url),
)
MESSAGE_INTERACTION = {**INTERACTION, "participant_sid": _sid("KP")}
META = shape(
    ("page page_size", _whole),
    ("first_page_url url", _url),
    ("previous_page_url next_page_url", _or_null(_url)),
    ("key", _text),
)
INCOMING_PHONE_NUMBER = shape(
    ("sid", _sid("PN")),
    ("account_sid", _one_of(ACCOUNT_SID)),
    ("phone_number", _e164),
    ("friendly_name api_version origin status type voice_application_sid sms_application_sid", _text),
    ("beta voice_caller_id_lookup", _flag),
    ("capabilities", _map("voice sms mms fax", _flag)),
    ("date_created date_updated", _rfc_2822),
    ("uri", _uri),
    ("voice_url voice_fallback_url sms_url sms_fallback_url status_callback", _web),
    ("voice_method voice_fallback_method sms_method sms_fallback_method status_callback_method", _METHOD),
    ("voice_receive_mode", _one_of("voice", "fax")),
    ("trunk_sid", _or_null(_sid("TK"))),
    ("address_requirements", _one_of("none", "any", "local", "foreign")),
    ("address_sid emergency_address_sid", _or_null(_sid("AD"))),
    ("identity_sid", _or_null(_sid("RI"))),
    ("bundle_sid", _or_null(_sid("BU"))),
    ("emergency_status", _one_of("Active", "Inactive")),
    (
        "emergency_address_status",
        _one_of(
            "registered",
            "unregistered",
            "pending-registration",
            "registration-failure",
            "pending-unregistration",
            "unregistration-failure",
        ),
    ),
)
ENVELOPE_2010 = shape(
    ("page page_size start end", _whole),
    ("uri first_page_uri", _uri),
    ("next_page_uri previous_page_uri", _or_null(_uri)),
    ("incoming_phone_numbers", lambda value: isinstance(value, list)),
)
ACCOUNT = shape(
    ("sid owner_account_sid", _one_of(ACCOUNT_SID)),
    ("auth_token friendly_name", _text),
    ("status", _one_of("active", "suspended", "closed")),
    ("type", _one_of("Trial", "Full")),
    ("date_created date_updated", _rfc_2822),
    ("uri", _uri),
    ("subresource_uris", lambda value: all(map(_uri, value.values()))),
)
MESSAGING_SERVICE = shape(
    ("sid", _sid("MG")),
    ("account_sid", _one_of(ACCOUNT_SID)),
    ("friendly_name usecase", _text),
    ("date_created date_updated", _date),
    ("inbound_request_url fallback_url status_callback", _OPTIONAL_URL),
    ("inbound_method fallback_method", _METHOD),
    (
        "sticky_sender mms_converter smart_encoding fallback_to_long_code area_code_geomatch "
        "synchronous_validation us_app_to_person_registered use_inbound_webhook_on_number",
        _flag,
    ),
    ("scan_message_content", _one_of("inherit", "enable", "disable")),
    ("validity_period", _whole),
    ("url", _url),
    (
        "links",
        _map(
            "phone_numbers short_codes alpha_senders messages us_app_to_person us_app_to_person_usecases"
            " channel_senders destination_alpha_senders",
            _url,
        ),
    ),
)
MESSAGING_PHONE_NUMBER = shape(
    ("sid", _sid("PN")),
    ("account_sid", _one_of(ACCOUNT_SID)),
    ("service_sid", _sid("MG")),
    ("date_created date_updated", _date),
    ("phone_number", _e164),
    ("country_code", _country),
    ("capabilities", lambda value: isinstance(value, list) and set(value) <= {"Voice", "SMS", "MMS"}),
    ("url", _url),
)


def _wrong(shape: dict[str, Check], body: dict[str, Any]) -> list[str]:
    """Fields that are missing, unknown, or of another type."""
    differ = sorted(set(shape) ^ set(body))
    return differ + [name for name, check in shape.items() if name in body and not check(body[name])]


def test_a_service(ask: Ask) -> None:
    plain = ask.service()
    full = ask.service(
        "full",
        CallbackUrl="https://example.com",
        InterceptCallbackUrl="https://example.com",
        OutOfSessionCallbackUrl="https://example.com",
        ChatInstanceSid="IS" + "a" * 32,
        DefaultTtl="5",
    )
    for path in (plain, full):
        assert _wrong(SERVICE, ask.get(path).body) == []
        assert _wrong(SERVICE, ask.post(path, DefaultTtl="9").body) == []


def test_a_pools_number(ask: Ask) -> None:
    service = ask.service()
    for country in ("US", "GB", "DE"):
        answer = ask.post(f"{service}/PhoneNumbers", Sid=ask.numbers(1, country)[0]["sid"])
        assert _wrong(PHONE_NUMBER, answer.body) == []
        assert _wrong(PHONE_NUMBER, ask.post(answer.body["url"], IsReserved="true").body) == []


def test_a_session_and_what_is_in_it(ask: Ask) -> None:
    service = ask.service()
    ask.filled(service, 2)
    form = {"UniqueName": "ride", "Ttl": "60", "DateExpiry": "2030-01-01T00:00:00Z"}
    for session in (ask.session(service), ask.session(service, **form)):
        plain = ask.join(session, "+14157770001").body
        full = ask.join(session, "whatsapp:+14157770002", FriendlyName="B").body
        message = ask.post(plain["links"]["message_interactions"], Body="hello").body
        assert _wrong(MESSAGE_INTERACTION, message) == []
        assert [_wrong(PARTICIPANT, row) for row in (plain, full, ask.delete(full["url"]).body)] == [[]] * 3
        for body in (ask.get(session).body, ask.post(session, Status="closed").body):
            assert _wrong(SESSION, body) == []
    (entry,) = ask.get(f"{session}/Interactions").body["interactions"]
    assert _wrong(INTERACTION, ask.get(entry["url"]).body) == []


def test_lists(ask: Ask) -> None:
    service = ask.service()
    ask.filled(service, 3)
    session, *_ = (ask.session(service) for _ in range(3))
    participant, _ = (ask.join(session, f"+1415777000{index}").body for index in range(2))
    messages = participant["links"]["message_interactions"]
    for _ in range(3):
        ask.post(messages, Body="hello")
    senders = ask.post("/messaging/v1/Services", FriendlyName="a2p").body["links"]["phone_numbers"]
    for sid in (row["sid"] for row in ask.numbers(3)):
        ask.post(senders, PhoneNumberSid=sid)
    lists = {
        "/v1/Services": ("services", SERVICE),
        f"{service}/PhoneNumbers?PageSize=2": ("phone_numbers", PHONE_NUMBER),
        f"{service}/Sessions?PageSize=2": ("sessions", SESSION),
        f"{session}/Participants?PageSize=1": ("participants", PARTICIPANT),
        f"{session}/Interactions?PageSize=2": ("interactions", INTERACTION),
        f"{messages}?PageSize=2": ("interactions", MESSAGE_INTERACTION),
        f"{service}/ShortCodes": ("short_codes", {}),
        "/messaging/v1/Services": ("services", MESSAGING_SERVICE),
        f"{senders}?PageSize=2": ("phone_numbers", MESSAGING_PHONE_NUMBER),
    }
    for target, (key, shape) in lists.items():
        for body in ask.pages(target):
            assert set(body) == {"meta", key}
            assert _wrong(META, body["meta"]) == []
            assert body["meta"]["key"] == key
            assert [_wrong(shape, row) for row in body[key]] == [[]] * len(body[key])


def test_the_account_and_its_numbers(ask: Ask) -> None:
    assert _wrong(ACCOUNT, ask.get(f"/2010-04-01/Accounts/{ACCOUNT_SID}.json").body) == []
    for country in ("US", "GB"):
        number = ask.get(f"{NUMBERS}/{ask.numbers(1, country)[0]['sid']}.json").body
        assert _wrong(INCOMING_PHONE_NUMBER, number) == []
        assert (
            _wrong(INCOMING_PHONE_NUMBER, ask.post(f"{NUMBERS}/{number['sid']}.json", SmsUrl="").body) == []
        )
    for body in ask.pages(f"{NUMBERS}.json?PageSize=1"):
        assert _wrong(ENVELOPE_2010, body) == []
        assert [_wrong(INCOMING_PHONE_NUMBER, row) for row in body["incoming_phone_numbers"]] == [[]]


def test_messaging(ask: Ask) -> None:
    body = ask.post(
        "/messaging/v1/Services", FriendlyName="a2p", InboundRequestUrl="https://example.com"
    ).body
    assert _wrong(MESSAGING_SERVICE, body) == []
    sender = ask.post(body["links"]["phone_numbers"], PhoneNumberSid=ask.numbers(1)[0]["sid"]).body
    assert _wrong(MESSAGING_PHONE_NUMBER, sender) == []


def test_the_checks_can_fail(ask: Ask) -> None:
    body = ask.get(ask.service()).body
    assert _wrong(SERVICE, {**body, "default_ttl": "0", "extra": 1}) == ["extra", "default_ttl"]
