"""`number add, reserve, release, remove`: what they read, in all its forms. What they print is golden."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.support import Cli


@pytest.fixture
def pool(either: Cli) -> Cli:
    """An empty Service "a", and a Service "b"."""
    for name in "ab":
        either.ok("service", "create", name, "-q")
    return either


def run(cli: Cli, verb: str, *arguments: str, stdin: str | bytes = "") -> list[str]:
    """Run a verb on Service "a" that works, on all numbers or some; return what it did with each item."""
    permitted = ("--yes", "--allow", "no-unreserved")
    return cli.ok("number", verb, "a", *arguments, "-o", "json", *permitted, stdin=stdin).actions


def flags(cli: Cli) -> dict[str, bool]:
    rows = cli.ok("number", "list", "a", "-o", "json").json
    return {row["phone_number"]: row["is_reserved"] for row in rows}


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
        assert run(pool, "remove", "-f", "-", stdin=listed) == ["removed"] * 3
        assert run(pool, "add", "-f", "-", stdin=listed) == ["added"] * 3, form
        assert flags(pool) == wanted
        assert run(pool, "add", "-f", "-", "--unreserved", stdin=listed).count("released") == 2
        assert run(pool, "add", "-f", "-", stdin=listed) == ["unchanged"] * 3, "what is there keeps its flag"
        run(pool, "reserve", *sids[:2])
    ids = pool.ok("number", "list", "a", "-o", "ids").out
    assert run(pool, "remove", "-f", "-", stdin=ids) == ["removed"] * 3


@pytest.mark.parametrize("verb", [("remove",), ("remove", "--must-exist"), ("drain", "--remove")])
@pytest.mark.parametrize("count", [2, 12])  # asked for one by one, and as a whole
def test_a_removal_from_the_wrong_pool_did_not_happen(pool: Cli, verb: tuple[str, ...], count: int) -> None:
    """By number, by SID, again, and alone; also where the webhooks do not say which Service has the number."""
    rows = pool.seed(count + 2)
    numbers = [row["phone_number"] for row in rows]
    pool.ok("number", "add", "b", *numbers[:count])
    pool.ok("number", "add", "a", numbers[count])
    pool.ok("number", "webhooks", "b", numbers[0], "--voice-url", OWN, "--sms-url", OWN, "--yes")
    name, *options = verb
    given = [rows[1]["sid"], *numbers[:1], *numbers[2:]]
    options += ["--allow", "no-unreserved"]
    line = ("number", name, "a", *given, *options, "--yes", "-o", "json")
    strict = "--must-exist" in options
    for done in ("removed", "unchanged"):
        gone = ["failed" if strict and done == "unchanged" else done, "failed" if strict else "unchanged"]
        ran = pool(*line)
        assert (ran.code, ran.actions) == (6, ["failed"] * count + gone), ran.err
        assert {row["error"]["exit_code"] for row in ran.json[:count]} == {5}
        assert all("in the pool of Service b (KS" in row["error"]["message"] for row in ran.json[:count])
        assert f"'proxyctl number {name} b {numbers[0]}" in ran.err
    assert len(pool.ok("number", "list", "b", "-o", "ids").lines) == count
    alone = pool("number", name, "a", numbers[0], *options, "--yes", "-o", "json")
    assert (alone.code, "Service b (KS" in alone.error["message"]) == (5, True)
    dry = pool(*line, "--dry-run")
    assert (dry.code, dry.err.count(": would fail: ")) == (6, count + (2 if strict else 0))


OWN = "https://example.com/own"
ACCOUNT_NUMBERS = "/2010-04-01/Accounts/AC5a4db0c55a4db0c55a4db0c55a4db0c5/IncomingPhoneNumbers.json"


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
        ran = pool("number", "add", "a", "+14155550100", *options)
        assert (ran.code, ran.out) == (2, ""), options
        assert len(ran.err.splitlines()) <= 3, ran.err
