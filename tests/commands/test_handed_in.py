"""Numbers and files as people hand them in, read by the whole program: never another number, never silence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support import Cli

GERMAN = "+4915732920150"


@pytest.fixture
def numbers(cli: Cli) -> list[dict[str, str]]:
    """Three numbers in the pool of "m", as the account has them."""
    rows = cli.seed(3)
    cli.ok("service", "create", "m")
    cli.ok("number", "add", "m", *(row["sid"] for row in rows))
    return rows


@pytest.mark.parametrize("verb", ["add", "reserve", "release", "remove", "drain", "find"])
def test_digits_that_are_valid_both_ways_are_refused_by_every_verb(
    cli: Cli, numbers: list[dict[str, str]], verb: str
) -> None:
    service = [] if verb == "find" else ["m"]
    confirm = ["--yes"] if verb == "remove" else []
    ran = cli("number", verb, *service, GERMAN[1:], "--default-country", "DE", "-q", *confirm)
    assert ran.code == 2
    assert GERMAN in ran.err and "+49" + GERMAN[1:] in ran.err


def test_floats_and_lost_plus_signs_name_the_number_itself(cli: Cli, numbers: list[dict[str, str]]) -> None:
    first, second, third = (row["phone_number"] for row in numbers)
    line = ("number", "drain", "m", "--wait", "--remove", "--yes", "-q", "--no-history")
    assert cli(*line, f"{first}.0").code == 0
    ran = cli("number", "remove", "m", f"00{second[1:]}.0", "--yes", "-o", "json")
    assert (ran.code, ran.actions) == (0, ["removed"])
    assert "dropped .0 at the end of 1 number." in ran.err
    assert cli.ok("number", "list", "m", "-o", "tsv", "--fields", "phone_number").lines[1:] == [third]
    ran = cli(
        "number", "remove", "m", third[1:], "--default-country", "FR", "--yes", "--allow", "no-unreserved"
    )
    assert (ran.code, cli.ok("number", "list", "m", "--count").out) == (0, "0\n")


def test_a_number_that_is_read_differently_is_shown_in_both_forms(
    cli: Cli, numbers: list[dict[str, str]]
) -> None:
    ran = cli("number", "find", GERMAN[1:], "--default-country", "FR")
    assert (ran.code, f"{GERMAN[1:]} (read as {GERMAN})" in ran.err) == (4, True)
    ran = cli("number", "reserve", "m", f"{GERMAN}.0", numbers[0]["phone_number"])
    assert (ran.code, f"{GERMAN}.0 (read as {GERMAN}): failed: is not in the pool." in ran.err) == (6, True)
    ran = cli("number", "release", "m", GERMAN)
    assert (ran.code, "read as" in ran.err) == (4, False)


@pytest.mark.parametrize("key", ["isReserved", "is_reserved", "Reserved", "IS-RESERVED"])
def test_a_flag_is_read_whatever_the_format(
    cli: Cli, numbers: list[dict[str, str]], key: str, tmp_path: Path
) -> None:
    sid = numbers[0]["sid"]
    for text in (
        json.dumps([{"sid": sid, key: True}]),
        f"sid,{key}\n{sid},true\n",
        f"sid\t{key}\n{sid}\ttrue\n",
    ):
        cli.ok("number", "remove", "m", sid, "--yes")
        (tmp_path / "n").write_text(text)
        ran = cli.ok("number", "add", "m", "-f", str(tmp_path / "n"), "-o", "json")
        assert [(row["action"], row["is_reserved"]) for row in ran.json] == [("added", True)]


def test_a_saved_response_is_input(cli: Cli, numbers: list[dict[str, str]], tmp_path: Path) -> None:
    service = cli.ok("service", "show", "m", "-o", "json").json["sid"]
    path = f"/v1/Services/{service}/PhoneNumbers"
    saved = tmp_path / "own.json"
    for options in ((), ("--paginate",), ("-o", "jsonl")):
        saved.write_text(cli.ok("api", "GET", path, *options).out)
        ran = cli.ok("number", "reserve", "m", "-f", str(saved), "-o", "json", "--allow", "no-unreserved")
        assert len(ran.json) == 3
        cli.ok("number", "release", "m", "-f", str(saved))
    account = cli.ok("auth", "status", "-o", "json").json["account_sid"]
    saved.write_text(cli.ok("api", "GET", f"/2010-04-01/Accounts/{account}/IncomingPhoneNumbers.json").out)
    assert len(cli.ok("number", "find", "-f", str(saved), "-o", "json").json) == 3
    saved.write_text(cli.ok("api", "GET", f"{path}?PageSize=2").out)
    ran = cli("number", "reserve", "m", "-f", str(saved))
    assert (ran.code, "names the next" in ran.err) == (2, True)
    assert cli.ok("number", "list", "m", "--reserved", "--count").out == "0\n"


def test_our_own_csv_comes_back_from_a_spreadsheet(
    cli: Cli, numbers: list[dict[str, str]], tmp_path: Path
) -> None:
    file, failed = tmp_path / "n.csv", tmp_path / "failed.csv"
    first, second = numbers[:2]
    file.write_text(
        "sep=;\nsid;phone_number;owner\n"
        f"{first['sid']};1.34756E+10;x\n"
        f"{second['sid']};{second['phone_number'][1:]}\n"
        f';="{GERMAN}";y;;\n'
    )
    ran = cli("number", "reserve", "m", "-f", str(file), "--failed-to", str(failed), "-o", "json")
    assert (ran.code, ran.actions) == (6, ["reserved", "reserved", "failed"])
    assert "used the SID of 1 row whose phone_number can't be read." in ran.err
    again = cli("number", "reserve", "m", "-f", str(failed), "-o", "json")
    assert (again.code, [row["input"] for row in again.json]) == (6, [GERMAN])
    other = f"sid,phone_number\n{first['sid']},{second['phone_number'][1:]}\n"
    ran = cli("number", "release", "m", "-f", "-", stdin=other)
    assert (ran.code, "in the pool, not" in ran.err) == (6, True)


def test_a_file_without_a_number_is_no_success(
    cli: Cli, numbers: list[dict[str, str]], tmp_path: Path
) -> None:
    file = tmp_path / "n"
    for text in (
        "",
        "# none\n",
        "phone_number\n",
        "[]",
        '{"phone_numbers": [], "meta": {}}',
        "sep=;\n",
        "\u200b\n",
    ):
        file.write_text(text)
        for line in (("find",), ("add", "m"), ("remove", "m", "--yes"), ("webhooks", "m", "--proxy")):
            ran = cli("number", *line, "-f", str(file))
            assert (ran.code, "holds no number" in ran.err) == (2, True), (line, ran)
            assert cli("number", *line, "-f", "-", stdin=text).code == 0
    assert cli("number", "find", "-f", str(file), numbers[0]["sid"]).code == 2


def test_a_pool_file_reads_its_numbers_alike(cli: Cli, numbers: list[dict[str, str]], tmp_path: Path) -> None:
    pool, file = tmp_path / "pool.toml", tmp_path / "n.csv"
    one, two, three = (row["phone_number"] for row in numbers)
    pool.write_text(
        f'version = 1\n[services.m.numbers]\nreserved_from = "n.csv"\nunreserved = ["{one}.0", "\u202a{two}\u202c"]\n'
    )
    file.write_text(f'sep=;\nTwilio DID;owner\n="{three}"\n')
    ran = cli("pool", "plan", str(pool), "-o", "json")
    assert (ran.code, [row["change"] for row in ran.json]) == (0, ["reserve"]), ran.err
    assert "dropped .0 at the end of 1 number." in ran.err
    file.write_bytes(b"PK\x03\x04 xl/workbook.xml \0")
    ran = cli("pool", "plan", str(pool))
    assert (ran.code, "n.csv is an Excel workbook or the like. Save it as CSV UTF-8" in ran.err) == (2, True)


def test_a_name_with_a_character_that_is_not_seen_is_another_name(cli: Cli) -> None:
    for name in ("m", "m\ufe0f", "m\u3164"):
        cli("service", "create", name)
    shown = cli("service", "list", tty=True).out
    assert "m\\ufe0f" in shown and "m\\u3164" in shown
