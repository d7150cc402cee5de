"""What a call may be, and the collections that make Calls: what each sends, whom it is about, and what is an answer."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from proxyctl.api import resources
from proxyctl.api.resources import Call, form
from proxyctl.errors import UsageError
from tests.api.stubs import AC, KS, MG, PN

KS_PATH = f"/v1/Services/{KS}"
KC = "KC" + "6" * 32
MG_PATH = f"/messaging/v1/Services/{MG}"
OWNED = f"/2010-04-01/Accounts/{AC}/IncomingPhoneNumbers"


@pytest.mark.parametrize(
    ("call", "path", "query", "key"),
    [
        (resources.SERVICES.list(), "/v1/Services", "PageSize=100", "services"),
        (resources.NUMBERS.list(KS), f"{KS_PATH}/PhoneNumbers", "PageSize=100", "phone_numbers"),
        (resources.SESSIONS.list(KS), f"{KS_PATH}/Sessions", "PageSize=100", "sessions"),
        (
            resources.PARTICIPANTS.list(KS, KC),
            f"{KS_PATH}/Sessions/{KC}/Participants",
            "PageSize=100",
            "participants",
        ),
        (resources.MESSAGING_SERVICES.list(), "/messaging/v1/Services", "PageSize=100", "services"),
        (resources.SENDERS.list(MG), f"{MG_PATH}/PhoneNumbers", "PageSize=100", "phone_numbers"),
        (resources.INCOMING_NUMBERS.list(AC), f"{OWNED}.json", "PageSize=1000", "incoming_phone_numbers"),
        (
            resources.INCOMING_NUMBERS.list(AC, phone_number="+1415", page_size=50),
            f"{OWNED}.json",
            "PhoneNumber=%2B1415&PageSize=50",
            "incoming_phone_numbers",
        ),
    ],
)
def test_lists(call: Call, path: str, query: str, key: str) -> None:
    assert (str(call), urlencode(call.params), call.expect, call.sid) == (f"GET {path}", query, key, None)


@pytest.mark.parametrize(
    ("call", "path", "sid"),
    [
        (resources.SERVICES.fetch(KS), KS_PATH, KS),
        (resources.NUMBERS.fetch(KS, PN), f"{KS_PATH}/PhoneNumbers/{PN}", PN),
        (resources.INCOMING_NUMBERS.fetch(AC, PN), f"{OWNED}/{PN}.json", PN),
        (resources.MESSAGING_SERVICES.fetch(MG), MG_PATH, MG),
        (resources.SENDERS.fetch(MG, PN), f"{MG_PATH}/PhoneNumbers/{PN}", PN),
        (resources.fetch_session(KS, KC), f"{KS_PATH}/Sessions/{KC}", KC),
    ],
)
def test_a_fetch_knows_whom_it_asks_for(call: Call, path: str, sid: str) -> None:
    assert (str(call), call.expect, call.sid) == (f"GET {path}", "sid", sid)
    assert not call.writes and call.may_repeat


@pytest.mark.parametrize(
    ("call", "path", "form", "sid"),
    [
        (
            resources.SERVICES.create(unique_name="a b", default_ttl=None),
            "/v1/Services",
            "UniqueName=a+b",
            None,
        ),
        (
            resources.NUMBERS.create(KS, about=PN, sid=PN, is_reserved=True),
            f"{KS_PATH}/PhoneNumbers",
            f"Sid={PN}&IsReserved=true",
            PN,
        ),
        (
            resources.NUMBERS.create(KS, phone_number="+1415"),
            f"{KS_PATH}/PhoneNumbers",
            "PhoneNumber=%2B1415",
            None,
        ),
        (
            resources.SENDERS.create(MG, about=PN, phone_number_sid=PN),
            f"{MG_PATH}/PhoneNumbers",
            f"PhoneNumberSid={PN}",
            PN,
        ),
    ],
)
def test_a_create_is_never_repeated_blindly(call: Call, path: str, form: str, sid: str | None) -> None:
    assert (str(call), urlencode(call.data), call.sid, call.good) == (f"POST {path}", form, sid, (200, 201))
    assert call.creates and not call.may_repeat


@pytest.mark.parametrize(
    ("call", "path", "form"),
    [
        (resources.SERVICES.update(KS, callback_url="", default_ttl=0), KS_PATH, "CallbackUrl=&DefaultTtl=0"),
        (
            resources.NUMBERS.update(KS, PN, is_reserved=False),
            f"{KS_PATH}/PhoneNumbers/{PN}",
            "IsReserved=false",
        ),
        (resources.INCOMING_NUMBERS.update(AC, PN, voice_url=""), f"{OWNED}/{PN}.json", "VoiceUrl="),
    ],
)
def test_an_update_is_about_one_item(call: Call, path: str, form: str) -> None:
    assert (str(call), urlencode(call.data), call.good) == (f"POST {path}", form, (200,))
    assert call.sid in (KS, PN) and call.may_repeat


@pytest.mark.parametrize(
    ("call", "path"),
    [
        (resources.SERVICES.delete(KS), KS_PATH),
        (resources.NUMBERS.delete(KS, PN), f"{KS_PATH}/PhoneNumbers/{PN}"),
        (resources.SENDERS.delete(MG, PN), f"{MG_PATH}/PhoneNumbers/{PN}"),
    ],
)
def test_a_delete_is_done_when_its_answer_is_empty(call: Call, path: str) -> None:
    assert (str(call), call.expect, call.good, call.may_repeat) == (f"DELETE {path}", None, (204,), True)


def test_a_sid_stays_in_its_segment_of_the_path() -> None:
    assert resources.SERVICES.fetch("../a b").path == "/v1/Services/..%2Fa%20b"
    with pytest.raises(UsageError):
        resources.NUMBERS.fetch(KS, "")


# Any call


@pytest.mark.parametrize(
    ("method", "path", "writes", "creates", "may_repeat"),
    [
        ("GET", "/v1/Services", False, False, True),
        ("POST", "/v1/Services", True, True, False),
        ("POST", f"/v1/Services/{KS}", True, False, True),
        ("DELETE", f"/v1/Services/{KS}", True, False, True),
        ("POST", f"/v1/Services/{KS}/PhoneNumbers", True, True, False),
        ("POST", f"/v1/Services/{KS}/PhoneNumbers/{PN}", True, False, True),
        ("POST", f"/2010-04-01/Accounts/AC1/IncomingPhoneNumbers/{PN}.json", True, False, True),
        ("POST", "/v1/Services/by-name", True, True, False),
        ("PATCH", f"/v1/Services/{KS}", True, False, False),
    ],
)
def test_what_follows_from_method_and_path(
    method: str, path: str, writes: bool, creates: bool, may_repeat: bool
) -> None:
    call = Call(method, path)
    assert (call.writes, call.creates, call.may_repeat) == (writes, creates, may_repeat)


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.com/v1/Services",
        "//evil.com/v1/Services",
        "/v2/Services",
        "/v1",
        "/v1/../2010-04-01/Accounts",
        "/v1/%2e%2E/x",
        "/v1/./x",
        "/v1//x",
        "/v1/a\\b",
        "/v1/a b",
        "/v1/a\n",
        "/v1/a\x00",
        "/v1/a#b",
        "/v1/a?b",
        "/v1/%zz",
        "/v1/ü",
        "/v1/@\u202e",
    ],
)
def test_paths_that_are_refused(path: str) -> None:
    with pytest.raises(UsageError):
        Call("GET", path)


def test_unknown_methods_and_invalid_text_are_refused() -> None:
    with pytest.raises(UsageError):
        Call("BREW", "/v1/Services")
    with pytest.raises(UsageError):
        Call("POST", "/v1/Services", data=(("UniqueName", "\udcff"),))


def test_parse_takes_a_query_and_puts_the_data_of_a_get_into_it() -> None:
    call = Call.parse("get", "/v1/Services?PageSize=5&Empty=", [("Page", "+1")])
    assert call == Call("GET", "/v1/Services", params=(("PageSize", "5"), ("Empty", ""), ("Page", "+1")))
    post = Call.parse("post", "/v1/Services", [("A", "1"), ("A", "2")])
    assert post == Call("POST", "/v1/Services", data=(("A", "1"), ("A", "2")))
    with pytest.raises(UsageError):
        Call.parse("GET", "/v1/Services#top")


def test_form_spells_names_and_values_as_the_api_does() -> None:
    assert form(unique_name="a", is_reserved=True, default_ttl=0, callback_url="", geo_match_level=None) == (
        ("UniqueName", "a"),
        ("IsReserved", "true"),
        ("DefaultTtl", "0"),
        ("CallbackUrl", ""),
    )


@pytest.mark.parametrize(
    ("call", "lane"),
    [
        (resources.NUMBERS.create(KS, about=PN, sid=PN), f"POST /v1/Services/{KS}/PhoneNumbers"),
        (resources.NUMBERS.update(KS, PN, is_reserved=True), f"POST /v1/Services/{KS}/PhoneNumbers"),
        (resources.NUMBERS.list(KS), f"GET /v1/Services/{KS}/PhoneNumbers"),
        (resources.SERVICES.delete(KS), "DELETE /v1/Services"),
        (resources.fetch_session(KS, KC), f"GET {KS_PATH}/Sessions"),
        (resources.fetch_session(KS, "a ride"), f"GET {KS_PATH}/Sessions"),
        (resources.PARTICIPANTS.list(KS, KC), f"GET {KS_PATH}/Sessions/Participants"),
        (
            resources.INCOMING_NUMBERS.fetch(AC, PN),
            f"GET /2010-04-01/Accounts/{AC}/IncomingPhoneNumbers",
        ),
    ],
)
def test_a_method_on_a_collection_shares_one_lane_with_its_items(call: Call, lane: str) -> None:
    assert call.lane.removesuffix(".json") == lane
