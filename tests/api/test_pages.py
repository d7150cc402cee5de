"""Lists of both envelopes, to their end, whatever the next page's address says."""

from __future__ import annotations

from typing import Any

import pytest

from proxyctl.api.resources import INCOMING_NUMBERS, SERVICES, Call
from proxyctl.errors import AnswerError, ServerError
from proxyctl.writes import reading
from tests.api.stubs import AC, answer, page, read_by, refusal, slept

FIRST = "GET /v1/Services?PageSize=100"


def _next(token: int, host: str = "https://proxy.twilio.com") -> str:
    return f"{host}/v1/Services?PageSize=100&Page={token}&PageToken=PT{token}"


def _asked(token: int) -> str:
    return f"GET /v1/Services?PageSize=100&Page={token}&PageToken=PT{token}"


def test_pages_are_followed_to_the_end_by_their_query_alone() -> None:
    script = (
        (FIRST, page("services", [{"sid": "KS1"}], _next(1, "https://evil.example"))),
        (_asked(1), page("services", [], _next(2, "http://u:p@127.0.0.1:1"))),
        (_asked(2), page("services", [{"sid": "KS2"}])),
    )
    with read_by(*script) as reader:
        got = list(reader.pages(SERVICES.list()))
    assert [item["sid"] for found in got for item in found.items] == ["KS1", "KS2"]
    assert [found.number for found in got] == [0, 1, 2]


def test_the_2010_envelope() -> None:
    base = f"/2010-04-01/Accounts/{AC}/IncomingPhoneNumbers.json"
    key = "incoming_phone_numbers"
    script = (
        (
            f"GET {base}?PageSize=1000",
            answer({key: [{"sid": "PN1"}], "next_page_uri": f"{base}?Page=1&PageToken=PA1"}),
        ),
        (f"GET {base}?Page=1&PageToken=PA1", answer({key: [{"sid": "PN2"}], "next_page_uri": None})),
    )
    with read_by(*script) as reader:
        assert [found.items[0]["sid"] for found in reader.pages(INCOMING_NUMBERS.list(AC))] == ["PN1", "PN2"]


@pytest.mark.parametrize(
    "body",
    [
        {"meta": {"key": "things", "next_page_url": None}, "things": [{"a": 1}], "other": []},
        {"things": [{"a": 1}], "page": 0, "next_page_uri": ""},
    ],
)
def test_a_list_of_unknown_kind_finds_its_key(body: Any) -> None:
    with read_by(("GET /v1/Things", answer(body))) as reader:
        got = list(reader.pages(Call("GET", "/v1/Things")))
    assert [found.items for found in got] == [[{"a": 1}]]


@pytest.mark.parametrize(
    "body",
    [{"sid": "KS1"}, [], None, {"a": [], "b": []}, {"a": [1]}, {"meta": {"key": "x"}, "x": 1}, {"meta": []}],
)
def test_what_is_no_page_of_a_list(body: Any) -> None:
    with read_by(("GET /v1/Things", answer(body))) as reader, pytest.raises(AnswerError):
        list(reader.pages(Call("GET", "/v1/Things")))


@pytest.mark.parametrize(
    "following",
    [5, ["x"], {}, True, "http://[", "?" + "&".join("abcdefghij" * 20), "?PageToken=" + "x" * 70_000],
)
def test_addresses_of_a_next_page_that_cannot_be_read(following: Any) -> None:
    with read_by((FIRST, page("services", [], following))) as reader, pytest.raises(AnswerError):
        list(reader.pages(SERVICES.list()))


def test_a_token_that_repeats_ends_the_list_with_the_rows_so_far() -> None:
    script = (
        (FIRST, page("services", [{"sid": "KS1"}], _next(1))),
        (_asked(1), page("services", [{"sid": "KS2"}], _next(2))),
        (_asked(2), page("services", [{"sid": "KS3"}], _next(1))),
    )
    rows: list[str] = []
    with read_by(*script) as reader, pytest.raises(AnswerError, match="read already") as caught:
        for found in reader.pages(SERVICES.list()):
            rows += [item["sid"] for item in found.items]
    assert rows == ["KS1", "KS2", "KS3"]
    assert caught.value.exit_code == 1


def test_a_list_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_PAGES", 3)
    script = [(FIRST, page("services", [], _next(1)))] + [
        (_asked(n), page("services", [], _next(n + 1))) for n in (1, 2)
    ]
    with read_by(*script) as reader, pytest.raises(AnswerError, match="more than 3 pages"):
        list(reader.pages(SERVICES.list()))


def test_a_later_page_that_fails_raises_after_the_earlier_ones() -> None:
    script = [(FIRST, page("services", [{"sid": "KS1"}], _next(1)))] + [(_asked(1), refusal(503))] * 2
    rows = []
    with read_by(*script, retries=1) as reader, pytest.raises(ServerError):
        for found in reader.pages(SERVICES.list()):
            rows += found.items
    assert rows == [{"sid": "KS1"}]


def test_a_page_of_the_wrong_shape_is_asked_for_again() -> None:
    script = ((FIRST, answer({"services": None})), (FIRST, page("services", [])))
    with read_by(*script) as reader:
        assert [found.items for found in reader.pages(SERVICES.list())] == [[]]
        assert len(slept(reader.client)) == 1


def test_no_page_is_fetched_before_it_is_wanted() -> None:
    with read_by((FIRST, page("services", [{"sid": "KS1"}], _next(1)))) as reader:
        assert next(reader.pages(SERVICES.list())).items == [{"sid": "KS1"}]
