"""Input that is damaged, or that can not be read: how each kind is named, and that nothing is sent."""

from __future__ import annotations

import io
import os
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from proxyctl.errors import InputError
from proxyctl.named_files import read_bytes
from tests.input.reading import PN_A, PN_B, A, B, C, read, read_items, refusal

# What stands between two good rows, on the third line, and what is wrong with it.
BAD_ROWS = [
    ("+1415555010000000,", '"+1415555010000000" has 16 digits'),
    ("+1415555010\u0661,", "is neither a PN SID"),
    ("abc,", '"abc" is neither a PN SID nor a number in E.164, like +14155550100'),
    (",true", "neither phone_number nor sid is there"),
    (f"{A},maybe", 'is_reserved "maybe" is neither true nor false'),
    (f"{A},true,x", "the header has 2 columns, this row 3"),
    (f'"{A}" x,true', "not CSV"),
    ("\x1b[31m\u2028,", r'"\x1b[31m" is neither'),
    ("1.41556E+10,", "was rounded by a spreadsheet"),
    ("+1 415 555 0101.0,", "may be +14155550101 or +141555501010"),
]
# What is read, where the flaw is, and what it is.
DAMAGED = [
    *((f"phone_number,is_reserved\n{B},true\n{row}\n{C},no\n", 3, what) for row, what in BAD_ROWS),
    (f'phone_number,name\n{A},"x\n{B},y\n', 2, "the quote that opens here"),
    (f'phone_number,name\n{A},"x\ny"\n{B},"y', 4, "the quote that opens here"),
    (f'phone_number,name\n{A},"x\n{B},"y"\n', 2, "the quote that opens here"),
    (f'phone_number,name\n{A},"' + f"{B},y\n" * 20_000, 2, "the quote that opens here"),
    (f"phone_number,Phone Number\n{A},{B}\n", 1, "the header names a column twice"),
    (f"line,name\n{A},x\n", 1, "the header names no column phone_number or sid"),
    (f"number,Phone\n{A},{B}\n", 1, 'the header names a column twice: "number", "Phone". Rename one'),
    (f"{A},true\n", 1, "several columns, but the file no header"),
    (f"sid\n{A}\n", 2, "is not PN and 32 hexadecimal digits"),
    (f"sid,phone_number\n{PN_A},{PN_B}\n", 2, "phone_number is the SID"),
    (f"{A}\n{PN_A[:-1]}\n", 2, "is neither a PN SID"),
    (f"{A}\n\x1a", 2, r"\x1a"),
]
JSON_DAMAGED = [
    (f'["{A}",\n"{B}"', "not JSON: expecting ',' delimiter, line 2, column 15"),
    (f'\n["{A}",\n', "not JSON: expecting value, line 3, column 1"),
    (f'["{A}"\n"{B}"]', "not JSON: expecting ',' delimiter, line 2, column 1"),
    (f'["{A}",\n"{B}\n"]', "not JSON: invalid control character at, line 2, column 14"),
    (f'{{"phone_number": "{A}"}}\n{{"phone_number"\n"{B}"\n', "stdin:2: not JSON"),
    (f'[\n{{"phone_number": {A[1:]}}}]', 'item 1: "14155550101" has no + and country code'),
    ('[\n{"phone_number": 1.4155550101e20}]', 'item 1: "1.4155550101e+20" was rounded by a spreadsheet'),
    (f'[{{"phone_number": "{A}", "phoneNumber": "{A}"}}]', 'item 1: it names a key twice: "phone_number"'),
    ('[\n{"phone_number": ["x"]}]', "item 1: phone_number is not a text"),
    (f'[{{"phone_number": "{A}", "is_reserved": []}}]', "item 1: is_reserved is neither true nor false"),
    ("[1]", "item 1: neither an object with phone_number or sid nor a text"),
    ("[" * 100_000, "not JSON: nested too deeply"),
    ('{"phone_number":' * 100_000, "not JSON: nested too deeply"),
    ('[{"x": ' + "9" * 5000 + "}]", "not JSON: a number of too many digits"),
    ('[{"phone_number": "\\ud800"}]', r'item 1: "\ud800" is neither'),
]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        *((text, f"{line}: {what}") for text, line, what in DAMAGED),
        *((text, f" {what}") for text, what in JSON_DAMAGED),
    ],
)
def test_damage_is_named_with_its_place(text: str, named: str) -> None:
    summary, *lines = refusal(text).message.splitlines()
    assert "Nothing was sent" in summary
    place, what = named.split(" ", 1)
    assert any(line.startswith(f"stdin:{place}") and what in line for line in lines)


def test_a_bad_row_is_named_by_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "n.csv"
    path.write_text(f"phone_number,is_reserved\n{B},true\nabc,\n{C},no\n")
    with pytest.raises(InputError) as caught:
        read_items((), str(path), stdin=None)
    summary, named = caught.value.message.splitlines()
    assert summary == f"1 of 3 rows in {path} can't be used. Nothing was sent"
    assert named.startswith(f'{path}:3: "abc" is neither a PN SID')


