"""`proxyctl explain`: the same words as the errors, without network, credentials or a config that can be read."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.support import Cli


def test_a_terminal_wraps_and_a_pipe_does_not(bare: Cli) -> None:
    bare.environ["COLUMNS"] = "60"
    narrow, piped = bare("explain", "80601", tty=True).lines, bare("explain", "80601").lines
    # A command stays whole.
    assert max(len(line) for line in narrow if "'proxyctl" not in line) <= 60 < max(map(len, piped))
    assert " ".join(" ".join(narrow).split()) == " ".join(" ".join(piped).split())


@pytest.mark.parametrize("code", ["1" * 5000, "\x1b[31m"])
def test_what_is_no_number_and_long_or_harmful(bare: Cli, code: str) -> None:
    ran = bare("explain", code)
    assert (ran.code, ran.out) == (2, "")
    assert "'proxyctl explain -h'" in ran.err
    assert "\x1b" not in ran.err and len(ran.err) < 500


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
