"""Which column has the numbers: the one that is named, or the only one there is."""

from __future__ import annotations

import json

import pytest

from tests.input.reading import PN_A, PN_B, A, B, C, names, read, refusal

TABLE = f"Line,owner,is_reserved\n{A},x,true\n{B},y,no\n"


@pytest.mark.parametrize(
    ("text", "column", "expected"),
    [
        (TABLE, "line", [A, B]),
        (TABLE, "LINE", [A, B]),
        (TABLE, "1", [A, B]),
        (TABLE.replace(",", ";"), "1", [A, B]),
        (TABLE.replace(",", "\t"), "Line", [A, B]),
        (f"object,name\n{PN_A},x\n{PN_B},y\n", "object", [PN_A, PN_B]),
        (f"sid,phone_number,old number\n{PN_A},{A},{C}\n", "old_number", [C]),
        (f"x,{A}\ny,{B}\n", "2", [A, B]),
        (f"{A},1\n{B},2\n", "1", [A, B]),
        (f"x,({A[2:5]}) {A[5:]}\n", "2", None),
        (f"line\n{A}\n", "line", [A]),
        (f"{A}\n{B}\n", "1", [A, B]),
        (json.dumps([{"Line": A, "sid": PN_A}, {"line": B}]), "line", [A, B]),
        (f'{{"object": "{PN_A}"}}\n{{"object": "{PN_B}"}}\n', "object", [PN_A, PN_B]),
    ],
)
def test_a_column_by_name_or_place(text: str, column: str, expected: list[str] | None) -> None:
    if expected is None:
        assert names(read(text, column=column, default_country="US")) == [A]
        return
    reading = read(text, column=column)
    assert names(reading) == expected
    if text.startswith("Line") and "," in text:
        assert [item.is_reserved for item in reading.items] == [True, False]


@pytest.mark.parametrize(
    ("text", "column", "what"),
    [
        (TABLE, "linee", 'stdin:1: there is no column "linee". Did you mean \'line\'? The header is "Line,'),
        (TABLE, "4", 'stdin:1: there is no column "4"'),
        (TABLE, "0", 'stdin:1: there is no column "0"'),
        (f"{A}\n{B}\n", "line", 'stdin:1: there is no column "line"'),
        ("a,A\n1,2\n", "a", "stdin:1: the header names a column twice"),
        (f"line,owner\n{A},x\n,y\n", "line", "stdin:3: line is empty"),
        (json.dumps([{"line": A}, {"other": B}]), "line", "stdin: item 2: line is empty"),
        (f"x,{A}\ny\n", "2", "stdin:2: 2 is empty"),
        (f"x,{A}\ny,{B},z\n", "2", "stdin:2: the first row has 2 columns, this row 3"),
    ],
)
def test_a_column_that_is_not_there(text: str, column: str, what: str) -> None:
    assert what in refusal(text, column=column).message


def test_a_single_column_needs_no_known_header() -> None:
    for header in ("Line", "Twilio numbers", '"Line"', "# of the pool\nLine"):
        reading = read(f"{header}\n\n{A}\n{B}\n")
        assert (names(reading), reading.contents.unknown) == ([A, B], True)
    assert not read(f"phone_number\n{A}\n").contents.unknown
    assert not read(f"{A}\n{B}\n").contents.unknown
    quoted = read(f'"Line"\n"{A}"\n"{B}"\n')
    assert names(quoted) == [A, B]


@pytest.mark.parametrize("text", [f"foo\nbar\n{A}\n", f"+\n{A}\n", f"{A}\nfoo\n", "foo\n", f"fo0\n{A}\n"])
def test_a_line_that_may_be_a_misspelt_number_is_no_header(text: str) -> None:
    assert "stdin:" in refusal(text).message
