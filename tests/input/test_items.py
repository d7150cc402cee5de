"""What bulk verbs take as input, form by form."""

from __future__ import annotations

import codecs
import json
import os
from pathlib import Path

import pytest

from proxyctl.errors import InputError, UsageError
from proxyctl.input.items import Item
from proxyctl.input.refusal import notes_on
from tests.input.reading import PN_A, PN_B, A, B, C, names, read, read_items, refusal

# --- forms


def test_plain_text_with_comments_and_blank_lines() -> None:
    items = read(f"# the pool\n\n{A}\n  +1 (415) 555-0102  # front desk\n\t\n{PN_A}\n")
    assert items.items == (
        Item(A, None, A, None, 3),
        Item("+1 (415) 555-0102", None, B, None, 4),
        Item(PN_A, PN_A, None, None, 6),
    )


ENCODINGS = {
    "utf-8": str.encode,
    "bom": lambda text: codecs.BOM_UTF8 + text.encode(),
    "utf-16-le": lambda text: text.encode("utf-16"),
    "utf-16-be": lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
}
FORMS = [  # each with the place of its first row
    ([A, B], 1),
    (["phone_number,friendly_name", f"{A},é", f"{B},\U0001f600"], 2),
    (["[", json.dumps(A) + ",", json.dumps({"phone_number": B}), "]"], 1),
    ([json.dumps({"phone_number": A}), json.dumps({"phone_number": B})], 1),
]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_any_line_ending_and_unicode_encoding(encoding: str) -> None:
    for lines, first in FORMS:
        for end in ("\n", "\r\n", "\r"):
            for last in ("", end):
                items = read(ENCODINGS[encoding](end.join(lines) + last))
                assert [(item.name, item.place) for item in items.items] == [(A, first), (B, first + 1)]


READ = {
    "comments, blanks, and headers again": (
        f"# exported today\n\nphone_number,name\n{A},x\n\n,\n# B is gone\nphone_number,name\n{B},y\n",
        [A, B],
    ),
    "a name that begins like a comment": (
        f"name,phone_number\n#1 desk,{A}\n# B is gone\n#2 desk,{C}\n",
        [A, C],
    ),
    "an apostrophe against spreadsheets": (f"phone_number,is_reserved\n'{A},'true\n", [A]),
    "an apostrophe in plain text": (f"'{A}\n", [A]),
    "tabs, where quotes are text": (
        f'phone_number\tfriendly_name\n{A}\t"Bob\n{B}\t\\t\n',
        [A, B],
    ),
    "JSON texts, one a line": (f'"{A}"\n"{PN_A}"\n', [A, PN_A]),
    **{
        f"the header {header}": (f"{header}\n{A}\n", [A])
        for header in ("phone_number", "Phone Number", "PHONE_NUMBER", '"phone_number"', " PhoneNumber ")
    },
}


@pytest.mark.parametrize("case", READ)
def test_what_is_read(case: str) -> None:
    text, expected = READ[case]
    assert names(read(text)) == expected


@pytest.mark.parametrize("delimiter", [",", ";", "\t", ", "])
def test_csv_delimiters(delimiter: str) -> None:
    rows = [["name", "is_reserved", "sid"], ["x", "true", PN_A], ["", "no", PN_B], ["", "0", "PN" + "c" * 32]]
    items = read("\n".join(delimiter.join(row) for row in rows))
    assert [item.is_reserved for item in items.items] == [True, False, False]
    assert names(items) == [PN_A, PN_B, "PN" + "c" * 32]


def test_csv_lines_are_counted_through_quoted_line_ends() -> None:
    items = read(f'phone_number,name\n{A},"two\nlines, ""quoted"""\n{B},x\n')
    assert [(item.name, item.place) for item in items.items] == [(A, 2), (B, 4)]


@pytest.mark.parametrize(
    ("word", "value"), [("TRUE", True), ("1", True), ("Yes", True), ("0", False), ("no", False)]
)
def test_is_reserved_words(word: str, value: bool) -> None:
    assert read(f"phone_number,is_reserved\n{A},{word}\n").items[0].is_reserved is value
    assert read(json.dumps({"phone_number": A, "is_reserved": word})).items[0].is_reserved is value


