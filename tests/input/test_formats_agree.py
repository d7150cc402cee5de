"""What a row means does not depend on the format of its file, nor on how the names of its columns are written."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxyctl.errors import InputError
from proxyctl.input.rows import NAMES
from proxyctl.text import folded
from tests.input.reading import PN_A, PN_B, A, B, C, names, read, refusal

Table = Sequence[Mapping[str, str]]

WORDS = {
    "sid": ["sid", "SID", " Sid "],
    "phone_number": [
        "phone_number",
        "phoneNumber",
        "Phone Number",
        "PHONE-NUMBER",
        "number",
        "Twilio DID",
        "E164",
    ],
    "is_reserved": ["is_reserved", "isReserved", "Is Reserved", "reserved", "Reserved", "IS-RESERVED"],
}
NUMBERS = st.sampled_from(
    [
        *(A, B, C, A[1:], f"{B}.0", f"00{C[1:]}", "(415) 555-0101", "\u202a+1 415 555 0102\u202c"),
        *("\uff0b14155550103", "x", f'="{A}"', f"'{B}", PN_A, "1.41556E+10", ""),
    ]
)
SIDS = st.sampled_from([PN_A, PN_B, f"\u200b{PN_A}", f"'{PN_B}", "", "", "PN12"])
FLAGS = st.sampled_from(
    ["true", "false", "TRUE", "No", "yes", "1", "0", "reserved", "unreserved", "", "maybe"]
)


def as_csv(rows: Table, delimiter: str = ",", first: str = "") -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return first + text.getvalue()


def as_tsv(rows: Table) -> str:
    return "".join("\t".join(each) + "\n" for each in (rows[0], *(row.values() for row in rows)))


FORMS: dict[str, Callable[[Table], str]] = {
    "csv": as_csv,
    "semicolons": lambda rows: as_csv(rows, ";"),
    "sep=;": lambda rows: as_csv(rows, ";", "sep=;\n"),
    "sep=|": lambda rows: as_csv(rows, "|", "sep=|\n"),
    "tsv": as_tsv,
    "json": lambda rows: json.dumps(rows, indent=2),
    "jsonl": lambda rows: "".join(json.dumps(row) + "\n" for row in rows),
    "a response": lambda rows: json.dumps({"meta": {"next_page_url": None}, "phone_numbers": rows}),
    "an old response": lambda rows: json.dumps(
        {"incoming_phone_numbers": rows, "next_page_uri": None}, indent=1
    ),
    "the words of a library": lambda rows: json.dumps({"phoneNumbers": rows}),
}


@st.composite
def tables(draw: st.DrawFn) -> Table:
    fields = draw(st.sampled_from([["sid"], ["phone_number"], ["sid", "phone_number"]]))
    fields += draw(st.sampled_from([[], ["is_reserved"]]))
    header = [draw(st.sampled_from(WORDS[field])) for field in fields]
    values = {"sid": SIDS, "phone_number": NUMBERS, "is_reserved": FLAGS}
    rows = st.tuples(*(values[field] for field in fields)).filter(any)
    return [dict(zip(header, row, strict=True)) for row in draw(st.lists(rows, min_size=1, max_size=4))]


def meaning(text: str, **options: Any) -> object:
    try:
        reading = read(text, **options)
    except InputError as error:
        return [re.sub(r"stdin(: item |:)[0-9]+", "", line) for line in error.message.splitlines()[1:]]
    return [(item.input, *values_of(item)) for item in reading.items], reading.noted


def values_of(item: Any) -> tuple[object, ...]:
    return item.sid, item.phone_number, item.is_reserved


@settings(max_examples=120)
@given(tables(), st.sampled_from([None, "US", "DE"]))
def test_a_row_means_the_same_in_every_format(rows: Table, country: str | None) -> None:
    found = {form: meaning(write(rows), default_country=country) for form, write in FORMS.items()}
    assert all(each == found["csv"] for each in found.values()), found


@pytest.mark.parametrize("name", [*chain(*NAMES["phone_number"])])
def test_each_name_of_a_number_is_one_in_csv_and_json(name: str) -> None:
    for word in (name, name.upper(), f" {name.title()} "):
        for form in ("csv", "tsv", "json", "jsonl", "a response"):
            assert names(read(FORMS[form]([{word: A, "owner": "x"}]))) == [A]


def test_the_names_that_print_on_our_own_table() -> None:
    rows = [
        {"Phone number": A, "SID": PN_A, "Reserved": "reserved"},
        {"Phone number": B, "SID": PN_B, "Reserved": "no"},
    ]
    for write in FORMS.values():
        assert [values_of(item) for item in read(write(rows)).items] == [(PN_A, A, True), (PN_B, B, False)]


def test_the_first_names_count_where_there_are_several() -> None:
    rows = [{"phone": B, "phone_number": A, "reserved": "x", "is_reserved": "yes"}]
    for write in FORMS.values():
        assert [values_of(item) for item in read(write(rows)).items] == [(None, A, True)]
    assert "names a column twice" in refusal(as_csv([{"phone": A, "number": B}])).message
    assert "names a key twice" in refusal(json.dumps([{"phone": A, "number": B}])).message
    assert names(read(as_csv([{"phone": A, "number": B}]), column="number")) == [B]


def test_an_account_and_a_service_are_known_by_the_same_names() -> None:
    account = "AC" + "a" * 32
    for write in FORMS.values():
        text = write([{"phoneNumber": A, "accountSid": "AC" + "b" * 32}])
        assert "account_sid" in refusal(text, account_sid=account).message
        reading = read(write([{"sid": PN_A, "Service SID": "KS" + "b" * 32}]))
        with pytest.raises(InputError):
            reading.require_service("KS" + "c" * 32, "c")
    assert {folded(word) for word in WORDS["is_reserved"]} == {"isreserved", "reserved"}


# --- saved responses


@pytest.mark.parametrize("indent", [None, 2])
def test_a_response_that_names_a_next_page_is_not_the_whole_list(indent: int | None) -> None:
    row = [{"sid": PN_A}]
    for page in (
        {"phone_numbers": row, "meta": {"next_page_url": "https://example.com?Page=1"}},
        {"incoming_phone_numbers": row, "next_page_uri": "/2010-04-01/x?Page=1"},
    ):
        last = {"phone_numbers": row, "meta": {"next_page_url": None}}
        for pages in ([page], [last, page]):
            text = "\n".join(json.dumps(each, indent=indent) for each in pages)
            for skip_bad in (False, True):
                message = refusal(text, skip_bad=skip_bad).message
                assert "names the next" in message and "--paginate" in message
    assert names(read(json.dumps(last, indent=indent) * 2)) == [PN_A]
    assert read(json.dumps({"phone_numbers": [], "meta": {}}, indent=indent)).empty_reason


def test_other_objects_are_no_responses() -> None:
    assert "neither phone_number nor sid" in refusal(json.dumps({"services": [{"sid": PN_A}]})).message
    assert "neither phone_number nor sid" in refusal('{"phone_numbers": "/v1/PhoneNumbers"}').message