def test_a_bad_line_of_json_lines_does_not_hide_the_next() -> None:
    error = refusal(f'{{"phone_number": "{A}"}}\n{{oops\n"x"\n{{"sid": "{PN_A}"}}\n')
    assert [line.partition(": ")[0] for line in error.message.splitlines()[1:]] == ["stdin:2", "stdin:3"]
    assert error.message.startswith("2 of 4 rows in stdin")


def test_the_first_20_bad_rows_are_named_and_all_are_counted() -> None:
    error = refusal("".join(f"x{n}\n" for n in range(50)) + A)
    lines = error.message.splitlines()
    assert lines[0] == "50 of 51 rows in stdin can't be used. Nothing was sent"
    assert [line.partition(": ")[0] for line in lines[1:21]] == [f"stdin:{n}" for n in range(1, 21)]
    assert lines[21:] == ["… and 30 more"]


def test_bad_arguments_are_numbered() -> None:
    lines = refusal("x\n", A, "y").message.splitlines()
    assert lines[0] == "2 of 3 rows in stdin can't be used. Nothing was sent"
    assert [line.partition(": ")[0] for line in lines[1:]] == ["argument 2", "stdin:1"]


def test_a_single_bad_argument_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "numbers.csv"
    path.write_text("")
    with pytest.raises(InputError) as caught:
        read_items([str(path)], None, stdin=None)
    assert caught.value.message.count("\n") == 0
    assert caught.value.message.endswith(". Nothing was sent")
    assert caught.value.hint is not None and "-f" in caught.value.hint


def test_what_is_not_utf_8_is_named_line_by_line() -> None:
    error = refusal(b"phone_number,name\r+14155550101,\xe9\r\n+14155550102,x\n+14155550103,\xff\xfe")
    assert error.message.splitlines() == [
        "2 rows in stdin can't be used. Nothing was sent",
        "stdin:2: not UTF-8: save the file as UTF-8",
        "stdin:4: not UTF-8: save the file as UTF-8",
    ]


def test_damaged_utf_16_is_named() -> None:
    assert "stdin:2: not UTF-16" in refusal(f"{A}\n".encode("utf-16") + b"\x00").message


@pytest.mark.parametrize("data", [f"{A}\n{B}\0\n".encode(), b"x\n" + f"{A}\n".encode("utf-16-le")])
def test_binary_files_are_refused_with_their_line(data: bytes) -> None:
    error = refusal(data)
    assert error.message.startswith("stdin:2: a NUL byte")
    assert error.hint is not None and "UTF-8" in error.hint


@pytest.mark.parametrize("before", ["", "phone_number,name\n", f'"{A}"\n', f"{A}\n"])
def test_a_line_of_10_megabytes_is_named_and_cut(before: str) -> None:
    error = refusal(before + "9" * 10_000_000)
    assert f"stdin:{2 if before else 1}: " in error.message
    assert len(error.message) < 1000


def test_files_that_can_not_be_read(tmp_path: Path) -> None:
    def message(file: str) -> str:
        with pytest.raises(InputError) as caught:
            read_items((), file, stdin=None)
        assert "Nothing was sent" in caught.value.message
        return caught.value.message

    assert f'there is no file "{tmp_path}/none"' in message(f"{tmp_path}/none")
    assert f'"{tmp_path}" can\'t be read: Is a directory' in message(str(tmp_path))
    assert "there is no file" in message("")
    assert r"a\x00b" in message("a\0b")
    assert r"a\x1bb" in message("a\x1bb")
    assert "can't be read" in message("x" * 5000)


def test_a_file_without_the_right_to_read_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "secret.txt"
    path.write_text(A)
    path.chmod(0)
    if os.access(path, os.R_OK):  # root reads everything

        def refuse(self: Path, mode: str) -> Any:
            raise PermissionError(13, "Permission denied", str(self))

        monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError, match="Permission denied"):
        read_items((), str(path), stdin=None)


@pytest.mark.parametrize("text", ["x" * 300, "a\0b", "\udcff", "x/" * 3000, ""])
def test_an_argument_may_be_any_text(text: str) -> None:
    with pytest.raises(InputError) as caught:
        read_items([text, A], None, stdin=None)
    assert caught.value.message.startswith("1 of 2 arguments can't be used. Nothing was sent\nargument 1: ")
    assert caught.value.hint is None


def test_stdin_that_is_closed() -> None:
    closed = io.BytesIO()
    closed.close()
    for stdin in (None, closed):
        with pytest.raises(InputError, match="stdin is closed") as caught:
            read_items((), "-", stdin=stdin)
        assert caught.value.hint is not None


def test_stdin_that_fails() -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(InputError, match="can't be read: Input/output error"):
        read_items((), "-", stdin=Broken())


def test_a_file_without_end_is_given_up() -> None:
    with pytest.raises(InputError, match="larger than 3 MiB"):
        read_bytes("/dev/zero", None, most=3 * 1024**2)


def test_many_rows_in_little_memory() -> None:
    data = b"".join(b"+1415%07d\n" % number for number in range(10_000))
    tracemalloc.start()
    try:
        items = read(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(items.items) == 10_000
    assert peak < 400 * 10_000  # bytes; 5,500 of them fill a pool