def test_is_reserved_is_not_read_where_no_verb_reads_it() -> None:
    items = read(f"phone_number,is_reserved\n{A},true\n{A},perhaps\n", use_is_reserved=False)
    assert items.items[0].is_reserved is None
    assert items.noted["duplicates"] == 1


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([{"sid": PN_A, "phone_number": A, "is_reserved": True}, B]),
        json.dumps(
            [{"sid": PN_A, "phone_number": A, "is_reserved": True}, {"phone_number": B, "sid": None}],
            indent=2,
        ),
        f'{{"sid": "{PN_A}",\n "phone_number": "{A}", "is_reserved": true}}\n"{B}"',
        f'# note\n{{"sid": "{PN_A}", "phone_number": "{A}", "is_reserved": true}}\n\n"{B}"\n',
        f'{{"sid": "{PN_A}", "phone_number": "{A}", "is_reserved": true}}\n["{B}"]\n',
        f'[{{"sid": "{PN_A}", "phone_number": "{A}", "is_reserved": true}}]\n["{B}"]\n[]',
    ],
)
def test_json_forms(text: str) -> None:
    items = read(text).items
    assert [(item.sid, item.phone_number, item.is_reserved) for item in items] == [
        (PN_A, A, True),
        (None, B, None),
    ]


def test_items_of_a_json_document_are_counted() -> None:
    items = read(f'\n[\n\n"{A}",\n{{\n"phone_number":\n"{B}"}}\n,"{C}"]')
    assert [item.place for item in items.items] == [1, 2, 3]
    error = refusal(f'["{A}",\n"x", {{"phone_number": "{A}", "is_reserved": true}}, "y",\n{{"sid": 5}}]')
    assert [line.split(": ")[1] for line in error.message.splitlines()[1:]] == ["item 2", "item 4", "item 5"]
    torn = {"phone_number": A, "is_reserved": True}, {"phone_number": A, "is_reserved": False}
    assert "here and true at stdin: item 1" in refusal(json.dumps(torn)).message


@pytest.mark.parametrize(
    ("number", "read_as", "noted"),
    [
        (A, A, []),
        ("(415) 555-0101", "4155550101", []),
        (A[1:], A[1:], []),
        (f"{A[1:]}.0", A[1:], ["dropped .0 at the end of 1 number."]),
        (float(A[1:]), A[1:], ["dropped .0 at the end of 1 number."]),
        ("1.41556E+10", None, ["used the SID of 1 row whose phone_number can't be read."]),
        ("12345", None, ["used the SID of 1 row whose phone_number can't be read."]),
        (True, None, ["used the SID of 1 row whose phone_number can't be read."]),
        ("x", None, ["used the SID of 1 row whose phone_number can't be read."]),
        ("", None, []),
    ],
)
def test_a_row_with_a_sid_needs_no_readable_number(
    number: object, read_as: str | None, noted: list[str]
) -> None:
    reading = read(json.dumps({"sid": PN_A, "phone_number": number}))
    item = reading.items[0]
    assert (item.sid, item.input) == (PN_A, PN_A)
    assert (item.phone_number, notes_on(reading.noted)) == (read_as, noted)


def test_a_number_agrees_with_itself_without_its_plus() -> None:
    for first, second in ((A, A[1:]), (A[1:], A)):
        reading = read(f"sid,phone_number\n{PN_A},{first}\n{PN_A},{second}\n")
        assert (names(reading), reading.noted["duplicates"]) == ([PN_A], 1)


def test_arguments_come_before_the_file() -> None:
    items = read(f"{B}\n{C}\n", PN_A, C)
    assert names(items) == [PN_A, C, B]
    assert [item.place for item in items.items] == [-1, -2, 1]
    assert items.noted["duplicates"] == 1


def test_the_national_format_with_a_default_country() -> None:
    assert names(read("(415) 555-0101\n", default_country="us")) == [A]
    with pytest.raises(UsageError, match="two letters"):
        read("", default_country="Narnia")


def test_a_file_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "numbers.json"
    path.write_text(f"{A}\n")
    assert names(read_items(None, str(path), stdin=None)) == [A]


def test_a_pipe_by_its_path() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as stream:
        stream.write(A.encode())
    try:
        assert names(read_items((), f"/dev/fd/{reading}", stdin=None)) == [A]
    finally:
        os.close(reading)


@pytest.mark.parametrize(
    "text", ["", "\n \n", "# none\n", "phone_number,is_reserved\n", "\ufeff", "[]", "[\n]\n"]
)
def test_a_list_without_a_number_says_so_and_why(text: str) -> None:
    assert (read(text).items, read(text).empty_reason) == ((), "stdin holds no number")
    with_argument = read(text, A)
    assert (names(with_argument), with_argument.empty_reason) == ([A], "stdin holds no number")
    assert read(A, A).empty_reason is None


