"""The rules of the audit, one by one: what each finds, what it leaves alone, and the command that it gives."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from inspect import getsource
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxyctl.api.models import IncomingNumber, MessagingService, PhoneNumber, Service
from proxyctl.commands.pool import sessions
from proxyctl.pools import a2p, audit
from proxyctl.pools.audit import (
    Context,
    callback_problem,
    leads_to_proxy,
    messaging_findings,
    number_findings,
    service_findings,
    webhook_findings,
)
from proxyctl.pools.findings import KINDS, Finding, Severity, argument
from proxyctl.pools.status import PoolStatus

ACCOUNT = "AC" + "a" * 32
HERE, THERE, GONE = ("KS" + digit * 32 for digit in "123")
NUMBER = "PN" + "4" * 32
SENDER = "MG" + "5" * 32
GOOD = "https://app.example.com/events"
ALL = {f"{kind}_{way}": True for kind in ("voice", "sms") for way in ("inbound", "outbound")}


def hooks(service: str) -> dict[str, str]:
    root = f"https://webhooks.twilio.com/v1/Accounts/{ACCOUNT}/Proxy/{service}/Webhooks"
    return {"voice_url": f"{root}/Call", "sms_url": f"{root}/Message"}


def service(**fields: Any) -> Service:
    return Service({"sid": HERE, "unique_name": "here", "callback_url": GOOD, **fields})


def number(**fields: Any) -> PhoneNumber:
    return PhoneNumber({"sid": NUMBER, "phone_number": "+14155550100", "capabilities": ALL, **fields})


def incoming(**fields: Any) -> IncomingNumber:
    raw = {"sid": NUMBER, "phone_number": "+14155550100", "capabilities": {"voice": True, "sms": True}}
    return IncomingNumber({**raw, **hooks(HERE), **fields})


def context(**fields: Any) -> Context:
    services = {HERE: service(), THERE: service(sid=THERE, unique_name="there")}
    return replace(Context(services, holders={}, senders={}, whole=True), **fields)


def told(found: Any) -> list[tuple[str, str]]:
    return [(str(finding.severity), finding.id) for finding in found]


@pytest.mark.parametrize(
    ("reserved", "unreserved", "expected"),
    [
        (4249, 424, []),
        (4250, 0, [("warning", "pool-near-limit"), ("warning", "service-all-reserved")]),
        (0, 425, [("warning", "pool-near-limit")]),
        (5000, 500, [("error", "pool-full")] * 2),
        (0, 0, [("warning", "service-empty")]),
        (3, 0, [("warning", "service-all-reserved")]),
        (3, 1, []),
    ],
)
def test_pools(reserved: int, unreserved: int, expected: list[tuple[str, str]]) -> None:
    status = PoolStatus(HERE, reserved=reserved, unreserved=unreserved)
    assert told(service_findings(service(), status)) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (None, "callback-missing"),
        ("", "callback-missing"),
        (GOOD, None),
        ("HTTPS://app.example.com", None),
        ("http://app.example.com", "callback-not-https"),
        ("nonsense", "callback-not-https"),
        ("http://[", "callback-not-https"),
        ("https://proxy.twilio.com/v1/Services", "callback-at-proxy"),
        ("http://proxy.dublin.ie1.twilio.com/v1", "callback-at-proxy"),
        (hooks(GONE)["sms_url"], "callback-at-proxy"),
        ("http://localhost:3000", "callback-not-public"),
        ("https://LOCALHOST./x", "callback-not-public"),
        ("https://app.localhost/", "callback-not-public"),
        ("https://127.0.0.1/", "callback-not-public"),
        ("https://2130706433/", "callback-not-public"),
        ("https://10.0.0.7:8443/", "callback-not-public"),
        ("https://172.31.0.1/", "callback-not-public"),
        ("https://192.168.1.1/", "callback-not-public"),
        ("https://169.254.169.254/", "callback-not-public"),
        ("https://0.0.0.0/", "callback-not-public"),
        ("https://[::1]/", "callback-not-public"),
        ("https://[fd00::1]/", "callback-not-public"),
        ("https://[::ffff:10.0.0.1]/", "callback-not-public"),
        ("https://app/", "callback-not-public"),
        ("https://app.internal/", "callback-not-public"),
        ("https://mac.local/", "callback-not-public"),
        ("https://8.8.8.8/", None),
        ("https://[2001:4860:4860::8888]/", None),
        ("https://172.32.0.1/", None),
        ("https://10.example.com/", None),
        ("https://localhost.example.com/", None),
        ("https://127.0.0.1.example.com/", None),
        ("https://example.com/proxy.twilio.com", None),
        ("https://proxy.twilio.com.example.com/", None),
    ],
)
def test_callbacks(url: str | None, expected: str | None) -> None:
    assert callback_problem(url) == expected


PLACES = {"US": "+1212555", "us": "+1415555", "GB": "+4420", "CA": "+1604555"}


@pytest.mark.parametrize(
    ("pool", "level", "expected"),
    [
        ("US- GB-", "country", []),
        ("US- US+ GB+ GB+ CA+", "country", ["country-all-reserved: CA, GB"]),
        ("US- us+ GB+", None, ["country-all-reserved: GB"]),
        (
            "US- us+ GB+ CA+",
            "area-code",
            ["country-all-reserved: CA, GB", "area-code-all-reserved: area code 415"],
        ),
        ("US+ us+ GB-", "area-code", ["country-all-reserved: US"]),
        ("US+ us+", "area-code", ["service-all-reserved: "]),
    ],
)
def test_countries_and_area_codes_without_an_unreserved_number(
    pool: str, level: str | None, expected: list[str]
) -> None:
    """``US+`` is a reserved number in one area code of the country, ``us-`` an unreserved one in another."""
    status = PoolStatus(HERE)
    status.add(
        {
            "phone_number": f"{PLACES[word[:-1]]}{index:04}",
            "iso_country": word[:2].upper(),
            "is_reserved": word.endswith("+"),
        }
        for index, word in enumerate(pool.split())
    )
    found = list(service_findings(service(geo_match_level=level), status))
    assert {finding.severity for finding in found} <= {Severity.WARNING}
    named = [re.split("all of its numbers(?: in)?|are reserved", one.message)[1].strip() for one in found]
    assert [f"{one.id}: {place}" for one, place in zip(found, named, strict=True)] == expected


def test_only_the_main_callback_is_expected() -> None:
    status = PoolStatus(HERE, unreserved=1)
    assert told(service_findings(service(callback_url=None), status)) == [("info", "callback-missing")]
    bad = service(
        out_of_session_callback_url="http://x.example", intercept_callback_url="https://proxy.twilio.com/"
    )
    found = list(service_findings(bad, status))
    assert told(found) == [("error", "callback-at-proxy"), ("warning", "callback-not-https")]
    assert "--intercept-callback-url" in found[0].fix and "--out-of-session-callback-url" in found[1].fix


def test_every_id_has_a_kind() -> None:
    kinds = r'"((?:callback|messaging|number|pool|service|session|webhook|country|area-code)-[a-z-]+)"'
    ids = set(re.findall(kinds, getsource(audit) + getsource(a2p) + getsource(sessions)))
    assert ids | {"number-without-sms", "number-without-voice"} == set(KINDS)


def test_numbers_in_a_pool() -> None:
    assert told(number_findings(service(), number(in_use=100))) == []
    assert told(number_findings(service(), number(in_use=101))) == [("warning", "number-overloaded")]
    unsaid: tuple[Any, ...] = (None, {}, "voice")
    for capabilities in unsaid:
        assert told(number_findings(service(), number(capabilities=capabilities))) == [], "nothing is known"
    only_in = {**ALL, "sms_outbound": False}
    assert told(number_findings(service(), number(capabilities=only_in))) == [
        ("warning", "number-without-sms")
    ]
    lacking = number(capabilities={"fax_inbound": True}, is_reserved=True)
    found = list(number_findings(service(), lacking))
    assert told(found) == [("info", "number-without-sms"), ("info", "number-without-voice")]
    assert found[0].fix == "proxyctl number remove here +14155550100"


def test_a_pool_number_that_points_at_its_service_is_well() -> None:
    assert told(webhook_findings(incoming(), context(holders={NUMBER: HERE}))) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"voice_url": GOOD},
        {"sms_url": ""},
        {"sms_url": None},
        hooks(THERE),
        hooks(GONE),
        {"voice_url": hooks(HERE)["voice_url"].replace("webhooks.twilio.com", "evil.example")},
        {"voice_application_sid": "AP" + "1" * 32},
        {"trunk_sid": "TK" + "1" * 32},
        {"sms_application_sid": "AP" + "1" * 32},
    ],
)
def test_a_pool_number_that_points_elsewhere(fields: dict[str, Any]) -> None:
    found = list(webhook_findings(incoming(**fields), context(holders={NUMBER: HERE})))
    assert told(found) == [("error", "webhook-elsewhere")]
    assert found[0].fix == "proxyctl number webhooks here +14155550100 --proxy"


def test_what_a_number_can_t_do_need_not_point_anywhere() -> None:
    mute = incoming(sms_url="", capabilities={"voice": True, "sms": False})
    assert told(webhook_findings(mute, context(holders={NUMBER: HERE}))) == []
    unsaid = incoming(sms_url="", capabilities=None)
    assert told(webhook_findings(unsaid, context(holders={NUMBER: HERE}))) == [("error", "webhook-elsewhere")]


def test_numbers_in_no_pool() -> None:
    def fix(**fields: Any) -> tuple[str, str]:
        (found,) = webhook_findings(incoming(**hooks(HERE)), context(**fields))
        return found.id, found.fix

    assert fix() == ("webhook-stale", "proxyctl number add here +14155550100")
    elsewhere = "proxyctl number webhooks here +14155550100 --voice-url VOICE_URL --sms-url SMS_URL"
    assert fix(senders={NUMBER: SENDER})[1] == elsewhere, "it could not be added"
    (gone,) = webhook_findings(incoming(**hooks(GONE)), context())
    assert (gone.id, gone.service) == ("webhook-stale", None) and "no more" in gone.message
    assert told(webhook_findings(incoming(voice_url=GOOD, sms_url=GOOD), context())) == []
    demo = incoming(voice_url="https://demo.twilio.com/welcome/voice/", sms_url="")
    assert told(webhook_findings(demo, context())) == [("warning", "webhook-demo")]


def test_where_some_services_alone_are_asked_about_the_rest_of_the_account_is_left_alone() -> None:
    some = context(services={HERE: service()}, whole=False)
    assert told(webhook_findings(incoming(**hooks(HERE)), some)) == [("warning", "webhook-stale")]
    assert told(webhook_findings(incoming(**hooks(THERE)), some)) == []
    assert told(webhook_findings(incoming(voice_url="https://demo.twilio.com/"), some)) == [
        ("warning", "webhook-stale")
    ], "the message webhook still names the Service"


def test_messaging_services_that_keep_messages_from_the_pool() -> None:
    def found(defers: bool | None, holders: dict[str, str]) -> list[tuple[str, str]]:
        messaging = MessagingService({"sid": SENDER, "use_inbound_webhook_on_number": defers})
        return told(messaging_findings(messaging, [NUMBER, "PN" + "6" * 32], context(holders=holders)))

    assert found(True, {NUMBER: HERE}) == []
    assert found(None, {NUMBER: HERE}) == [], "nothing is known"
    assert found(False, {}) == []
    assert found(False, {NUMBER: HERE}) == [("error", "messaging-not-deferring")]
    assert found(False, {NUMBER: HERE, "PN" + "6" * 32: THERE}) == [("error", "messaging-not-deferring")] * 2


@given(st.text(min_size=1, max_size=12), st.text(min_size=1, max_size=12))
def test_a_command_is_safe_to_type_whatever_things_are_called(name: str, phone_number: str) -> None:
    """A fix is pasted into a shell: names come from the API."""
    odd = service(unique_name=name, callback_url=None)
    assert argument(odd) in (name, HERE)
    status = PoolStatus(HERE, reserved=5000)
    found: list[Finding] = [
        *service_findings(odd, status),
        *number_findings(odd, number(phone_number=phone_number, in_use=200)),
        *webhook_findings(incoming(phone_number=phone_number, **hooks(HERE)), context(services={HERE: odd})),
    ]
    assert found
    for finding in found:
        assert shlex.split(finding.fix) == finding.fix.split(" "), finding.fix
        assert shlex.join(finding.fix.split(" ")) == finding.fix, "nothing in it needs quotes"
        assert finding.rank[0] == list(Severity).index(finding.severity)


@given(st.text(max_size=40))
def test_no_url_is_too_odd(url: str) -> None:
    for text in (url, f"https://{url}", f"http://[{url}"):
        assert leads_to_proxy(text) in (True, False)
        callback_problem(text)
