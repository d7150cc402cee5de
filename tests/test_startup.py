"""What a start imports: the modules that cost a command time and do nothing for it must be absent. (How long a start
takes is measured by the benchmark `startup`.)
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from proxyctl.sandbox.behaviour import ACCOUNT_SID, AUTH_TOKEN
from tests.sandbox.serving import served
from tests.support import REPOSITORY, Cli

# Each of them costs 2 to 80 ms; none is needed to answer.
NEVER = {
    *(
        "rich",
        "pydantic",
        "click",
        "pygments",
        "markdown_it",
        "asyncio",
        "concurrent.futures",
        "multiprocessing",
    ),
    *("sqlite3", "phonenumbers", "tomli_w", "unittest", "twilio", "trio", "proxyctl.sandbox.world.store"),
    *("proxyctl.bulk.engine", "proxyctl.input.items", "proxyctl.render.table", "proxyctl.render.progress"),
}
WITHOUT_NETWORK = {
    *NEVER,
    "httpx",
    "httpcore",
    "h11",
    "ssl",
    "socket",
    "http.client",
    "email",
    "logging",
    "certifi",
}
WITHOUT_PARSING = {*WITHOUT_NETWORK, "typer", "json", "tomllib", "platformdirs", "urllib.parse", "subprocess"}
# Runs the program, and tells at its end what was imported meanwhile.
TELL = """
import atexit, sys
before = set(sys.modules)
atexit.register(lambda: sys.stderr.write("\\n".join(["imported:", *sorted(set(sys.modules) - before)])))
from proxyctl.__main__ import run
run()
"""


def imported(cli: Cli, *arguments: str, **environ: str) -> set[str]:
    """Return the modules that a run imports; it has to succeed."""
    ran = subprocess.run(
        [sys.executable, "-c", TELL, *arguments],
        env={**cli.environ, "PYTHONPATH": str(REPOSITORY), **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    return set(ran.stderr.partition("imported:\n")[2].splitlines())


def test_version(bare: Cli) -> None:
    found = imported(bare, "--version")
    assert "proxyctl.cli" in found
    assert found & WITHOUT_PARSING == set()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--version"],
        ["service", "list", "--sandbox"],
        ["pool", "status", "--all", "--sandbox", "-o", "table"],
    ],
)
@pytest.mark.parametrize("way", ["-m", "PYTHONPATH"])
def test_nothing_is_imported_from_the_current_directory(bare: Cli, way: str, arguments: list[str]) -> None:
    """Neither for `python -m`, nor where PYTHONPATH has an empty entry; for a TAB neither."""
    here = bare.directory / "here"
    here.mkdir()
    for name in (
        "typer",
        "rich",
        "httpx",
        "json",
        "signal",
        "__future__",
        "platformdirs",
        "tomllib",
        "sqlite3",
        "csv",
    ):
        (here / f"{name}.py").write_text("raise SystemExit('it ran what lies here')\n")
    line = ["-m", "proxyctl"] if way == "-m" else ["-c", "from proxyctl.__main__ import run; run()"]
    for extra in (
        {},
        {"_PROXYCTL_COMPLETE": "complete_bash", "COMP_WORDS": "proxyctl num", "COMP_CWORD": "1"},
    ):
        ran = subprocess.run(
            [sys.executable, *line, *arguments],
            env={**bare.environ, "PYTHONPATH": f"{REPOSITORY}{os.pathsep}", **extra},
            cwd=here,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (ran.returncode, "it ran" in ran.stderr) == (0, False), ran.stderr


@pytest.mark.parametrize(
    "words", ["proxyctl num", "proxyctl number reserve ", "proxyctl -p ", "proxyctl -o "]
)
def test_completion(bare: Cli, words: str) -> None:
    (bare.directory / "config").mkdir(mode=0o700)
    config = bare.directory / "config" / "config.toml"
    config.write_text("[profiles.prod]\n")
    config.chmod(0o600)
    found = imported(
        bare, _PROXYCTL_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=str(words.count(" "))
    )
    assert "proxyctl.completion.shells" in found
    assert found & {*WITHOUT_NETWORK, "tomllib", "platformdirs", "proxyctl.cli", "proxyctl.runtime"} == set()
    assert {name for name in found if name.startswith(("proxyctl.api", "proxyctl.render"))} == set()


@pytest.mark.parametrize(
    "arguments", [["-h"], ["number", "-h"], ["number", "reserve", "--help"], ["help", "number"]]
)
def test_help(bare: Cli, arguments: list[str]) -> None:
    found = imported(bare, *arguments)
    assert "typer" in found
    assert found & {*WITHOUT_NETWORK, "tomllib"} == set()
    assert {name for name in found if name.startswith(("proxyctl.profiles", "proxyctl.api"))} == set()


@pytest.mark.parametrize("arguments", [["service", "list"], ["number", "list", "--all"]])
def test_one_call(tmp_path: Path, arguments: list[str]) -> None:
    with served() as server:
        credentials = {"TWILIO_ACCOUNT_SID": ACCOUNT_SID, "TWILIO_AUTH_TOKEN": AUTH_TOKEN}
        cli = Cli(tmp_path, {**credentials, "PROXYCTL_BASE_URL": server.url})
        found = imported(cli, *arguments, "-o", "json")
    assert "httpx" in found
    assert found & NEVER == set()
    assert "proxyctl.pools.status" not in found
    gates = {f"proxyctl.bulk.{name}" for name in ("gates", "rate", "threads")}
    assert not {name for name in found if name.startswith(("proxyctl.sandbox", "proxyctl.bulk."))} - gates
    assert not {
        name
        for name in found
        if name.startswith(("tomllib", "proxyctl.writes.flow", "proxyctl.writes.executor"))
    }


@pytest.mark.parametrize("arguments", [["service", "show", "a"], ["pool", "status", "--all"], ["doctor"]])
def test_what_is_no_table_needs_no_rich(cli: Cli, arguments: list[str]) -> None:
    cli.ok("service", "create", "a", "-q")
    found = imported(cli, *arguments, "-o", "table")
    assert not found & {"rich", "proxyctl.render.table"}