def test_nothing_given_is_left_to_the_verb() -> None:
    nothing = read_items((), None, stdin=None)
    assert (nothing.items, nothing.empty_reason) == ((), None)


# --- what rows say of themselves


def test_blank_flags_are_bad_where_others_are_filled_in_and_null_is_bad_anywhere() -> None:
    rows = ["phone_number,is_reserved", f"{A},", "x,", f"{B},no", f"{C},'"]
    error = refusal("\n".join(rows))
    blank = "is_reserved is blank here, and not in other rows"
    assert error.message.splitlines()[0] == "3 of 4 rows in stdin can't be used. Nothing was sent"
    assert [line.split(": ", 1) for line in error.message.splitlines()[1::2]] == [
        ["stdin:2", blank],
        ["stdin:5", blank],
    ]
    assert error.hint is not None and "--reserved or --unreserved" in error.hint
    many = "".join(f"+1415555{n:04},\n" for n in range(30))
    lines = refusal(f"phone_number,is_reserved\n{many}{A},yes\n").message.splitlines()
    assert (len(lines), lines[1][:8], lines[-1]) == (22, "stdin:2:", "… and 10 more")
    assert 'is_reserved "null"' in refusal(json.dumps([{"phone_number": A, "is_reserved": None}])).message
    assert names(read(f"phone_number,is_reserved\n{A},\n{B},\n")) == [A, B]


def test_rows_of_another_account_or_service_are_bad() -> None:
    own, other = "AC" + "a" * 32, "AC" + "b" * 32
    table = "sid,account_sid,service_sid\n"
    text = f"{table}{PN_A},{own.upper()},KS{'c' * 32}\n{PN_B},{other},\n"
    error = refusal(text, account_sid=own)
    assert error.message.splitlines()[1:] == [f'stdin:3: account_sid "{other}" is not {own}']
    assert error.hint is not None and "account_sid" in error.hint
    reading = read(text, A)
    reading.require_service("KS" + "C" * 32, "a")
    with pytest.raises(InputError) as caught:
        reading.require_service("KS" + "d" * 32, "d")
    lines = caught.value.message.splitlines()
    assert lines[0] == "1 of 3 rows in stdin can't be used. Nothing was sent"
    assert lines[1:] == [f'stdin:2: service_sid "KS{"c" * 32}" is not that of Service d']


# --- duplicates


def test_duplicates_are_folded_into_the_first_and_counted() -> None:
    items = read(f"{A}\n{B}\n+1 415 555 0101\ntel:{A}\n")
    assert names(items) == [A, B]
    assert items.noted["duplicates"] == 2


def test_a_row_with_both_names_joins_the_rows_with_one_each() -> None:
    items = read(f"sid,phone_number,is_reserved\n{PN_A},,1\n,{B},0\n,{A},true\n{PN_A},{A},1\n,{A},true\n")
    assert items.items == (Item(PN_A, PN_A, A, True, 2), Item(B, None, B, False, 3))
    assert items.noted["duplicates"] == 3


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        ([f",{A},true", f",{A},no"], f"{A} has is_reserved false here and true at stdin:2"),
        ([f"{PN_A},{A},1", f"{PN_A},{B},1"], f"{PN_A} has phone_number {B} here and {A} at stdin:2"),
        ([f"{PN_A},{A},1", f"{PN_B},{A},1"], f"{PN_B} has sid {PN_B} here and {PN_A} at stdin:2"),
    ],
)
def test_rows_that_contradict_each_other_are_both_named(rows: list[str], what: str) -> None:
    error = refusal("\n".join(["sid,phone_number,is_reserved", *rows, f",{C},1"]))
    assert error.message.splitlines() == [
        "1 of 3 rows in stdin can't be used. Nothing was sent",
        f"stdin:3: {what}",
    ]


def test_a_contradiction_leaves_the_earlier_items_readable() -> None:
    rows = [f"{PN_A},,true", f",{A},false", f"{PN_A},{A},1", f"{PN_A},,true", f",{A},false"]
    error = refusal("\n".join(["sid,phone_number,is_reserved", *rows]))
    assert "1 of 5 rows" in error.message
    assert "stdin:4:" in error.message
