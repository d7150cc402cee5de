"""`number list` and `number show`: several Services, filters, order, count, and what is no Service or number."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support import Cli

FIELDS = (
    *("sid", "account_sid", "service_sid", "date_created", "date_updated", "phone_number", "friendly_name"),
    *("iso_country", "capabilities", "url", "is_reserved", "in_use"),
)
NOBODY = "PN" + "1" * 32

# A table each, read in one test: making the pools anew for every row would take most of the time.
FILTERS: tuple[tuple[tuple[str, ...], int], ...] = (
    (("--reserved",), 2),
    (("--unreserved",), 2),
    (("--in-use",), 1),
    (("--idle",), 3),
    (("--country", "US"), 3),
    (("--country", "de"), 1),
    (("--country", "FR"), 0),
    (("--capability", "sms"), 4),
    (("--capability", "voice_inbound", "--capability", "SMS-outbound"), 4),
    (("--capability", "fax"), 3),
    (("--prefix", "+1"), 3),
    (("--prefix", "1"), 3),
    (("--prefix", "0049"), 1),
    (("--prefix", "+4 9"), 1),
    (("--reserved", "--idle", "--country", "US"), 2),
    (("--unreserved", "--in-use", "--country", "DE"), 0),
    (("--limit", "2"), 2),
    ((), 4),
)
TYPOS = (
    (("--country", "XX"), "ISO 3166"),
    (("--country", "Germany"), "ISO 3166"),
    (("--capability", "smss"), "Did you mean 'sms'?"),
    (("--capability", "teleport"), "sip_trunking"),
    (("--prefix", "x"), "+1415"),
    (("--prefix", ""), "+1415"),
    (("--sort", "phone_nubmer"), "did you mean phone_number"),
    (("--sort", ""), "--sort"),
    (("--fields", "phone_nubmer"), "did you mean phone_number"),
    (("--fields", "capabilities.smss_inbound"), "capabilities.sms_inbound"),
    (("--limit", "0"), "x>=1"),
    (("--limit", "-1"), "x>=1"),
    (("--limit", "1.5"), "is not a valid int"),
)


@pytest.fixture
def pools(either: Cli) -> Cli:
    """Services a (two numbers of the US reserved, one not and busy) and b (one of Germany); one number is free."""
    us = either.seed(4)
    german = either.seed(1, country="DE")
    for name in "ab":
        either.ok("service", "create", name, "-q")
    either.ok("number", "add", "a", us[0]["sid"], us[1]["sid"], "--reserved")
    either.ok("number", "add", "a", us[2]["sid"])
    either.ok("number", "add", "b", german[0]["sid"])
    either.ok("sandbox", "busy", us[2]["sid"], "3")
    return either


def numbers(cli: Cli, *arguments: str) -> list[str]:
    return cli.ok("number", "list", *arguments, "--fields", "phone_number", "--no-header").lines


def test_rows_are_the_api_s_own(pools: Cli) -> None:
    rows = pools.ok("number", "list", "a", "-o", "json").json
    assert [tuple(row) for row in rows] == [FIELDS] * 3
    assert rows[0]["capabilities"]["sms_inbound"] is True
    assert pools.ok("number", "list", "a").lines[0] == "\t".join(FIELDS)
    assert pools.ok("number", "list", "a", "-o", "ids").lines == [row["sid"] for row in rows]
    raw = pools.ok("api", "GET", f"/v1/Services/{rows[0]['service_sid']}/PhoneNumbers", "--paginate").json
    assert raw == rows


def test_one_several_or_all_services(pools: Cli) -> None:
    a, b = numbers(pools, "a"), numbers(pools, "b")
    assert (len(a), len(b)) == (3, 1)
    assert numbers(pools, "a", "b") == a + b
    assert numbers(pools, "b", "a", "b") == b + a, "a Service that is named twice is listed once"
    assert sorted(numbers(pools, "--all")) == sorted(a + b)
    sid = pools.ok("service", "show", "a", "-o", "ids").lines[0]
    assert numbers(pools, sid, "a") == a


def test_filters_and_the_bare_count(pools: Cli) -> None:
    for options, count in FILTERS:
        assert len(numbers(pools, "--all", *options)) == count, options
        counted = pools.ok("number", "list", "--all", "--count", *options)
        assert (counted.out, counted.err) == (f"{count}\n", ""), options


def test_typos_are_refused_before_anything_is_printed(pools: Cli) -> None:
    for options, words in TYPOS:
        for services in ("a", "--all"):
            ran = pools("number", "list", services, *options)
            assert (ran.code, ran.out) == (2, ""), options
            assert words in ran.err, options


def test_a_typo_is_found_in_an_empty_pool_too(either: Cli) -> None:
    either.ok("service", "create", "empty", "-q")
    assert either.ok("number", "list", "empty", "-o", "json").json == []
    for options in (("--capability", "smss"), ("--sort", "x"), ("--fields", "x")):
        assert either("number", "list", "empty", *options).code == 2


def test_sorting(pools: Cli) -> None:
    ordered = numbers(pools, "--all", "--sort", "phone_number")
    assert ordered == sorted(ordered) and len(ordered) == 4
    assert numbers(pools, "--all", "--sort", "-phone_number") == ordered[::-1]
    busy = pools.ok("number", "list", "a", "--sort", "-in_use", "--fields", "in_use", "--no-header").lines
    assert busy == ["3", "0", "0"]
    assert len(numbers(pools, "a", "--sort", "capabilities.sms_inbound")) == 3


def test_values_of_any_type_sort_without_an_error() -> None:
    from proxyctl.commands.number.listing import in_order
    from proxyctl.render.shapes import Shape

    shape = Shape.generic("row", ("x",))
    rows: list[dict[str, Any]] = [{"x": value} for value in ("b", None, 2, {"k": 1}, 1, True, "a")]
    up = [row["x"] for row in in_order("x", rows, shape)]
    assert up[:3] == [1, True, 2] and up[-1] is None
    assert [row["x"] for row in in_order("-x", rows, shape)][-1] is None


def test_the_limit_says_that_it_cut(pools: Cli) -> None:
    cut = pools.ok("number", "list", "a", "--limit", "2", "-o", "jsonl")
    assert len(cut.rows) == 2 and "2 rows" in cut.err and "--limit" in cut.err
    assert pools.ok("number", "list", "a", "--limit", "3").err == ""


def test_show_by_sid_and_number(pools: Cli) -> None:
    row = pools.ok("number", "list", "a", "-o", "json").json[0]
    assert pools.ok("number", "show", "a", row["sid"], "-o", "json").json == row
    assert pools.ok("number", "show", "a", row["phone_number"], "-o", "json").json == row
    dashed = f"{row['phone_number'][:2]} ({row['phone_number'][2:5]}) {row['phone_number'][5:]}"
    assert pools.ok("number", "show", "a", dashed, "-o", "ids").lines == [row["sid"]]
    national = pools.ok(
        "number", "show", "a", row["phone_number"][2:], "--default-country", "US", "-o", "json"
    )
    assert national.json == row
    assert pools.ok("number", "show", row["service_sid"], row["sid"], "-o", "jsonl").rows == [row]


def test_show_of_what_is_not_in_the_pool(pools: Cli) -> None:
    other = pools.ok("number", "list", "b", "-o", "json").json[0]
    for name in (NOBODY, "+14155550100", other["sid"], other["phone_number"]):
        ran = pools("number", "show", "a", name)
        assert (ran.code, ran.out) == (4, "")
        assert "not in the pool of Service a" in ran.err and "number find" in ran.err
    assert pools("number", "show", "nope", NOBODY).code == 4
    for name in ("foo", "4155550100", "+1", "PN1", "٤١٥٥٥٥٠١٠٠", "+1415555010055555", ""):
        assert pools("number", "show", "a", name).code == 2
    assert pools("number", "show", "a", "4155550100", "--default-country", "XX").code == 2


def test_several_pages(pools: Cli) -> None:
    more = pools.seed(120, seed=2)
    pools.ok("service", "create", "big", "-q")
    pools.ok("number", "add", "big", "-f", "-", "--rate", "0", stdin=json.dumps(more).encode())
    assert len(numbers(pools, "big")) == 120
    assert pools.ok("number", "list", "big", "--count").out == "120\n"
    assert len(numbers(pools, "big", "--limit", "101")) == 101
