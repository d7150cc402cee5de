"""What any request meets first: credentials, paths, methods; and requests that no honest client sends."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proxyctl.sandbox.behaviour import (
    ACCOUNT_SID,
    API_KEY_SECRET,
    API_KEY_SID,
    AUTH_TOKEN,
    ROUTES,
    Request,
    Sandbox,
    find,
)
from proxyctl.sandbox.context import parse_pairs
from proxyctl.sandbox.world.store import Store
from tests.sandbox.asking import NUMBERS, Ask, basic


def _header(text: str) -> dict[str, str]:
    return {"authorization": text}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        _header(""),
        _header("Basic"),
        _header("Basic !!!"),
        _header("Bearer " + AUTH_TOKEN),
        _header("Basic " + base64.b64encode(b"\xff\xfe:\xff").decode()),
        _header("Basic " + base64.b64encode(ACCOUNT_SID.encode()).decode()),
        basic(ACCOUNT_SID, "wrong"),
        basic(ACCOUNT_SID, ""),
        basic(ACCOUNT_SID, API_KEY_SECRET),
        basic(API_KEY_SID, AUTH_TOKEN),
        basic("AC" + "0" * 32, AUTH_TOKEN),
    ],
)
def test_without_good_credentials_everything_is_401(ask: Ask, headers: dict[str, str]) -> None:
    for target in ("/v1/Services", f"{NUMBERS}.json", "/messaging/v1/Services", "/nowhere"):
        answer = ask.call("GET", target, headers=headers)
        assert answer.refusal == (401, 20003)
        assert "basic" in answer.headers["WWW-Authenticate"].lower()
    assert ask.call("POST", "/v1/Services", {"UniqueName": "x"}, headers).refusal == (401, 20003)
    assert ask.get("/v1/Services").body["services"] == []


def test_the_account_and_the_api_key_are_accepted(ask: Ask) -> None:
    for headers in (
        basic(),
        basic(API_KEY_SID, API_KEY_SECRET),
        _header(basic()["authorization"].replace("B", "b", 1)),
    ):
        assert ask.call("GET", "/v1/Services", headers=headers).status == 200


def test_every_answer_carries_the_platforms_headers(ask: Ask) -> None:
    service = ask.service()
    answers = [ask.get("/v1/Services"), ask.get("/nowhere"), ask.post("/v1/Services"), ask.delete(service)]
    for answer in answers:
        assert re.fullmatch("RQ[0-9a-f]{32}", answer.headers["Twilio-Request-Id"])
        assert float(answer.headers["Twilio-Request-Duration"]) >= 0
        assert answer.headers["Twilio-Concurrent-Requests"] == "1"
        assert answer.headers["Date"] == "Sun, 15 Jun 2025 15:06:40 GMT"
    assert [answer.headers.get("Content-Type") for answer in answers] == ["application/json"] * 3 + [None]
    assert answers[-1].body is None
    assert len({answer.headers["Twilio-Request-Id"] for answer in answers}) == 4


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "v1/Services",
        "/v1",
        "/v1/Services/",
        "/v2/Services",
        "//v1/Services",
        "/v1/services",
        "/v1/Services/%00",
        "/v1/Services/%ff%fe",
        "/v1/Services/..%2f..%2fetc",
        "/v1/Services/' OR 1=1--",
        "/v1/Services/%27%3B%20DROP%20TABLE%20services%3B--",
        "/v1/Services/\udcff",
        "/v1/Services/" + "K" * 100_000,
        "/v1" * 5_000,
        "/%",
        "http://evil.example/v1/Services",
    ],
)
def test_unknown_paths(ask: Ask, path: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        answer = ask.call(method, path, {"UniqueName": "x"})
        assert answer.refusal == (404, 20404)
        assert len(answer.body["message"]) <= 400


def test_what_is_not_there_is_named_as_twilio_does(ask: Ask) -> None:
    for path, named in (
        ("/v1/Services/KS1", "/Services/KS1"),
        ("/messaging/v1/Services/MG1", "/Services/MG1"),
        ("/v1/Nothing", "/Nothing"),
        (f"{NUMBERS}/PN1.json", f"{NUMBERS}/PN1.json"),
    ):
        assert ask.get(path).body["message"] == f"The requested resource {named} was not found"


def test_only_known_parameters_have_to_be_text(ask: Ask) -> None:
    assert ask.post("/v1/Services", UniqueName="a", Nobody="\0", **{"\udcff": "\udcff"}).status == 201
    assert ask.post("/v1/Services", UniqueName="\0").refusal == (400, 80701)
    assert ask.get(f"{NUMBERS}.json?FriendlyName=%00").refusal == (400, 20001)
    assert ask.get(f"{NUMBERS}.json?PhoneNumber=%ff").refusal == (400, 20001)


def test_a_wrong_method_names_the_right_ones(ask: Ask) -> None:
    service = ask.service()
    for method, path, allowed in (
        ("PUT", "/v1/Services", "GET, POST"),
        ("DELETE", "/v1/Services", "GET, POST"),
        ("PATCH", service, "GET, POST, DELETE"),
        ("OPTIONS", f"{service}/PhoneNumbers", "GET, POST"),
        ("get", "/v1/Services", "GET, POST"),
        ("DELETE", f"{NUMBERS}.json", "GET, POST"),
    ):
        answer = ask.call(method, path)
        assert answer.refusal == (405, 20004)
        assert answer.headers["Allow"] == allowed


def test_percent_encoding_is_read_segment_by_segment(ask: Ask) -> None:
    service = ask.service()
    sid = service.rpartition("/")[2]
    assert ask.get(f"/v1/%53ervices/{sid}").status == 200
    assert ask.get(f"/v1%2FServices%2F{sid}").refusal == (404, 20404)


def test_every_route_finds_itself() -> None:
    for pattern in ROUTES:
        path = re.sub(r"\{(\w+)\}", "XX1", pattern)
        found = find(path)
        assert found is not None and found[0] is ROUTES[pattern]
        assert set(found[1].values()) <= {"XX1"}


def test_a_broken_database_is_an_answer_too(ask: Ask) -> None:
    ask.store.close()
    assert ask.get("/v1/Services").refusal == (500, 20500)


def test_forms_that_no_client_sends() -> None:
    assert parse_pairs("a=1&b&c=&=d&&a=%zz%ff") == [
        ("a", "1"),
        ("b", ""),
        ("c", ""),
        ("", "d"),
        ("a", "%zz\udcff"),
    ]
    assert len(parse_pairs("a=1&" * 5000)) == 1000
    request = Request.from_wire(
        "POST",
        "/v1/Services?Page=1",
        {},
        "UniqueName=caf\u00e9&x=\udcff".encode("utf-8", "surrogateescape"),
        "http://x",
    )
    assert (request.path, request.query) == ("/v1/Services", [("Page", "1")])
    assert request.form == [("UniqueName", "café"), ("x", "\udcff")]


_COLLECTIONS = [
    "v1",
    "messaging",
    "2010-04-01",
    "Accounts",
    "Services",
    "PhoneNumbers",
    "Sessions",
    "Participants",
    "Interactions",
    "ShortCodes",
]
_PARAMETERS = [
    "UniqueName",
    "DefaultTtl",
    "CallbackUrl",
    "GeoMatchLevel",
    "ChatInstanceSid",
    "Sid",
    "PhoneNumber",
    "IsReserved",
    "PhoneNumberSid",
    "FriendlyName",
    "VoiceUrl",
    "SmsMethod",
    "TrunkSid",
    "UseInboundWebhookOnNumber",
    "ValidityPeriod",
    *("Ttl", "DateExpiry", "Status", "Mode", "Participants", "Identifier", "ProxyIdentifier", "Body"),
    "PageSize",
    "Page",
    "PageToken",
]
_SEGMENTS = st.one_of(
    st.sampled_from([*_COLLECTIONS, ACCOUNT_SID]),
    st.sampled_from(["KS", "PN", "MG", "KC"]).map(lambda prefix: prefix + "0" * 32),
    st.sampled_from(["IncomingPhoneNumbers.json", "%00", "%ff", "..", "' OR 1=1--"]),
    st.text(max_size=12),
    st.text(max_size=12).map(lambda text: quote(text, safe="", errors="replace")),
)
_VALUES = st.one_of(
    st.sampled_from(["true", "false", "0", "-1", "1001", "https://example.com", "+14155550100"]),
    st.sampled_from(["PN" + "0" * 32, "\0", "\ud800", "2030-01-01", "0001-01-01T00:00:00+23:59", "open"]),
    st.text(st.characters(), max_size=40),
    st.integers().map(str),
)
_NAMES = st.sampled_from(_PARAMETERS) | st.text(st.characters(), max_size=10)
_PAIRS = st.lists(st.tuples(_NAMES, _VALUES), max_size=5)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(["GET", "POST", "DELETE", "PUT", ""]),
    st.one_of(st.lists(_SEGMENTS, max_size=7).map(lambda parts: "/" + "/".join(parts)), st.text(max_size=30)),
    _PAIRS,
    _PAIRS,
)
def test_no_request_raises_or_is_a_500(
    method: str, path: str, query: list[tuple[str, str]], form: list[tuple[str, str]]
) -> None:
    answer = _FUZZED.respond(Request(method, path, query, form, basic()))
    assert answer.status in (200, 201, 204, 400, 401, 404, 405, 409)
    assert (answer.body is None) == (answer.status == 204)


_OWN = [
    "/v1/Services",
    "/messaging/v1/Services",
    f"{NUMBERS}.json",
    "{service}",
    "{service}/PhoneNumbers",
    "{service}/PhoneNumbers/{number}",
    "{service}/Sessions",
    "{session}",
    "{session}/Participants",
    "{session}/Participants/{participant}/MessageInteractions",
    "{session}/Interactions",
    "{messaging}",
    "{messaging}/PhoneNumbers",
    "{messaging}/PhoneNumbers/{number}",
    NUMBERS + "/{number}.json",
]


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(["GET", "POST"]), st.sampled_from(_OWN), _PAIRS, _PAIRS)
def test_no_parameters_raise_where_they_are_read(
    method: str, path: str, query: list[tuple[str, str]], form: list[tuple[str, str]]
) -> None:
    target = path.format(
        service=_SERVICE, session=_SESSION, participant=_PARTICIPANT, messaging=_MESSAGING, number=_NUMBER
    )
    answer = _FUZZED.respond(Request(method, target, query, form, basic()))
    assert answer.status in (200, 201, 400, 404, 405, 409)
    assert answer.body


# One sandbox for all the fuzzing: what an earlier example left behind must not matter either.
_ASK = Ask(Store(":memory:"))
_FUZZED: Sandbox = _ASK.sandbox
_SERVICE = _ASK.service()
_MESSAGING = (
    _ASK.post("/messaging/v1/Services", FriendlyName="a2p").body["url"].removeprefix("http://127.0.0.1:8181")
)
_NUMBER = _ASK.filled(_SERVICE, 1)[0]
_SESSION = _ASK.session(_SERVICE)
_PARTICIPANT = _ASK.join(_SESSION, "+14157770001").body["sid"]


@pytest.fixture(scope="module", autouse=True)
def _close_the_fuzzed_store() -> Iterator[None]:
    yield
    _ASK.store.close()
