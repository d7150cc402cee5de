"""Services: defaults, each parameter's rule, updates, and what a delete leaves behind."""

from __future__ import annotations

import pytest

from proxyctl.sandbox.world.store import Store
from tests.sandbox.asking import BASE_URL, NUMBERS, Ask


def test_a_new_service_has_the_documented_defaults_and_links(ask: Ask) -> None:
    answer = ask.post("/v1/Services", UniqueName="masking")
    assert answer.status == 201
    url = answer.body["url"]
    assert url == f"{BASE_URL}/v1/Services/{answer.body['sid']}"
    assert answer.body["default_ttl"] == 0
    assert answer.body["geo_match_level"] == "country"
    assert answer.body["number_selection_behavior"] == "prefer-sticky"
    assert answer.body["callback_url"] is None
    assert answer.body["date_created"] == answer.body["date_updated"] == "2025-06-15T15:06:40Z"
    assert answer.body["links"]["phone_numbers"] == f"{url}/PhoneNumbers"
    assert ask.get(url).body == answer.body


def test_every_parameter_is_stored(ask: Ask) -> None:
    form = {
        "UniqueName": "all",
        "DefaultTtl": "3600",
        "CallbackUrl": "https://example.com/a?b=c#d",
        "InterceptCallbackUrl": "http://localhost:9000/i",
        "OutOfSessionCallbackUrl": "https://user:pw@example.com:8443/o",
        "GeoMatchLevel": "area-code",
        "NumberSelectionBehavior": "avoid-sticky",
        "ChatInstanceSid": "IS" + "a" * 32,
        "Unknown": "ignored",
    }
    body = ask.post("/v1/Services", **form).body
    assert body["default_ttl"] == 3600
    assert body["callback_url"] == form["CallbackUrl"]
    assert body["intercept_callback_url"] == form["InterceptCallbackUrl"]
    assert body["out_of_session_callback_url"] == form["OutOfSessionCallbackUrl"]
    assert body["geo_match_level"] == "area-code"
    assert body["number_selection_behavior"] == "avoid-sticky"
    assert body["chat_instance_sid"] == form["ChatInstanceSid"]
    assert "Unknown" not in body and "unknown" not in body


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("UniqueName", ""),
        ("UniqueName", "  "),
        ("UniqueName", "n" * 192),
        ("UniqueName", "nul\0"),
        ("UniqueName", "lone \udcff"),
        ("DefaultTtl", "-1"),
        ("DefaultTtl", "1.5"),
        ("DefaultTtl", "2147483647"),
        ("DefaultTtl", "9" * 5000),
        ("DefaultTtl", "٣"),
        ("DefaultTtl", ""),
        ("CallbackUrl", "example.com"),
        ("CallbackUrl", "ftp://example.com"),
        ("CallbackUrl", "https://"),
        ("CallbackUrl", "https://exa mple.com"),
        ("CallbackUrl", "https://example.com/\n"),
        ("CallbackUrl", "https://example.com:99999"),
        ("CallbackUrl", "https://[::1"),
        ("CallbackUrl", "https://example.com/" + "a" * 4000),
        ("CallbackUrl", "https://proxy.twilio.com/v1/Services"),
        ("InterceptCallbackUrl", "https://PROXY.sydney.au1.twilio.com/x"),
        ("InterceptCallbackUrl", "https://webhooks.twilio.com/v1/Accounts/AC/Proxy/KS/Webhooks/Call"),
        ("OutOfSessionCallbackUrl", f"{BASE_URL}/v1/Services"),
        ("OutOfSessionCallbackUrl", "http://user:pw@LOCALHOST:8181/v1/Services"),
        ("OutOfSessionCallbackUrl", "http://[::1]:8181/"),
        ("GeoMatchLevel", "planet"),
        ("GeoMatchLevel", ""),
        ("NumberSelectionBehavior", "sticky"),
        ("ChatInstanceSid", "IS123"),
        ("ChatInstanceSid", "IS" + "a" * 32 + "\n"),
    ],
)
def test_a_bad_value_is_80701_and_names_the_parameter(ask: Ask, parameter: str, value: str) -> None:
    service = ask.service()
    before = ask.get(service).body
    for answer in (
        ask.post("/v1/Services", **{"UniqueName": "other", parameter: value}),
        ask.post(service, **{parameter: value}),
    ):
        assert answer.refusal == (400, 80701)
        assert answer.body["message"].startswith(f"'{parameter}' is invalid. ")
    assert ask.get(service).body == before
    assert len(ask.get("/v1/Services").body["services"]) == 1


def test_a_chat_instance_has_one_service(ask: Ask) -> None:
    chat = "IS" + "a" * 32
    first, second = ask.service("a", ChatInstanceSid=chat), ask.service("b")
    assert ask.post("/v1/Services", UniqueName="c", ChatInstanceSid=chat).refusal == (400, 80701)
    assert ask.post(second, ChatInstanceSid=chat).refusal == (400, 80701)
    assert ask.post(first, ChatInstanceSid=chat).status == 200
    ask.post(first, ChatInstanceSid="")
    assert ask.post(second, ChatInstanceSid=chat).status == 200


