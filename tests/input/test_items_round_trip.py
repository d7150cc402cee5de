"""Properties of the input reader: what proxyctl prints it reads back, and any bytes are read or refused."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Iterable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from proxyctl.errors import InputError
from proxyctl.input.items import Item
from proxyctl.input.rest import Left, text_of_rest
from proxyctl.text import visible
from tests.input.reading import PN_A, A, B, names, read

HEX = st.text("0123456789abcdef", min_size=32, max_size=32)
NUMBERS = st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True)
NAMES = st.text(st.characters(exclude_characters="\0\r", exclude_categories=["Cs"]), max_size=12)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "sid": HEX.map("PN".__add__),
            "friendly_name": NAMES,
            "phone_number": NUMBERS,
            "capabilities": st.fixed_dictionaries(
                {"sms_inbound": st.booleans(), "voice_inbound": st.booleans()}
            ),
            "is_reserved": st.booleans(),
            "in_use": st.integers(0, 100),
        }
    ),
    max_size=8,
    unique_by=(lambda row: row["sid"], lambda row: row["phone_number"]),
)


few = settings(max_examples=40)


def as_csv(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["sid", "friendly_name", "phone_number", "capabilities", "is_reserved", "in_use"])
    for row in rows:
        name = row["friendly_name"]
        guarded = "'" + name if name[:1] in tuple("=+-@\t'") else name
        writer.writerow([row["sid"], guarded, row["phone_number"], "a,b", str(row["is_reserved"]).lower(), 1])
    return text.getvalue()


def as_tsv(rows: list[dict[str, Any]]) -> str:
    lines = ["sid\tfriendly_name\tphone_number\tis_reserved"]
    for row in rows:
        name = row["friendly_name"].replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
        lines.append(f"{row['sid']}\t{name}\t{row['phone_number']}\t{str(row['is_reserved']).lower()}")
    return "\n".join(lines) + "\n"


FORMS = {
    "json": json.dumps,
    "indented json": lambda rows: json.dumps(rows, indent=2, ensure_ascii=False),
    "jsonl": lambda rows: "".join(json.dumps(row) + "\n" for row in rows),
    "csv": as_csv,
    "tsv": as_tsv,
}


@few
@given(ROWS, st.sampled_from(sorted(FORMS)))
def test_what_number_list_prints_reads_back(rows: list[dict[str, Any]], form: str) -> None:
    items = read(FORMS[form](rows))
    assert [(item.sid, item.phone_number, item.is_reserved) for item in items.items] == [
        (row["sid"], row["phone_number"], row["is_reserved"]) for row in rows
    ]


@few
@given(ROWS, st.sampled_from(["sid", "phone_number"]), st.booleans())
def test_a_single_column_reads_back_with_and_without_its_header(
    rows: list[dict[str, Any]], field: str, header: bool
) -> None:
    lines = [field] * header + [row[field] for row in rows]
    assert names(read("\n".join(lines))) == [row[field] for row in rows]


def left(items: Iterable[Item]) -> list[Left]:
    return [Left(item, "refused: it\nis, in use # by 2", 5) for item in items]


@few
@given(ROWS, st.sampled_from([*sorted(FORMS), "text"]), st.booleans())
def test_what_failed_is_written_so_that_it_reads_back(
    rows: list[dict[str, Any]], form: str, with_reason: bool
) -> None:
    text = "".join(f"{row['sid']} # {' '.join(row['friendly_name'].split())}\n" for row in rows)
    first = read(text if form == "text" else FORMS[form](rows))
    some = left(first.items) if with_reason else [Left(item) for item in first.items]
    written = text_of_rest(some, first.contents)
    again = read(written)
    assert [(item.name, item.is_reserved) for item in again.items] == [
        (item.name, item.is_reserved) for item in first.items
    ]
    later = text_of_rest(left(again.items), again.contents)
    third = read(later)
    assert text_of_rest(left(third.items), third.contents) == later, "reasons do not pile up"
    if form != "text":
        names_there = [
            row["friendly_name"] for row in rows if re.fullmatch("[a-zA-Z0-9]*", row["friendly_name"])
        ]
        assert all(name in written for name in names_there)


@few
@given(ROWS, st.booleans(), st.booleans())
def test_what_came_from_no_file_of_numbers_reads_back(
    rows: list[dict[str, Any]], with_sid: bool, with_reserved: bool
) -> None:
    items = [
        Item(
            row["phone_number"],
            row["sid"] if with_sid else None,
            row["phone_number"],
            (row["is_reserved"] or None) if with_reserved else None,
        )
        for row in rows
    ]
    again = read(text_of_rest(left(items), None)).items
    assert [item.phone_number for item in again] == [item.phone_number for item in items]
    assert [item.is_reserved for item in again] == [item.is_reserved for item in items]


@few
@given(ROWS, st.randoms(use_true_random=False), st.data())
def test_reading_twice_as_much_of_the_same_changes_nothing(
    rows: list[dict[str, Any]], random: Any, data: st.DataObject
) -> None:
    form = FORMS[data.draw(st.sampled_from(sorted(FORMS)))]
    repeated = rows + [random.choice(rows) for _ in rows]
    once, twice = read(form(rows)), read(form(repeated))
    assert [item.name for item in twice.items] == [item.name for item in once.items]
    assert twice.noted["duplicates"] == len(rows)


PIECES = [
    A,
    B,
    PN_A,
    f'{{"sid": "{PN_A}"}}',
    '{"phone_number": 1}',
    "phone_number",
    "sid,phone_number",
    "\ufeff",
]
PIECES += ["true", "null", "1e999", "\0", "\u2028", "\x85", *"\"'[]{},;\t#\r\n"]
LINES = st.lists(st.sampled_from(PIECES), max_size=30).map(lambda parts: "".join(parts).encode())


@settings(max_examples=120)
@given(
    st.binary(max_size=200) | LINES,
    st.sampled_from([b"", codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF32_BE]),
)
def test_any_bytes_are_read_or_refused(data: bytes, mark: bytes) -> None:
    try:
        items = read(mark + data)
    except InputError as error:
        shown = error.message.replace("\n", "")
        assert "nothing was sent" in shown.lower()
        assert visible(shown) == shown
    else:
        assert all(item.name for item in items.items)
        assert bool(items.items) is (items.empty_reason is None)
