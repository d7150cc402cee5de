"""Lists in pages: sizes, tokens, and rows that come and go between two pages."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.sandbox.asking import BASE_URL, NUMBERS, Ask


@pytest.fixture
def pool(ask: Ask) -> str:
    return ask.service() + "/PhoneNumbers"


def fill(ask: Ask, pool: str, count: int) -> list[str]:
    return ask.filled(pool.removesuffix("/PhoneNumbers"), count)


def _sids(ask: Ask, target: str) -> list[str]:
    return [row["sid"] for page in ask.pages(target) for row in page["phone_numbers"]]


def test_all_pages_have_all_rows_in_the_order_in_which_they_joined(ask: Ask, pool: str) -> None:
    sids = fill(ask, pool, 230)
    pages = list(ask.pages(f"{pool}?PageSize=100"))
    assert [len(page["phone_numbers"]) for page in pages] == [100, 100, 30]
    assert [row["sid"] for page in pages for row in page["phone_numbers"]] == sids
    assert [page["meta"]["page"] for page in pages] == [0, 1, 2]
    assert {page["meta"]["key"] for page in pages} == {"phone_numbers"}
    assert pages[0]["meta"]["previous_page_url"] is None
    assert pages[1]["meta"]["url"] == pages[0]["meta"]["next_page_url"]
    assert all(page["meta"]["first_page_url"] == f"{BASE_URL}{pool}?PageSize=100&Page=0" for page in pages)


@pytest.mark.parametrize("count", [0, 1, 49, 50, 51, 100])
def test_the_last_page_names_no_next_one(ask: Ask, pool: str, count: int) -> None:
    sids = fill(ask, pool, count)
    pages = list(ask.pages(pool))
    assert [row["sid"] for page in pages for row in page["phone_numbers"]] == sids
    assert len(pages) == max(1, -(-count // 50))
    assert pages[0]["meta"]["page_size"] == ask.get(f"{pool}?PageSize=").body["meta"]["page_size"] == 50


def test_a_page_has_at_most_100_rows_whatever_was_asked(ask: Ask, pool: str) -> None:
    fill(ask, pool, 120)
    body = ask.get(f"{pool}?PageSize=1000").body
    assert len(body["phone_numbers"]) == body["meta"]["page_size"] == 100
    assert len(_sids(ask, f"{pool}?PageSize=1000")) == 120
    small = Ask(ask.store, max_page_size=7)
    assert [len(page["phone_numbers"]) for page in small.pages(f"{pool}?PageSize=50")] == [7] * 17 + [1]


def test_going_back_shows_the_same_pages(ask: Ask, pool: str) -> None:
    fill(ask, pool, 25)
    pages = list(ask.pages(f"{pool}?PageSize=10"))
    back = [pages[-1]]
    while previous := back[-1]["meta"]["previous_page_url"]:
        back.append(ask.get(previous).body)
    assert [page["phone_numbers"] for page in back] == [page["phone_numbers"] for page in reversed(pages)]
    assert back[-1]["meta"]["page"] == 0
    forth = ask.get(back[-1]["meta"]["next_page_url"]).body
    assert forth["phone_numbers"] == pages[1]["phone_numbers"]


def test_rows_that_vanish_or_join_between_pages_neither_hide_nor_repeat_others(ask: Ask, pool: str) -> None:
    sids = fill(ask, pool, 60)
    walk = ask.pages(f"{pool}?PageSize=20")
    seen = [row["sid"] for row in next(walk)["phone_numbers"]]
    gone = [*sids[:5], sids[19], *sids[25:30]]  # shown ones, the one that the token names, and ones to come
    for sid in gone:
        assert ask.delete(f"{pool}/{sid}").status == 204
    late = fill(ask, pool, 3)
    seen += [row["sid"] for page in walk for row in page["phone_numbers"]]
    assert seen == [*sids[:25], *sids[30:], *late]


def test_a_page_whose_rows_are_all_gone_is_empty_and_can_be_left_both_ways(ask: Ask, pool: str) -> None:
    sids = fill(ask, pool, 4)
    second = ask.get(f"{pool}?PageSize=2").body["meta"]["next_page_url"]
    for sid in sids[2:]:
        ask.delete(f"{pool}/{sid}")
    empty = ask.get(second).body
    assert (empty["phone_numbers"], empty["meta"]["next_page_url"]) == ([], None)
    back = ask.get(empty["meta"]["previous_page_url"]).body
    assert [row["sid"] for row in back["phone_numbers"]] == sids[:2]
    for sid in sids[:2]:
        ask.delete(f"{pool}/{sid}")
    assert ask.get(empty["meta"]["previous_page_url"]).body["phone_numbers"] == []


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("PageSize=0", 20001),
        ("PageSize=-1", 20001),
        ("PageSize=abc", 20001),
        ("PageSize=1.0", 20001),
        ("PageSize=%D9%A3", 20001),
        ("PageSize=1001", 20007),
        ("PageSize=" + "9" * 400, 20007),
        ("Page=-1", 20001),
        ("Page=x", 20001),
        ("Page=1", 70002),
        ("Page=1&PageToken=", 70002),
        ("PageToken=garbage", 70002),
        ("PageToken=PA1%27%20OR%201%3D1--", 70002),
        ("PageToken=PA1" + "0" * 16, 70002),
        ("PageToken=%00", 70002),
        ("PageSize=%ff", 20001),
    ],
)
def test_bad_page_parameters(ask: Ask, pool: str, query: str, code: int) -> None:
    fill(ask, pool, 3)
    assert ask.get(f"{pool}?{query}").refusal == (400, code)


def test_a_token_of_another_list_or_a_damaged_one_is_refused(ask: Ask, pool: str) -> None:
    other = ask.service("other") + "/PhoneNumbers"
    for service in (pool, other):
        fill(ask, service, 3)
    token = parse_qs(urlsplit(ask.get(f"{pool}?PageSize=2").body["meta"]["next_page_url"]).query)[
        "PageToken"
    ][0]
    assert ask.get(f"{pool}?PageToken={token}").status == 200
    assert ask.get(f"{other}?PageToken={token}").refusal == (400, 70002)
    assert ask.get(f"/v1/Services?PageToken={token}").refusal == (400, 70002)
    assert ask.get(f"{NUMBERS}.json?PageToken={token}").refusal == (400, 70002)
    for damaged in (token[:-1], token + "0", token.replace("PA", "PB", 1), token.upper()):
        assert ask.get(f"{pool}?PageToken={damaged}").refusal == (400, 70002)


def test_services_and_account_numbers_come_in_pages_too(ask: Ask) -> None:
    names = [f"service-{number}" for number in range(12)]
    for name in names:
        ask.service(name)
    pages = list(ask.pages("/v1/Services?PageSize=5"))
    assert [row["unique_name"] for page in pages for row in page["services"]] == names
    sids = [row["sid"] for row in ask.numbers(130)]
    numbers = list(ask.pages(f"{NUMBERS}.json?PageSize=60"))
    assert [row["sid"] for page in numbers for row in page["incoming_phone_numbers"]] == sids
    assert [(page["page"], page["start"], page["end"]) for page in numbers] == [
        (0, 0, 59),
        (1, 60, 119),
        (2, 120, 129),
    ]
    assert numbers[1]["previous_page_uri"].startswith("/2010-04-01/")
    assert (
        ask.get(numbers[1]["previous_page_uri"]).body["incoming_phone_numbers"]
        == (numbers[0]["incoming_phone_numbers"])
    )
