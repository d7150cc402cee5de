"""Files that a pool file names: regular ones beneath it and no others, and nothing of them is printed but numbers."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxyctl.input.refusal import numbers_alone
from tests.commands.pool_support import pool_file
from tests.support import Cli

SECRET = "canary5f8eaaaabbbbccccddddeeeeff"
NUMBER = "+14155550100"


def beside(directory: Path, name: str) -> Path:
    return directory / "pools" / name


def a_link(directory: Path) -> str:
    beside(directory, "link.csv").symlink_to(directory / "secret.csv")
    return "link.csv"


def a_linked_directory(directory: Path) -> str:
    beside(directory, "inner").symlink_to(directory)
    return "inner/secret.csv"


def a_pipe(directory: Path) -> str:
    os.mkfifo(beside(directory, "pipe.csv"))
    return "pipe.csv"


def a_link_to_a_device(directory: Path) -> str:
    beside(directory, "zero.csv").symlink_to("/dev/zero")
    return "zero.csv"


REFUSED: dict[str, Callable[[Path], str]] = {
    "above": lambda directory: "../secret.csv",
    "above, from within": lambda directory: "x/../../secret.csv",
    "absolute": lambda directory: str(directory / "secret.csv"),
    "of the system": lambda directory: "/etc/passwd",
    "a directory beside with the same beginning": lambda directory: "../pools-of-others/secret.csv",
    "a link": a_link,
    "a linked directory": a_linked_directory,
    "a pipe": a_pipe,
    "a device": a_link_to_a_device,
    "a directory": lambda directory: ".",
}


@pytest.fixture
def pools(cli: Cli) -> Path:
    """A directory for pool files; beside it lies a secret that no pool file may reach."""
    pools = cli.directory / "pools"
    pools.mkdir()
    (cli.directory / "pools-of-others").mkdir()
    for place in (cli.directory, cli.directory / "pools-of-others"):
        (place / "secret.csv").write_text(f"phone_number\nauth_token = {SECRET}\n")
    return pools


def naming(pools: Path, file: str) -> str:
    """Write a pool file that names a file of numbers."""
    return pool_file(pools, {"a": {"create": True, "numbers": {"reserved_from": file}}})


@pytest.mark.parametrize("command", ["plan", "apply"])
@pytest.mark.parametrize("case", REFUSED)
def test_what_lies_elsewhere_or_is_no_file_is_never_read(
    cli: Cli, pools: Path, case: str, command: str
) -> None:
    file = naming(pools, REFUSED[case](cli.directory))
    started = monotonic()
    ran = cli("pool", command, file, *(["--yes"] if command == "apply" else []))
    assert monotonic() - started < 5
    assert ran.code == 2, ran.err
    assert f"{file}:7: reserved_from: " in ran.err and "Nothing was sent" in ran.err
    assert any(words in ran.err for words in ("is not beneath", "is not a regular file", "Is a directory"))
    assert SECRET[:8] not in ran.out + ran.err and "root:" not in ran.err


def test_what_lies_beneath_is_read_through_links_too(cli: Cli, pools: Path) -> None:
    """As Kubernetes lays out what it mounts: each file is a link into a directory beside it."""
    inner = pools / "..2026"
    inner.mkdir()
    (inner / "numbers.csv").write_text(f"phone_number\n{NUMBER}\n")
    (pools / "..data").symlink_to("..2026")
    (pools / "numbers.csv").symlink_to("..data/numbers.csv")
    (cli.directory / "mounted").symlink_to(pools)
    for name in ("numbers.csv", "..data/numbers.csv", str(inner / "numbers.csv")):
        file = Path(naming(pools, name))
        for typed in (file, cli.directory / "mounted" / file.name):
            ran = cli("pool", "plan", str(typed), "-o", "jsonl")
            assert [row["phone_number"] for row in ran.rows if row["field"] == "is_reserved"] == [NUMBER]


CONTENTS = [
    f"auth_token = {SECRET}\n",
    f"auth_token,{SECRET}\n",
    f"phone_number\n{SECRET}\n",
    f"phone_number\n{NUMBER} {SECRET}\n",
    f"sid\n{SECRET}\n",
    f"phone_number,account_sid\n{NUMBER},{SECRET}\n",
    f"{NUMBER}\n{SECRET}\n",
    f'{{"phone_number": "{SECRET}"}}\n',
    f'["{SECRET}"]\n',
    f'{{"phone_number": "{NUMBER}", "auth_token": {SECRET}}}\n',
    f"phone_number\n{NUMBER},{SECRET}\n",
    f'phone_number\n"{SECRET}\n',
    f'phone_number\n"{NUMBER}" {SECRET}\n',
    f"{SECRET}\tx\n",
    f"phone_number\n{SECRET}@\n".encode().decode() + "\udcff",
]


@pytest.mark.parametrize("content", CONTENTS)
def test_rows_are_named_by_file_and_line_and_quoted_where_they_are_like_numbers(
    cli: Cli, pools: Path, content: str
) -> None:
    (pools / "rows.csv").write_bytes(content.encode(errors="surrogateescape"))
    account = "AC" + "1" * 32
    file = naming(pools, "rows.csv")
    Path(file).write_text(f'account_sid = "{account}"\n' + Path(file).read_text())
    ran = cli("pool", "plan", file)
    assert ran.code == 2, ran.err
    assert f"{pools}/rows.csv" in ran.err
    assert SECRET[:8] not in ran.err


def test_a_number_that_lacks_its_country_is_quoted(cli: Cli, pools: Path) -> None:
    (pools / "rows.csv").write_text("phone_number\n(415) 555-0100\n")
    ran = cli("pool", "plan", naming(pools, "rows.csv"))
    assert f'{pools}/rows.csv:2: "(415) 555-0100" has no + and country code' in ran.err


@given(st.text(), st.text(), st.text())
def test_a_quotation_with_a_letter_is_left_out_whole(before: str, quoted: str, after: str) -> None:
    for secret in (f"a{quoted}", f"{quoted}a"):
        shown = numbers_alone(f'{before.replace(chr(34), "")} "{secret}" {after.replace(chr(34), "")}')
        assert shown.count('"') == 0
        assert "(not shown)" in shown


@pytest.mark.parametrize("command", ["add", "plan"])
def test_the_secret_is_known_before_any_file_is_read(bare: Cli, command: str) -> None:
    """Where a file that somebody names holds it, no error quotes it."""
    account = "AC" + "1" * 32
    bare.environ |= {"TWILIO_ACCOUNT_SID": account, "TWILIO_AUTH_TOKEN": SECRET}
    file = bare.directory / "own.txt"
    file.write_text(f"version = 1\n{SECRET} = 1\n" if command == "plan" else f"{SECRET}\n")
    line = ("pool", "plan", str(file)) if command == "plan" else ("number", "add", "a", "-f", str(file))
    ran = bare(*line)
    assert ran.code == 2, ran.err
    assert "[redacted]" in ran.err and SECRET not in ran.err