def test_a_name_of_191_characters_may_take_764_bytes(ask: Ask) -> None:
    name = "\N{TELEPHONE RECEIVER}" * 191
    assert len(name.encode()) == 764
    assert ask.get(ask.service(name)).body["unique_name"] == name
    assert ask.post("/v1/Services", UniqueName=name + "x").refusal == (400, 80701)


def test_the_name_is_required_and_unique_in_the_account(ask: Ask) -> None:
    first, second = ask.service("one"), ask.service("two")
    assert ask.post("/v1/Services").refusal == (400, 80701)
    assert ask.post("/v1/Services", UniqueName="one").refusal == (400, 80602)
    assert ask.post(second, UniqueName="one").refusal == (400, 80602)
    assert ask.post(first, UniqueName="one").status == 200  # its own name is no conflict
    ask.delete(first)
    assert ask.post(second, UniqueName="one").body["unique_name"] == "one"


def test_ttl_bounds(ask: Ask) -> None:
    service = ask.service()
    assert ask.post(service, DefaultTtl="2147483646").body["default_ttl"] == 2147483646
    assert ask.post(service, DefaultTtl="0").body["default_ttl"] == 0


def test_an_empty_update_changes_nothing_and_a_real_one_moves_the_date(ask: Ask) -> None:
    service = ask.service(CallbackUrl="https://example.com/")
    before = ask.get(service).body
    ask.clock.sleep(60)
    answer = ask.post(service)
    assert (answer.status, answer.body) == (200, before)
    changed = ask.post(service, CallbackUrl="").body
    assert changed["callback_url"] is None
    assert changed["date_updated"] == "2025-06-15T15:07:40Z"
    assert changed["date_created"] == before["date_created"]


def test_of_a_parameter_given_twice_the_last_counts(ask: Ask) -> None:
    answer = ask.call("POST", "/v1/Services", [("UniqueName", "a"), ("UniqueName", "b")])
    assert answer.body["unique_name"] == "b"


def test_a_deleted_service_frees_its_numbers_and_their_webhooks_read_demo(ask: Ask) -> None:
    service, other = ask.service("one"), ask.service("two")
    sid = ask.filled(service, 3)[1]
    ask.store.set_in_use(sid, 5)  # a delete does not ask
    assert ask.delete(service).status == 204
    assert ask.get(service).refusal == (404, 20404)
    assert ask.get(f"{service}/PhoneNumbers").refusal == (404, 20404)
    assert ask.delete(service).refusal == (404, 20404)
    number = ask.get(f"{NUMBERS}/{sid}.json").body
    assert number["voice_url"].startswith("https://demo.twilio.com/")
    assert number["sms_url"].startswith("https://demo.twilio.com/")
    assert ask.post(f"{other}/PhoneNumbers", Sid=sid).body["in_use"] == 0


def test_an_unknown_service_is_404_or_400_as_told() -> None:
    unknown = "/v1/Services/KS" + "0" * 32
    with Store(":memory:") as store:
        assert Ask(store).get(unknown).refusal == (404, 20404)
        old = Ask(store, not_found_status=400)
        for path in (unknown, "/v1/Services/KS1", f"{unknown}/PhoneNumbers", f"{unknown}/Sessions"):
            assert old.get(path).refusal == (400, 80408)
        assert old.post(unknown, DefaultTtl="1").refusal == (400, 80408)
        assert old.delete(unknown).refusal == (400, 80408)
        session = f"{old.service()}/Sessions/KC{'0' * 32}"
        assert old.get(session).refusal == (400, 80409)


def test_guesses_are_one_table(store: Store, ask: Ask) -> None:
    ask.service("by-name")
    assert ask.get("/v1/Services/by-name").refusal == (404, 20404)
    generous = Ask(store, service_fetch_takes_unique_name=True, unique_names_fold_case=True)
    assert generous.get("/v1/Services/by-name").body["unique_name"] == "by-name"
    assert generous.get("/v1/Services/by%2Dname").status == 200
    assert generous.post("/v1/Services", UniqueName="BY-name").refusal == (400, 80602)


def test_short_codes_are_an_empty_list_and_none_can_be_added(ask: Ask) -> None:
    path = f"{ask.service()}/ShortCodes"
    answer = ask.get(path)
    assert (answer.status, answer.body["short_codes"]) == (200, [])
    assert (answer.body["meta"]["key"], answer.body["meta"]["next_page_url"]) == ("short_codes", None)
    assert ask.post(path).refusal == (400, 20001)
    assert ask.get(f"{path}?PageSize=0").refusal == (400, 20001)
    assert ask.get(f"{path}/SC{'0' * 32}").refusal == (404, 20404)
