"""`proxyctl explain`: the same words as the errors, without network, credentials or a config that can be read."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.support import Cli


@pytest.mark.parametrize("tty", [False, True])
def test_text_unless_a_format_is_asked_for(bare: Cli, tty: bool) -> None:
    ran = bare("explain", "80601", tty=tty)
    assert (ran.code, ran.err) == (0, "")
    assert ran.lines[0] == "80601: The number is bound elsewhere"
    assert "Why it comes up:" in ran.lines and "What to do:" in ran.lines
    assert "proxyctl number find NUMBER" in ran.out
    assert ran.lines[-1] == "More: https://www.twilio.com/docs/errors/80601"


def test_a_terminal_wraps_and_a_pipe_does_not(bare: Cli) -> None:
    bare.environ["COLUMNS"] = "60"
    narrow, piped = bare("explain", "80601", tty=True).lines, bare("explain", "80601").lines
    # A command stays whole.
    assert max(len(line) for line in narrow if "'proxyctl" not in line) <= 60 < max(map(len, piped))
    assert " ".join(" ".join(narrow).split()) == " ".join(" ".join(piped).split())


def test_json_has_these_keys_in_this_order(bare: Cli) -> None:
    found = bare.ok("explain", "80622", "-o", "json").json
    assert list(found) == ["code", "title", "meaning", "causes", "next", "more_info", "exit_code"]
    assert (found["code"], found["exit_code"]) == (80622, 5)
    assert bare("explain", "80622", environ={"PROXYCTL_OUTPUT": "json"}).json == found
    assert bare.ok("explain", "80622", "-o", "jsonl").rows == [found]
    assert bare.ok("explain", "80622", "--fields", "code,exit_code", "-o", "csv").lines == [
        "code,exit_code",
        "80622,5",
    ]
    assert bare.ok("explain", "80622", "-o", "ids").out == "80622\n"


@pytest.mark.parametrize(
    ("code", "title"),
    [("7", "7: Exit code of proxyctl: temporary"), ("130", "130: Exit code of proxyctl: SIGINT"),
     ("429", "429: HTTP status: too many requests"), ("0", "0: Exit code of proxyctl: done")],
)  # fmt: skip
def test_exit_codes_and_statuses(bare: Cli, code: str, title: str) -> None:
    assert bare.ok("explain", code).lines[0] == title


def test_an_unknown_code_is_not_found_and_names_near_ones(bare: Cli) -> None:
    ran = bare("explain", "8061")
    assert (ran.code, ran.out) == (4, "")
    assert "80601  The number is bound elsewhere" in ran.err
    ran = bare("explain", "99", "-o", "json")
    assert (ran.code, ran.error["kind"]) == (4, "not_found")
    assert "docs/errors" not in ran.error["hint"]


@pytest.mark.parametrize("code", ["abc", "", "٤٢٩", "8e4", "1" * 5000, "80601;", "4.29", "\x1b[31m"])
def test_what_is_no_number(bare: Cli, code: str) -> None:
    ran = bare("explain", code)
    assert (ran.code, ran.out) == (2, "")
    assert "proxyctl explain 80601" in ran.err
    assert "\x1b" not in ran.err and len(ran.err) < 400


def test_the_config_may_be_broken_or_ask_for_a_format(bare: Cli) -> None:
    config = bare.directory / "config" / "config.toml"
    config.parent.mkdir(mode=0o700)
    config.write_text("output = 'json'\n")
    config.chmod(0o600)
    assert bare.ok("explain", "80601").json["code"] == 80601
    config.write_text("= broken")
    assert bare.ok("explain", "80601").lines[0].startswith("80601: ")


def test_an_environment_that_names_no_format(bare: Cli) -> None:
    ran = bare("explain", "80601", environ={"PROXYCTL_OUTPUT": "xml"})
    assert ran.code == 2 and "PROXYCTL_OUTPUT" in ran.err


def test_it_runs_in_an_empty_environment_and_loads_no_network_code(bare: Cli) -> None:
    script = (
        "import sys; from proxyctl.cli import main; code = main(['explain', '80601']);"
        "sys.exit(code or 9 * bool({'httpx', 'rich', 'sqlite3'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONIOENCODING": "ascii"},
        cwd=os.getcwd(),
        capture_output=True,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"80601: The number is bound elsewhere" in done.stdout
