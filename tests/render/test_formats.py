"""json, jsonl, tsv, csv and ids: each read back by what would read it, with whatever a server may send."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxyctl.errors import AnswerError, NetworkError, UsageError
from proxyctl.identifiers import is_e164
from proxyctl.render.output import Output
from proxyctl.render.shapes import FOUND, HISTORY, PHONE_NUMBER, PROFILE, RESULT, SERVICE, Shape
from proxyctl.text import visible
from tests.render.rows import number, output, service, unescape, unguarded

FORMATS = ("json", "jsonl", "tsv", "csv", "ids", "table")
TEXT = st.text(st.characters(exclude_categories=()), max_size=12) | st.text("'=+-@\t\r\n\\\",a", max_size=8)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
VALUES = st.recursive(
    LEAVES, lambda v: st.lists(v, max_size=3) | st.dictionaries(TEXT, v, max_size=3), max_leaves=6
)
PAGES = st.lists(st.lists(st.dictionaries(TEXT, VALUES, max_size=4), max_size=3), max_size=4)
CELLS = st.lists(st.fixed_dictionaries({"sid": TEXT, "name": TEXT, "other": TEXT}), max_size=5)
PLAIN = Shape.generic("row", ("sid", "name", "other"))


def contents(rows: list[dict[str, str]]) -> list[list[str]]:
    return [[row[name] for name in PLAIN.fields] for row in rows]


@given(PAGES)
def test_json_there_and_back(pages: list[list[dict[str, Any]]]) -> None:
    out, stream = output("json")
    assert out.rows(PLAIN, pages) == sum(map(len, pages))
    text = stream.getvalue()
    assert json.loads(text) == [row for page in pages for row in page]
    assert text.isascii() and "\x7f" not in text and text.endswith("]\n")


@given(PAGES)
def test_jsonl_there_and_back(pages: list[list[dict[str, Any]]]) -> None:
    out, stream = output("jsonl")
    out.rows(PLAIN, pages)
    assert [json.loads(line) for line in stream.getvalue().splitlines()] == [
        r for page in pages for r in page
    ]


@given(st.dictionaries(TEXT, VALUES, max_size=4))
def test_one_object_there_and_back(row: dict[str, Any]) -> None:
    for output_format in ("json", "jsonl"):
        out, stream = output(output_format)
        out.one(PLAIN, row)
        assert json.loads(stream.getvalue()) == row
        assert list(json.loads(stream.getvalue())) == list(row)


@given(CELLS)
def test_tsv_there_and_back(rows: list[dict[str, str]]) -> None:
    out, stream = output("tsv")
    out.rows(PLAIN, [rows])
    header, *lines = stream.getvalue().removesuffix("\n").split("\n")
    assert header == "sid\tname\tother"
    assert [[unescape(cell) for cell in line.split("\t")] for line in lines] == contents(rows)
    assert "\r" not in stream.getvalue()


@given(CELLS)
def test_csv_there_and_back(rows: list[dict[str, str]]) -> None:
    out, stream = output("csv")
    out.rows(PLAIN, [rows])
    header, *records = csv.reader(io.StringIO(stream.getvalue(), newline=""))
    assert header == ["sid", "name", "other"]
    assert [[unguarded(cell) for cell in record] for record in records] == contents(rows)
    for cell in (cell for record in records for cell in record):
        assert cell[:1] not in ("=", "+", "-", "@", "\t", "\r") or is_e164(cell)


def test_csv_exempts_numbers_in_e164_and_nothing_like_them() -> None:
    shape = Shape.generic("row", ("phone_number", "in_use"))
    out, stream = output("csv", header=False)
    out.rows(
        shape, [[{"phone_number": text, "in_use": -1} for text in ("+14155550100", "+1 415", "+0123", "=1")]]
    )
    assert stream.getvalue() == "+14155550100,-1\n'+1 415,-1\n'+0123,-1\n'=1,-1\n"


def test_tsv_of_numbers() -> None:
    out, stream = output("tsv")
    out.rows(PHONE_NUMBER, [[number(3, friendly_name="a\tb\nc\\d\re", date_updated=None)]])
    header, line = stream.getvalue().splitlines()
    assert header.split("\t") == list(PHONE_NUMBER.fields)
    cells = dict(zip(header.split("\t"), line.split("\t"), strict=True))
    assert cells["friendly_name"] == "a\\tb\\nc\\\\d\\re"
    assert cells["date_updated"] == ""
    assert cells["is_reserved"] == "true"
    assert cells["capabilities"] == (
        "voice_inbound,voice_outbound,sms_inbound,sms_outbound,mms_inbound,restriction_sms_domestic"
    )


def test_nested_values_are_compact_json_and_columns_stay_stable() -> None:
    out, stream = output("tsv", header=False)
    out.rows(SERVICE, [[service(links={"sessions": "https://é"}, brand_new="x")]])
    cells = stream.getvalue().rstrip("\n").split("\t")
    assert len(cells) == len(SERVICE.fields)
    assert cells[-1] == '{"sessions":"https://\\\\u00e9"}'


def test_json_keeps_unknown_fields_in_the_servers_order() -> None:
    out, stream = output("json")
    row = {"brand_new": [1.50, "é"], **service(), "sid": "not-a-sid"}
    out.rows(SERVICE, [[row]])
    assert list(json.loads(stream.getvalue())[0]) == list(row)


@pytest.mark.parametrize(
    ("output_format", "text"),
    [("json", "[]\n"), ("jsonl", ""), ("ids", ""), ("csv", "name\n"), ("tsv", "name\n")],
)
@pytest.mark.parametrize("pages", [[], [[]], [[], []]])
def test_nothing(output_format: str, text: str, pages: list[list[dict[str, Any]]]) -> None:
    out, stream = output(output_format)
    assert out.rows(Shape.generic("row", ("name",)), pages) == 0
    assert stream.getvalue() == text


def test_no_header() -> None:
    for output_format in ("tsv", "csv"):
        out, stream = output(output_format, header=False, fields="sid")
        out.rows(SERVICE, [[service(1)], [service(2)]])
        assert stream.getvalue() == f"KS{1:032x}\nKS{2:032x}\n"


def test_ids() -> None:
    out, stream = output("ids")
    out.rows(RESULT, [[{"sid": None, "input": "+1"}, {"sid": "PN1", "input": "+2"}, {"sid": None}]])
    out.rows(PROFILE, [[{"name": "prod"}]])
    out.rows(HISTORY, [[{"id": "20261122-1"}]])
    out.one(FOUND, {"sid": "PN2", "phone_number": "+1"})
    assert stream.getvalue() == "+1\nPN1\nprod\n20261122-1\nPN2\n"


def test_ids_with_fields_prints_those() -> None:
    out, stream = output("ids", fields="phone_number,sid")
    out.rows(PHONE_NUMBER, [[{"phone_number": "+1", "sid": "PN1"}, {"phone_number": None, "sid": None}]])
    assert stream.getvalue() == "+1\tPN1\n"


# Fields


@pytest.mark.parametrize(
    ("output_format", "text"),
    [
        ("json", '[\n{"in_use":3,"capabilities.sms_inbound":true,"capabilities.fax_inbound":null}\n]\n'),
        ("jsonl", '{"in_use":3,"capabilities.sms_inbound":true,"capabilities.fax_inbound":null}\n'),
        ("tsv", "in_use\tcapabilities.sms_inbound\tcapabilities.fax_inbound\n3\ttrue\t\n"),
        ("csv", "in_use,capabilities.sms_inbound,capabilities.fax_inbound\n3,true,\n"),
    ],
)
def test_fields_select_and_order_everywhere(output_format: str, text: str) -> None:
    out, stream = output(output_format, fields="in_use,capabilities.sms_inbound,capabilities.fax_inbound")
    out.rows(PHONE_NUMBER, [[number(3)]])
    assert stream.getvalue() == text


def test_fields_of_one_object() -> None:
    out, stream = output("json", fields="unique_name,links.sessions,unique_name")
    out.one(SERVICE, service(1))
    assert json.loads(stream.getvalue()) == {
        "unique_name": "masking-1",
        "links.sessions": f"https://proxy.twilio.com/v1/Services/KS{1:032x}/Sessions",
    }


def test_a_key_of_the_first_page_is_known_and_one_of_a_later_page_is_not() -> None:
    pages = [[service(1), service(2, brand_new={"deep": {"er": 7}})], [service(3, later=1)]]
    out, stream = output("tsv", fields="brand_new.deep.er", header=False)
    out.rows(SERVICE, pages)
    assert stream.getvalue() == "\n7\n\n"
    with pytest.raises(UsageError):
        output("tsv", fields="later")[0].rows(SERVICE, pages)


def test_a_key_with_dots_is_found_whole() -> None:
    out, stream = output("jsonl", fields="a.b,a.b.c")
    out.rows(PLAIN, [[{"a.b": {"c": 1}, "a": {"b": {"c": 2}}}]])
    assert json.loads(stream.getvalue()) == {"a.b": {"c": 1}, "a.b.c": 2}


@pytest.mark.parametrize("output_format", FORMATS)
@pytest.mark.parametrize(
    "name", ["in_us", "capabilities.sms_outbond", "sid.x", "Sid", "\x1b[31m", "x" * 9999]
)
def test_an_unknown_field_is_a_usage_error_that_lists_the_known(output_format: str, name: str) -> None:
    out, stream = output(output_format, fields=name)
    with pytest.raises(UsageError) as caught:
        out.rows(PHONE_NUMBER, [[number(1, brand_new=1)]])
    assert stream.getvalue() == ""
    for known in ("in_use", "brand_new", "capabilities.sms_outbound"):
        assert known in str(caught.value.hint)
    assert caught.value.message.isprintable() and len(caught.value.message) < 200
    with pytest.raises(UsageError):
        out.check(PHONE_NUMBER)


def test_suggestion() -> None:
    with pytest.raises(UsageError, match=r"Did you mean in_use\?"):
        output("tsv", fields="in_us")[0].check(PHONE_NUMBER)
    output("tsv", fields="sid,capabilities.mms_inbound")[0].check(PHONE_NUMBER)


@pytest.mark.parametrize("fields", ["", ",", "sid,,in_use", "sid, "])
def test_an_empty_name_is_a_usage_error(fields: str) -> None:
    with pytest.raises(UsageError, match="empty"):
        output("tsv", fields=fields)


# Streaming, and pages that fail


class Watched:
    """Pages that note how much had been printed when each was asked for."""

    def __init__(
        self, stream: io.StringIO, pages: Sequence[list[dict[str, Any]]], error: BaseException | None
    ) -> None:
        self.seen: list[int] = []
        self._stream, self._pages, self._error = stream, pages, error

    def __iter__(self) -> Iterator[list[dict[str, Any]]]:
        for page in self._pages:
            self.seen.append(len(self._stream.getvalue().splitlines()))
            yield page
        if self._error:
            raise self._error


@pytest.mark.parametrize(
    ("output_format", "lines"), [("jsonl", 0), ("tsv", 1), ("csv", 1), ("ids", 0), ("json", 1)]
)
def test_rows_are_printed_as_pages_arrive(output_format: str, lines: int) -> None:
    out, stream = output(output_format)
    pages = Watched(stream, [[service(1), service(2)], [service(3)], []], None)
    assert out.rows(SERVICE, pages) == 3
    assert pages.seen == [0, 2 + lines, 3 + lines]


@pytest.mark.parametrize("output_format", FORMATS)
@pytest.mark.parametrize("error", [NetworkError("reset"), KeyboardInterrupt()])
def test_rows_read_before_a_failure_are_printed(output_format: str, error: BaseException) -> None:
    out, stream = output(output_format)
    with pytest.raises(type(error)):
        out.rows(SERVICE, Watched(stream, [[service(1), service(2)], [service(3)]], error))
    text = stream.getvalue()
    assert all(f"KS{index:032x}" in text for index in (1, 2, 3))
    if output_format == "json":
        assert [row["unique_name"] for row in json.loads(text)] == ["masking-1", "masking-2", "masking-3"]


@pytest.mark.parametrize("output_format", FORMATS)
def test_nothing_is_printed_when_the_first_page_fails(output_format: str) -> None:
    out, stream = output(output_format)
    with pytest.raises(NetworkError):
        out.rows(SERVICE, Watched(stream, [], NetworkError("refused")))
    assert stream.getvalue() == ""


def test_a_number_that_json_can_not_hold_is_never_printed() -> None:
    out, stream = output("json")
    with pytest.raises(AnswerError):
        out.rows(SERVICE, [[service(1)], [service(2, default_ttl=float("inf"))]])
    assert [row["sid"] for row in json.loads(stream.getvalue())] == [f"KS{1:032x}"]


# On a terminal


@pytest.mark.parametrize("output_format", FORMATS)
@given(hostile=TEXT)
def test_no_control_reaches_a_terminal(output_format: str, hostile: str) -> None:
    out, stream = output(output_format, width=80)
    out.rows(SERVICE, [[service(unique_name=hostile, sid=hostile, links={hostile: hostile})]])
    out.one(SERVICE, service(unique_name=hostile, sid=hostile) | {hostile: hostile})
    text = stream.getvalue().replace("\n", "").replace("\t", "")
    assert not [character for character in text if not character.isprintable() and ord(character) < 0xA0]
    assert "\u202e" not in text
    text.encode()


@given(st.lists(st.text(max_size=20), min_size=1, max_size=3))
def test_the_fields_given_on_the_command_line_never_crash(names: list[str]) -> None:
    try:
        out: Output = output("tsv", fields=",".join(names))[0]
        out.rows(SERVICE, [[service()]])
    except UsageError as error:
        assert visible(error.message) == error.message
    else:
        assert out.fields
