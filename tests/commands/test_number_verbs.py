"""`number add, reserve, release, remove`: convergence, input in all its forms, limits, rows, codes and words."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from proxyctl.sandbox.world.seed import pool_numbers, seed_numbers
from proxyctl.sandbox.world.store import Store
from tests.support import Cli, Ran

STRANGER = "+14155550100"
ROW = ["input", "sid", "phone_number", "action", "is_reserved", "error"]


@pytest.fixture
def pool(either: Cli) -> Cli:
    """An empty Service "a", and a Service "b"."""
    for name in "ab":
        either.ok("service", "create", name, "-q")
    return either


def actions(ran: Ran) -> list[str]:
    return [row["action"] for row in json.loads(ran.out)]


def run(cli: Cli, verb: str, *arguments: str, stdin: str | bytes = "") -> list[str]:
    """Run a verb on Service "a" that works; return what it did with each item."""
    return actions(cli.ok("number", verb, "a", *arguments, "-o", "json", "--yes", stdin=stdin))


def flags(cli: Cli) -> dict[str, bool]:
    rows = cli.ok("number", "list", "a", "-o", "json").json
    return {row["phone_number"]: row["is_reserved"] for row in rows}


def test_the_four_verbs_converge(pool: Cli) -> None:
    one, two = (number["phone_number"] for number in pool.seed(2))
    assert run(pool, "add", one, two) == ["added", "added"]
    assert flags(pool) == {one: False, two: False}
    assert run(pool, "add", one, two) == ["unchanged", "unchanged"]
    assert run(pool, "reserve", one) == ["reserved"]
    assert run(pool, "reserve", one, two) == ["unchanged", "reserved"]
    assert run(pool, "add", one) == ["unchanged"], "add alone leaves the flag as it is"
    assert flags(pool) == {one: True, two: True}
    assert run(pool, "release", one) == ["released"]
    assert run(pool, "release", one) == ["unchanged"]
    assert run(pool, "add", one, "--reserved") == ["reserved"]
    assert run(pool, "add", one, "--unreserved") == ["released"]
    assert run(pool, "remove", one, two) == ["removed", "removed"]
    assert run(pool, "remove", one, two) == ["unchanged", "unchanged"]
    assert flags(pool) == {}


def test_rows_and_summary(pool: Cli) -> None:
    number = pool.seed(1)[0]
    ran = pool.ok("number", "add", "a", number["sid"], "--reserved", "-o", "json")
    (row,) = ran.json
    assert list(row) == ROW
    assert (row["input"], row["sid"], row["phone_number"]) == (
        number["sid"],
        number["sid"],
        number["phone_number"],
    )
    assert (row["action"], row["is_reserved"], row["error"]) == ("added", True, None)
    assert ran.err.startswith("added 1, failed 0 in ")
    again = pool.ok("number", "add", "a", number["sid"], number["phone_number"])
    assert again.lines[0].split("\t") == ROW and len(again.lines) == 3
    assert "unchanged 2" in again.err or "duplicate" in again.err
    assert pool.ok("number", "reserve", "a", number["sid"], "-q").out == ""
    assert pool.ok("number", "reserve", "a", number["sid"], "-q", "-o", "json").err == ""


def test_one_number_ends_with_its_own_code(pool: Cli) -> None:
    there = pool.seed(1)[0]
    pool.ok("number", "add", "b", there["sid"], "-q")
    for verb, name, code, words in (
        ("add", there["phone_number"], 5, "another Service's pool has it"),
        ("add", STRANGER, 5, "does not own it"),
        ("reserve", there["phone_number"], 4, "--add"),
        ("release", there["sid"], 4, "number add"),
    ):
        ran = pool("number", verb, "a", name)
        assert ran.code == code, ran.err
        assert name in ran.err and words in ran.err
        assert ran.lines[1].split("\t")[3] == "failed"
        error = pool("number", verb, "a", name, "-o", "json").error
        assert error["exit_code"] == code and error["hint"]
    assert pool("number", "remove", "a", STRANGER, "--must-exist", "--yes").code == 4
    missing = pool("number", "add", "nope", STRANGER)
    assert (missing.code, missing.out) == (4, "")


def test_several_end_with_6_and_each_failure_has_its_line(pool: Cli) -> None:
    good, other = pool.seed(2)
    pool.ok("number", "add", "b", other["sid"], "-q")
    ran = pool("number", "add", "a", good["sid"], other["phone_number"], STRANGER, "-o", "json")
    assert ran.code == 6
    assert actions(ran) == ["added", "failed", "failed"]
    rows = json.loads(ran.out)
    assert [row["error"] and row["error"]["code"] for row in rows] == [None, 80101, 80301]
    assert [row["error"] and row["error"]["exit_code"] for row in rows] == [None, 5, 5]
    lines = ran.err.splitlines()
    assert lines[0].startswith(f"{other['phone_number']}: failed: ") and "number find" in lines[0]
    assert lines[1].startswith(f"{STRANGER}: failed: ") and "auth status" in lines[1]
    assert (ran.error["kind"], ran.error["exit_code"]) == ("partial", 6)
    assert "added 1, failed 2" in ran.error["message"]
    quiet = pool("number", "add", "a", good["sid"], STRANGER, "-q")
    assert (quiet.code, quiet.out) == (6, "")
    assert f"{STRANGER}: failed: " in quiet.err and "failed 1" in quiet.err


def test_more_than_twenty_failures_are_counted(pool: Cli) -> None:
    ran = pool("number", "reserve", "a", *(f"+1415555{number:04}" for number in range(25)))
    assert ran.code == 6
    assert ran.err.count(": failed: ") == 20 and "5 more" in ran.err
    assert len(ran.lines) == 26


def test_reserve_with_add_puts_them_there_as_reserved(pool: Cli) -> None:
    one, two = pool.seed(2)
    pool.ok("number", "add", "a", one["sid"], "-q")
    assert run(pool, "reserve", one["sid"], two["phone_number"], "--add") == ["reserved", "added"]
    assert set(flags(pool).values()) == {True}


def test_remove_keeps_a_number_in_use_unless_forced(pool: Cli) -> None:
    busy, idle = pool.seed(2)
    pool.ok("number", "add", "a", busy["sid"], idle["sid"], "-q")
    pool.ok("sandbox", "busy", busy["sid"], "2")
    ran = pool("number", "remove", "a", busy["sid"], "--yes")
    assert ran.code == 5 and "2 open Sessions" in ran.err and "drain" in ran.err
    forced = pool("number", "remove", "a", busy["sid"], "--yes", "--force", "-o", "json")
    assert forced.code == 5 and forced.error["code"] == 80611, "the API is asked, and says no"
    both = pool("number", "remove", "a", busy["sid"], idle["sid"], "--yes", "-o", "json")
    assert both.code == 6 and actions(both) == ["failed", "removed"]
    pool.ok("sandbox", "busy", busy["sid"], "0")
    assert run(pool, "remove", busy["sid"]) == ["removed"]


def test_remove_asks_first(pool: Cli) -> None:
    number = pool.seed(1)[0]
    pool.ok("number", "add", "a", number["sid"], "-q")
    refused = pool("number", "remove", "a", number["sid"])
    assert (refused.code, refused.out) == (2, "")
    assert "1 number from Service a" in refused.err and "--yes" in refused.err
    for answer in ("", "n\n", "\n", "a\n"):
        assert pool("number", "remove", "a", number["sid"], stdin=answer, tty=True).code == 2
    assert len(flags(pool)) == 1
    assert pool("number", "remove", "a", number["sid"], stdin="y\n", tty=True).code == 0
    assert flags(pool) == {}
    nothing_to_ask = pool("number", "remove", "a", number["sid"])
    assert nothing_to_ask.code == 0 and "not in the pool" in nothing_to_ask.err


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
    assert actions(both) == ["reserved", "unchanged"], "one number, named in two ways, is changed once"


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


def test_failed_to_feeds_back(pool: Cli, tmp_path: Path) -> None:
    good, late = pool.seed(2)
    file = tmp_path / "failed.txt"
    pool.ok("number", "add", "b", late["sid"], "-q")
    ran = pool("number", "add", "a", good["sid"], late["sid"], "--failed-to", str(file))
    assert ran.code == 6
    assert file.read_text() == late["sid"] + "\n"
    assert file.stat().st_mode & 0o077 == 0
    pool.ok("number", "remove", "b", late["sid"], "--yes", "-q")
    rest = tmp_path / "rest.txt"
    assert run(pool, "add", "-f", str(file), "--failed-to", str(rest)) == ["added"]
    assert rest.read_text() == ""
    nowhere = pool("number", "remove", "a", good["sid"], "--yes", "--failed-to", str(tmp_path / "no" / "x"))
    assert nowhere.code == 2 and len(flags(pool)) == 2


def full_pool(cli: Cli, *, reserved: int, unreserved: int) -> str:
    """Fill Service "a" past the API, and return three more numbers of the account as a file's text."""
    sid = cli.ok("service", "show", "a", "-o", "ids").lines[0]
    with Store(Path(cli.environ["PROXYCTL_STATE_DIR"]) / "sandbox.db") as store:
        rows = [row["sid"] for row in seed_numbers(store, reserved + unreserved + 3, seed=4)]
        pool_numbers(store, sid, rows[:reserved], is_reserved=True)
        pool_numbers(store, sid, rows[reserved : reserved + unreserved])
    return "\n".join(rows[reserved + unreserved :])


def test_what_would_break_the_limits_is_refused_before_anything_is_sent(cli: Cli) -> None:
    cli.ok("service", "create", "a", "-q")
    three = full_pool(cli, reserved=4998, unreserved=499)
    for arguments, counts in (
        (("add", "a", "--reserved"), ("5001", "now 4998", "5000")),
        (("reserve", "a", "--add"), ("5001", "now 4998", "5000")),
        (("add", "a"), ("502", "now 499", "500")),
    ):
        ran = cli("number", *arguments, "-f", "-", stdin=three)
        assert (ran.code, ran.out) == (5, "")
        assert all(count in ran.err for count in counts) and "several Services" in ran.err
    assert cli.ok("number", "list", "a", "--count").out == "5497\n"
    assert len(run(cli, "add", "-f", "-", "--reserved", stdin="\n".join(three.splitlines()[:2]))) == 2


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
