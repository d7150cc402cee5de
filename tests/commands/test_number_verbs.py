"""`number add, reserve, release, remove`: convergence, input in all its forms, limits, rows, codes and words."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.support import Cli

STRANGER = "+14155550100"
ROW = ["input", "sid", "phone_number", "action", "is_reserved", "error"]


@pytest.fixture
def pool(either: Cli) -> Cli:
    """An empty Service "a", and a Service "b"."""
    for name in "ab":
        either.ok("service", "create", name, "-q")
    return either


def run(cli: Cli, verb: str, *arguments: str, stdin: str | bytes = "") -> list[str]:
    """Run a verb on Service "a" that works; return what it did with each item."""
    return cli.ok("number", verb, "a", *arguments, "-o", "json", "--yes", stdin=stdin).actions


def flags(cli: Cli) -> dict[str, bool]:
    rows = cli.ok("number", "list", "a", "-o", "json").json
    return {row["phone_number"]: row["is_reserved"] for row in rows}


def test_more_than_twenty_failures_are_counted(pool: Cli) -> None:
    ran = pool("number", "reserve", "a", *(f"+1415555{number:04}" for number in range(25)))
    assert ran.code == 6
    assert ran.err.count(": failed: ") == 20 and "5 more" in ran.err
    assert len(ran.lines) == 26


def test_numbers_from_stdin_need_yes_even_at_a_terminal(pool: Cli) -> None:
    number = pool.seed(1)[0]
    pool.ok("number", "add", "a", number["sid"], "-q")
    ran = pool("number", "remove", "a", "-f", "-", stdin=number["sid"] + "\ny\n", tty=True)
    assert ran.code == 2
    assert len(flags(pool)) == 1


def forms(rows: list[dict[str, Any]]) -> dict[str, str]:
    """The same numbers in every form that -f takes."""
    numbers = [row["phone_number"] for row in rows]
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(["name", "phone_number"])
    writer.writerows(["=x, y", number] for number in numbers)
    return {
        "text": "# numbers\n" + "\n".join(numbers) + "\n",
        "sids": "\r\n".join(row["sid"] for row in rows),
        "spaced": "\n".join(f"  {number[:2]} ({number[2:5]}) {number[5:]}  " for number in numbers),
        "00": "\n".join("00" + number[1:] for number in numbers),
        "tel": "\n".join("tel:" + number for number in numbers),
        "bom": "\ufeff" + "\n".join(numbers),
        "csv": table.getvalue(),
        "csv of sids": "sid\n" + "\n".join(row["sid"] for row in rows),
        "json": json.dumps(rows),
        "jsonl": "\n".join(json.dumps({"sid": row["sid"]}) for row in rows),
    }


def test_every_form_of_file_is_read(pool: Cli, tmp_path: Path) -> None:
    rows = pool.seed(3)
    file = tmp_path / "numbers"
    for name, text in forms(rows).items():
        file.write_text(text, encoding="utf-8", newline="")
        assert run(pool, "add", "-f", str(file)) == ["added"] * 3, name
        assert run(pool, "remove", "-f", "-", stdin=text) == ["removed"] * 3, name


def test_what_is_listed_feeds_back(pool: Cli) -> None:
    pool.seed(3)
    sids = [row["sid"] for row in json.loads(pool.ok("api", "GET", ACCOUNT_NUMBERS, "--paginate").out)]
    run(pool, "add", *sids[:2], "--reserved")
    run(pool, "add", sids[2])
    wanted = flags(pool)
    for form in ("json", "jsonl", "csv"):
        listed = pool.ok("number", "list", "a", "-o", form).out
        assert run(pool, "release", "-f", "-", stdin=listed) == ["released", "released", "unchanged"]
        assert run(pool, "add", "-f", "-", stdin=listed) == ["reserved", "reserved", "unchanged"], form
        assert flags(pool) == wanted
        assert run(pool, "add", "-f", "-", "--unreserved", stdin=listed).count("released") == 2
        run(pool, "add", "-f", "-", stdin=listed)
    ids = pool.ok("number", "list", "a", "-o", "ids").out
    assert run(pool, "remove", "-f", "-", stdin=ids) == ["removed"] * 3


ACCOUNT_NUMBERS = "/2010-04-01/Accounts/AC5a4db0c55a4db0c55a4db0c55a4db0c5/IncomingPhoneNumbers.json"


def test_bad_rows_are_all_named_and_nothing_is_sent(pool: Cli, tmp_path: Path) -> None:
    good = pool.seed(1)[0]["phone_number"]
    file = tmp_path / "numbers.txt"
    file.write_text(f"{good}\nfoo\n{good}\n4155550100\n")
    ran = pool("number", "add", "a", "-f", str(file))
    assert (ran.code, ran.out) == (2, "")
    assert f"{file}:2: " in ran.err and f"{file}:4: " in ran.err and "2 of 4 rows" in ran.err
    assert flags(pool) == {}
    file.write_text("\n".join(["x"] * 30))
    assert "10 more" in pool("number", "add", "a", "-f", str(file)).err
    for arguments in ((), ("-f", str(tmp_path)), ("-f", str(tmp_path / "none")), ("foo",), (good, "foo")):
        assert pool("number", "add", "a", *arguments).code == 2
    assert flags(pool) == {}
    assert pool.ok("number", "add", "a", "-f", "-", "-o", "json").json == []


def test_duplicates_are_folded_and_counted(pool: Cli) -> None:
    number = pool.seed(1)[0]
    ran = pool.ok("number", "add", "a", number["phone_number"], f"tel:{number['phone_number']}", "-o", "json")
    assert len(ran.json) == 1 and "duplicate" in ran.err
    both = pool.ok("number", "reserve", "a", number["phone_number"], number["sid"], "-o", "json")
    assert both.actions == ["reserved", "unchanged"], "one number, named in two ways, is changed once"


def test_a_row_that_contradicts_itself_is_refused(pool: Cli) -> None:
    one, two = pool.seed(2)
    pool.ok("number", "add", "a", one["sid"], two["sid"], "-q")
    row = json.dumps({"sid": one["sid"], "phone_number": two["phone_number"]})
    ran = pool("number", "reserve", "a", "-f", "-", stdin=row)
    assert ran.code in (5, 6) and one["sid"] in ran.err and two["phone_number"] in ran.err
    assert set(flags(pool).values()) == {False}


def test_national_format(pool: Cli) -> None:
    number = pool.seed(1)[0]["phone_number"]
    national = f"({number[2:5]}) {number[5:8]}-{number[8:]}"
    assert pool("number", "add", "a", national).code == 2
    assert run(pool, "add", national, "--default-country", "us") == ["added"]
    assert "ISO 3166" in pool("number", "add", "a", national, "--default-country", "XX").err


def test_lists_of_options_that_make_no_sense(pool: Cli) -> None:
    for options in (
        *(("--rate", text) for text in ("-1", "nan", "1e9", "x", "inf")),
        *(("--concurrency", text) for text in ("0", "-1", "201", "1.5", "1e9", "nan")),
        *(("--max-errors", text) for text in ("0", "-1", "1.5")),
        *(("--deadline", text) for text in ("-1", "5x", "nan", "", "1e9", "400d")),
        *(("--lock-wait", text) for text in ("-1s", "x", "1.s")),
        ("--fields", "nope"),
        ("--output", "xml"),
    ):
        ran = pool("number", "add", "a", STRANGER, *options)
        assert (ran.code, ran.out) == (2, ""), options
        assert len(ran.err.splitlines()) <= 3, ran.err
