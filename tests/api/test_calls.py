"""What a call may be, and what follows from its shape."""

from __future__ import annotations

import pytest

from proxyctl.api import resources
from proxyctl.api.resources import Call, form
from proxyctl.errors import UsageError
from tests.api.stubs import AC, KS, PN


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
        (resources.add_number(KS, sid=PN), f"POST /v1/Services/{KS}/PhoneNumbers"),
        (resources.update_number(KS, PN, is_reserved=True), f"POST /v1/Services/{KS}/PhoneNumbers"),
        (resources.list_numbers(KS), f"GET /v1/Services/{KS}/PhoneNumbers"),
        (resources.delete_service(KS), "DELETE /v1/Services"),
        (
            resources.fetch_incoming_number(AC, PN),
            f"GET /2010-04-01/Accounts/{AC}/IncomingPhoneNumbers",
        ),
    ],
)
def test_a_method_on_a_collection_shares_one_lane_with_its_items(call: Call, lane: str) -> None:
    assert call.lane.removesuffix(".json") == lane
