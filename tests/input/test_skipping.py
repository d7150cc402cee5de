"""Rows that can't be used, where they are to be skipped: what is kept of them, and when none is skipped."""

from __future__ import annotations

import json

import pytest

from proxyctl.errors import InputError
from proxyctl.input.refusal import skipped_rows
from tests.input.reading import PN_A, PN_B, A, B, C, names, read, refusal


def test_the_others_are_read_and_each_keeps_its_row() -> None:
    text = f"phone_number,owner\n{A},x\nfoo,y\n{B},z\n{C},,z\n"
    reading = read(text, skip_bad=True)
    assert names(reading) == [A, B]
    assert (reading.contents.form, reading.contents.header) == ("csv", ("phone_number", "owner"))
    assert [item.raw for item in reading.items] == [(A, "x"), (B, "z")]
    assert [(bad.place, bad.input, bad.raw) for bad in reading.bad] == [
        (3, "foo", ("foo", "y")),
        (5, f"{C},,z", (C, "", "z")),
    ]
    (item, error), _ = reading.rejected
    assert (item.input, item.sid, item.phone_number, item.place, item.raw) == (
        "foo",
        None,
        None,
        3,
        ("foo", "y"),
    )
    assert error.message.startswith('stdin:3: "foo" is neither')


@pytest.mark.parametrize(
    ("text", "rows", "bad"),
    [
        (f"{A} # desk\nfoo # bar\n", [f"{A} # desk"], ["foo # bar"]),
        (json.dumps([{"sid": PN_A, "x": 1}, {"x": 2}, 3]), [{"sid": PN_A, "x": 1}], [{"x": 2}, 3]),
        (f'{{"sid": "{PN_A}"}}\n{{"sid"\n', [{"sid": PN_A}], ['{"sid"']),
        (f'phone_number,name\n{A},x\n"{B}" y,z\n', [(A, "x")], [(f'"{B}" y,z',)]),
    ],
)
def test_a_row_in_each_form(text: str, rows: list[object], bad: list[object]) -> None:
    reading = read(text, skip_bad=True)
    assert [item.raw for item in reading.items] == rows
    assert [one.raw for one in reading.bad] == bad


@pytest.mark.parametrize(
    "text",
    [
        "foo\nbar\n",
        f'phone_number,name\n{A},x\n{B},"y\n{C},z\n',
        f'["{A}",\n"{B}"',
        f"phone_number\n{A}\n".encode() + b"\xff\n",
        f"line,name\n{A},x\n",
    ],
)
def test_nothing_is_read_where_no_row_is_good_or_rows_may_be_missing(text: str | bytes) -> None:
    assert "Nothing was sent" in refusal(text, skip_bad=True).message


def test_what_rows_say_of_themselves_and_each_other() -> None:
    text = f"phone_number,is_reserved\n{A},\n{B},no\n{B},yes\n"
    reading = read(text, skip_bad=True)
    assert names(reading) == [B]
    assert [(bad.place, bad.input) for bad in reading.bad] == [(2, A), (4, B)]
    reading = read(f"sid,service_sid\n{PN_A},KS{'c' * 32}\n{PN_B},\n", skip_bad=True)
    reading.require_service("KS" + "d" * 32, "d")
    assert (names(reading), [bad.raw for bad in reading.bad]) == ([PN_B], [(PN_A, f"KS{'c' * 32}")])
    alone = read(f"sid,service_sid\n{PN_A},KS{'c' * 32}\n", skip_bad=True)
    with pytest.raises(InputError):
        alone.require_service("KS" + "d" * 32, "d")


def test_the_first_20_are_named_and_all_are_kept() -> None:
    reading = read(A + "\nx1" * 30, skip_bad=True)
    lines = skipped_rows(reading)
    assert (len(reading.bad), len(lines)) == (30, 22)
    assert (lines[0], lines[-1]) == ("skipping 30 bad rows of 31:", "… and 10 more")
    assert len(read(A).bad) == 0 and skipped_rows(read(A)) == []
