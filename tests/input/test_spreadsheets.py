"""CSV as spreadsheets write it, spreadsheets themselves, and characters of which nothing is seen."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxyctl.errors import InputError
from proxyctl.input.refusal import notes_on
from proxyctl.input.rest import Left, text_of_rest
from proxyctl.text import visible
from tests.input.reading import PN_A, PN_B, A, B, C, names, read, refusal

INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u180b\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d"
)
INVISIBLE += (
    "\u202e\u2060\u2064\u2066\u2067\u2068\u2069\u2800\u3164\ufe00\ufe0f\ufeff\uffa0\U000e0100\U000e0041"
)


@pytest.mark.parametrize(
    "line", ["sep=;", "SEP=;", '"sep=;"', "sep=;;;", "\ufeffsep=;", "sep=,", "sep=\t", "\nsep=;"]
)
def test_a_line_that_names_the_delimiter_is_skipped(line: str) -> None:
    reading = read(f"{line}\nphone_number;owner\n{A};x\n")
    assert (names(reading), reading.items[0].place) == ([A], line.count("\n") + 3)
    assert names(read(f"{line}\n{A}\n{B}\n")) == [A, B]
    assert read(f"{line}\n").empty_reason


@pytest.mark.parametrize(
    "text",
    [
        f"phone_number,owner,desk\n{A}\n{B},x\n{C},x,7\n",
        f"phone_number,owner\n{A},x,,\n{B},,,\n{C},,\u200b\n",
        f"owner,phone_number\nx,{A}\n,{B}\nx,{C},,\n",
        f"phone_number;owner;\n{A}\n{B};x\n{C};x;;;\n",
        f"phone_number\towner\n{A}\n{B}\tx\t\n{C}\t\n",
        f"sid,phone_number\n,{A}\n,{B},\n,{C}\n,,,\n",
    ],
)
def test_empty_cells_may_be_missing_or_too_many(text: str) -> None:
    reading = read(text)
    assert names(reading) == [A, B, C]
    rest = text_of_rest([Left(item, "why", 5) for item in reading.items], reading.contents)
    widths = {line.count(",") for line in rest.splitlines()}
    assert len(widths) == 1 and names(read(rest)) == [A, B, C]


def test_a_missing_cell_is_an_empty_one() -> None:
    error = refusal(f"phone_number,is_reserved\n{A},yes\n{B}\n")
    assert "stdin:3: is_reserved is blank here" in error.message
    assert "stdin:2: neither phone_number nor sid" in refusal(f"owner,phone_number\nx\ny,{A}\n").message


@pytest.mark.parametrize(
    ("cell", "delimiter"),
    [
        *((cell, delimiter) for cell in ('="{}"', "'{}", '="{}" ') for delimiter in ",;\t"),
        *(('"=""{}"""', delimiter) for delimiter in ",;"),
    ],
)
def test_a_formula_is_read_as_its_text_and_written_back_readable(cell: str, delimiter: str) -> None:
    head, *rows = (
        ("sid", "phone_number", "is_reserved"),
        (PN_A, A, "true"),
        (PN_B, B, "false"),
        ("", C, "true"),
    )
    lines = [head, *([cell.format(value) if value else "" for value in row] for row in rows)]
    reading = read("".join(delimiter.join(line) + "\n" for line in lines))
    again = read(text_of_rest([Left(item, "why", 5) for item in reading.items], reading.contents))
    for found in (reading, again):
        assert [(item.sid, item.phone_number, item.is_reserved) for item in found.items] == [
            (PN_A, A, True),
            (PN_B, B, False),
            (None, C, True),
        ]
    assert names(read(f'="{A}"\n="{B}"\n')) == [A, B]
    assert names(read(f'x,="{A}"\ny,="{B}"\n', column="2")) == [A, B]


def test_our_own_csv_after_a_spreadsheet() -> None:
    """The SID is whole where the number is not: cut short, without its +, or as a float."""
    head = "sid,phone_number,is_reserved\n"
    reading = read(f"{head}{PN_A},1.34756E+10,TRUE\n{PN_B},{B[1:]},FALSE\n")
    assert names(reading) == [PN_A, PN_B]
    assert notes_on(reading.noted) == ["used the SID of 1 row whose phone_number can't be read."]
    assert "stdin:2" in refusal(f"{head},1.34756E+10,TRUE\n").message
    floats = read(f"{head},{A}.0,1.0\n,{B}.0,0.0\n")
    assert [(item.phone_number, item.is_reserved) for item in floats.items] == [(A, True), (B, False)]
    assert notes_on(floats.noted) == ["dropped .0 at the end of 2 numbers."]
    assert names(read(f"1.41556E+10,{A}\nx,{B}\n", column="2")) == [A, B]
    assert "stdin:1" in refusal(f"1.41556E+10,x\n{B},x\n", column="1").message


def workbook(inner: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        file.writestr("mimetype", inner)
        file.writestr(inner, "<xml/>")
    return data.getvalue()


@pytest.mark.parametrize(
    "data", [workbook("xl/workbook.xml"), b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512]
)
def test_a_workbook_is_refused_and_how_to_save_it_is_said(data: bytes) -> None:
    error = refusal(data)
    assert error.message == "stdin is an Excel workbook or the like. Save it as CSV UTF-8. Nothing was sent"


# --- characters of which nothing is seen


@given(st.lists(st.sampled_from(INVISIBLE), max_size=4), st.lists(st.sampled_from(INVISIBLE), max_size=4))
def test_what_is_not_seen_is_dropped(before: list[str], after: list[str]) -> None:
    def hidden(text: str) -> str:
        return "".join(before) + text + "".join(after)

    assert names(read(f"{hidden(A)}\n{hidden(PN_A)}\n{hidden('')}\n{hidden('# none')}\n", hidden(B))) == [
        B,
        A,
        PN_A,
    ]
    table = f"{hidden('phone_number')},sid,{hidden('is_reserved')}\n{hidden(A)},,{hidden('yes')}\n,{hidden(PN_B)},no\n"
    reading = read(table)
    assert [(item.name, item.is_reserved) for item in reading.items] == [(A, True), (PN_B, False)]
    assert visible(reading.items[0].input) == A


def test_each_of_them_is_written_out_where_it_is_shown() -> None:
    for character in INVISIBLE:
        assert visible(f"m{character}").isascii()
        assert names(read(f"+1 (415){character} 555-0101")) == [A]


def test_files_that_were_joined() -> None:
    one, other = "\ufeffphone_number,owner\n{}\n", "\ufeff# more\n\ufeff{}\n"
    assert names(read((one + one).format(f"{A},x", f"{B},y"))) == [A, B]
    assert names(read((other + other).format(A, B))) == [A, B]
    assert names(read(f'\ufeff{{"sid": "{PN_A}"}}\n\ufeff{{"sid": "{PN_B}"}}\n')) == [PN_A, PN_B]
    assert names(read(f'\ufeff["{A}"]\n\ufeff["{B}"]\n')) == [A, B]


def test_two_numbers_that_were_joined_are_none() -> None:
    with pytest.raises(InputError):
        read(f"{A}\ufeff{B}\n")
