"""`sandbox`: seed, busy, status, reset, env, the demo, and `serve` as a process of its own."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxyctl.sandbox.context import ACCOUNT_SID, AUTH_TOKEN
from tests.sandbox.serving import Client
from tests.support import Cli, StandingClock

STRANGER = "+14155550100"


def test_seed_prints_what_it_put_there(either: Cli) -> None:
    rows = either.seed(3)
    assert list(rows[0]) == ["sid", "phone_number", "friendly_name", "iso_country", "type", "capabilities"]
    account = f"/2010-04-01/Accounts/{ACCOUNT_SID}/IncomingPhoneNumbers.json"
    there = either.ok("api", "GET", account, "--paginate").json
    assert {row["sid"] for row in there} == {row["sid"] for row in rows}
    assert either.ok("sandbox", "seed", "-o", "ids").out.count("PN") == 10
    assert either.ok("sandbox", "seed", "--numbers", "0", "-o", "json").json == []
    assert either.ok("sandbox", "seed", "--numbers", "1", "--country", "de", "-o", "json").json[0][
        "iso_country"
    ] == ("DE")


def test_the_same_seed_gives_the_same_numbers(tmp_path: Path) -> None:
    first, second = (Cli(tmp_path / name).seed(5, seed=7) for name in "ab")
    assert first == second
    assert Cli(tmp_path / "c").seed(5, seed=8) != first


def test_a_scenario_is_a_whole_account(cli: Cli) -> None:
    rows = cli.ok("sandbox", "seed", "--scenario", "agency", "--seed", "1", "-o", "json").json
    held = cli.ok("sandbox", "status", "-o", "json").json
    assert held["services"] > 1 and held["numbers"] == len(rows) and held["in_pools"] > 0
    assert any(row["service_sid"] for row in rows)
    assert cli("sandbox", "seed", "--scenario", "agency").code == 5


def test_busy_sets_in_use(either: Cli) -> None:
    number = either.seed(1)[0]
    sid, phone_number = number["sid"], number["phone_number"]
    free = either("sandbox", "busy", sid, "1")
    assert free.code == 5 and "number add" in free.err
    either.ok("service", "create", "a", "-q")
    either.ok("number", "add", "a", sid, "-q")
    assert either.ok("sandbox", "busy", sid, "2", "-o", "json").json["in_use"] == 2
    assert either.ok("number", "show", "a", sid, "-o", "json").json["in_use"] == 2
    spaced = f"{phone_number[:2]} {phone_number[2:]}"
    assert either.ok("sandbox", "busy", spaced, "0", "-o", "json").json["in_use"] == 0
    assert either.ok("number", "list", "a", "--in-use", "--count").out == "0\n"
    assert either("sandbox", "busy", STRANGER, "1").code == 4
    for arguments in ((sid, "-1"), (sid, "x"), (sid, "1e9"), (sid, "9" * 20), ("foo", "1"), (sid,), ()):
        assert either("sandbox", "busy", *arguments).code == 2, arguments


def test_the_clock_is_shown_moved_and_reset(tmp_path: Path) -> None:
    cli = Cli(tmp_path, clock=StandingClock())

    def clock(*when: str) -> tuple[str, float]:
        row = cli.ok("sandbox", "clock", *when, "-o", "json").json
        return row["now"], row["offset"]

    assert clock() == ("2025-06-15T15:06:40Z", 0)
    assert clock("+1h30m") == clock() == ("2025-06-15T16:36:40Z", 5400)
    assert clock("+60") == ("2025-06-15T16:37:40Z", 5460)
    assert clock("2030-01-31T12:00:00Z") == clock("2030-01-31T12:00") == ("2030-01-31T12:00:00Z", 146091200)
    assert clock("2025-06-15T15:06:30+00:00") == ("2025-06-15T15:06:30Z", -10)
    cli.ok("--sandbox", "service", "create", "a", "-q")
    created = cli.ok("--sandbox", "service", "show", "a", "-o", "json").json["date_created"]
    assert created == "2025-06-15T15:06:30Z"
    assert clock("reset") == ("2025-06-15T15:06:40Z", 0)
    for when in ("x", "+", "+2w", "2h", "+1e9", "+99999999999d", "9999-12-31T23:59:59-12:00", ""):
        ran = cli("sandbox", "clock", when)
        assert (ran.code, ran.out) == (2, ""), when
    assert clock() == ("2025-06-15T15:06:40Z", 0)


def test_reset_asks_and_empties(either: Cli) -> None:
    either.seed(2)
    either.ok("service", "create", "a", "-q")
    refused = either("sandbox", "reset")
    assert refused.code == 2 and "--yes" in refused.err
    assert refused.err.split("\n")[1] == "  1 Service, 2 numbers, 0 in use"
    assert either("sandbox", "reset", stdin="n\n", tty=True).code == 2
    dry = either.ok("sandbox", "reset", "--dry-run").err
    assert "2 numbers" in dry and "nothing was deleted" in dry
    assert either.ok("sandbox", "status", "-o", "json").json["numbers"] == 2
    assert either("sandbox", "reset", stdin="y\n", tty=True).code == 0
    held = either.ok("sandbox", "status", "-o", "json").json
    assert (held["services"], held["numbers"]) == (0, 0)
    assert either.ok("sandbox", "reset", "--yes", "-q").err == ""


@pytest.mark.parametrize(
    "options",
    [
        *(("--host", host) for host in ("0.0.0.0", "192.168.0.1", "evil.example", "", "::")),
        *(("--port", port) for port in ("-1", "65536", "x", "1.5", "1e9", "nan")),
        *(("--latency", latency) for latency in ("-1", "nan", "inf", "60001", "x", "1e9")),
        *(("--max-page-size", size) for size in ("0", "1001", "-1", "x")),
        *(("--fault", fault) for fault in ("foo=0.1", "500", "500=2", "500=-1", "500=nan", "500=x", "")),
        *(("--not-found", status) for status in ("500", "x", "")),
        *(("--also", account) for account in (ACCOUNT_SID, "AC1", "x", "")),
        ("--seed", "x"),
        ("--database", ""),
    ],
    ids=" ".join,
)
def test_serve_refuses_what_it_can_not_do(bare: Cli, options: tuple[str, ...]) -> None:
    ran = bare("sandbox", "serve", *(() if "--port" in options else ("--port", "0")), *options)
    assert (ran.code, ran.out) == (2, ""), ran.err
    assert len(ran.err.splitlines()) <= 3


@contextlib.contextmanager
def serving(cli: Cli, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], Cli]]:
    """A `sandbox serve` process on a free port, and the program that talks to it."""
    with cli.process("sandbox", "serve", "--port", "0", *options) as process:
        assert process.stdout is not None
        try:
            url = process.stdout.readline().decode().strip()
            assert re.fullmatch(r"http://(127\.0\.0\.1|\[::1\]):[0-9]+", url), url
            environ = {
                "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
                "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
                "PROXYCTL_BASE_URL": url,
            }
            yield process, Cli(cli.directory, environ)
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_served_sandbox_from_start_to_end(bare: Cli, number: signal.Signals) -> None:
    """It shares the sandbox of --sandbox, says its URL first and its log on stderr, and ends in order."""
    with serving(bare) as (process, remote):
        sid = remote.seed(1)[0]["sid"]
        remote.ok("service", "create", "a", "-q")
        remote.ok("number", "add", "a", sid, "-q")
        assert remote.ok("number", "list", "a", "-o", "ids").lines == [sid]
        assert bare.ok("--sandbox", "number", "list", "a", "-o", "ids").lines == [sid]
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err.decode()
    assert out == b"", "stdout holds the URL alone"
    assert b"POST /v1/Services" in err and b"has stopped" in err
    assert AUTH_TOKEN.encode() not in err


def test_a_subaccount_is_served_with_data_of_its_own_that_stay(bare: Cli) -> None:
    sub = "AC" + "b" * 32
    assert bare.ok("sandbox", "seed", "--also", sub, "--numbers", "2", "-q").out == ""
    for code, listed in ((0, []), (5, ["a"])):
        with serving(bare, "--also", sub, "-q") as (process, remote):
            own = {"TWILIO_ACCOUNT_SID": sub}
            assert (
                remote("service", "list", "--fields", "unique_name", "--no-header", environ=own).lines
                == listed
            )
            assert remote("service", "create", "a", "-q", environ=own).code == code
            assert remote.ok("service", "list", "--count").lines == ["0"]
            assert remote("number", "list", "--unassigned", "--count", environ=own).out == "2\n"
            process.terminate()
            process.communicate(timeout=60)
    bare.ok("sandbox", "reset", "--also", sub, "--yes")
    assert bare.ok("sandbox", "status", "--also", sub, "-o", "json").json["services"] == 0


def test_its_options_have_their_effect(bare: Cli, tmp_path: Path) -> None:
    database = tmp_path / "other.db"
    options = (
        "--not-found",
        "400",
        "--max-page-size",
        "2",
        "--database",
        str(database),
        "--no-rate-limit",
        "-q",
    )
    with serving(bare, *options, "--fault", "500=1", "--seed", "1") as (process, remote):
        failing = remote("service", "list", "--retries", "0", "-o", "json")
        assert failing.code == 7 and failing.error["status"] == 500
        process.terminate()
        assert process.communicate(timeout=60)[1] == b""
    with serving(bare, *options) as (process, remote):
        for name in "abc":
            remote.ok("service", "create", name, "-q")
        page = remote.ok("api", "GET", "/v1/Services", "-d", "PageSize=100").json
        assert len(page["services"]) == 2 and page["meta"]["next_page_url"]
        missing = remote("service", "show", "KS" + "1" * 32, "-o", "json")
        assert missing.code == 4 and missing.error["status"] == 400
    assert database.stat().st_mode & 0o077 == 0
    assert bare.ok("sandbox", "status", "--database", str(database), "-o", "json").json["services"] == 3
    exported = bare.ok("sandbox", "env", "--database", str(database)).lines
    assert exported[-1] == f"export PROXYCTL_SANDBOX_DATABASE={database}"
    assert bare.ok("sandbox", "status", "-o", "json").json["services"] == 0


def test_a_port_that_is_taken(bare: Cli) -> None:
    with serving(bare) as (_, remote):
        port = remote.environ["PROXYCTL_BASE_URL"].rpartition(":")[2]
        ran = bare("sandbox", "serve", "--port", port)
        assert (ran.code, ran.out) == (2, "") and "taken" in ran.err and "--port 0" in ran.err


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory for temporary files, to see what stays."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    return scratch


def test_the_demo_runs_the_main_job_and_leaves_nothing(cli: Cli, scratch: Path, tmp_path: Path) -> None:
    cli.seed(2)
    before = cli.ok("sandbox", "status", "-o", "json").json
    here, files = Path.cwd(), sorted(path for path in tmp_path.rglob("*") if path.is_file())
    ran = cli.ok("sandbox", "demo")
    for words in (
        "$ proxyctl sandbox seed --numbers 500",
        "number reserve",
        "\n500\n",
        "This sandbox is deleted now",
    ):
        assert words in ran.out, words
    assert "added 500, failed 0" in ran.err and "unchanged 500" in ran.err and "deleted Service" in ran.err
    assert "\x1b" not in ran.out + ran.err
    assert list(scratch.iterdir()) == [] and Path.cwd() == here
    assert cli.ok("sandbox", "status", "-o", "json").json == before
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == files


def test_the_demo_at_a_terminal_shows_tables(bare: Cli, scratch: Path) -> None:
    """It needs no credentials, and minds none that are there."""
    environ = {
        "TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
        "PROXYCTL_BASE_URL": "http://127.0.0.1:9",
        "PROXYCTL_CONFIG": "/dev/null/none",
    }
    ran = bare("sandbox", "demo", tty=True, environ=environ)
    assert ran.code == 0, ran.err
    assert "Phone number" in ran.out
    assert "added 500" in ran.err


def test_a_demo_that_is_interrupted_cleans_up(bare: Cli, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    environ = {**bare.environ, "TMPDIR": str(scratch)}
    with bare.process("sandbox", "demo", env=environ) as process:
        assert process.stdout is not None
        while not process.stdout.readline().startswith(b"$ proxyctl"):
            pass
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err.decode()
    assert b"Traceback" not in err
    assert list(scratch.iterdir()) == []


def test_the_demo_runs_where_the_directory_is_gone(bare: Cli, tmp_path: Path, scratch: Path) -> None:
    here = os.open(".", os.O_RDONLY)
    gone = tmp_path / "gone"
    gone.mkdir()
    try:
        os.chdir(gone)
        gone.rmdir()
        assert bare("sandbox", "demo").code == 0
    finally:
        os.fchdir(here)
        os.close(here)


def test_only_sigint_and_sigterm_stop_the_server_whichever_thread_takes_them(tmp_path: Path) -> None:
    """The system may give a signal to any thread, while the main one waits for connections."""
    program = (
        "import os, runpy, signal, sys, threading\n"
        "def late():\n"
        "    for line in sys.stdin:\n"
        "        signal.pthread_kill(threading.get_ident(), int(line))\n"
        "signal.signal(signal.SIGUSR1, lambda *_: os.write(1, b'handled\\n'))\n"
        "threading.Thread(target=late, daemon=True).start()\n"
        "runpy.run_module('proxyctl', run_name='__main__', alter_sys=True)\n"
    )
    serve = ("sandbox", "serve", "--port", "0", "--database", str(tmp_path / "a.db"))
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", program, *serve], **pipes) as process:
        assert process.stdin is not None and process.stdout is not None
        port = int(process.stdout.readline().rpartition(b":")[2])
        process.stdin.write(b"%d\n" % signal.SIGUSR1)
        process.stdin.flush()
        assert process.stdout.readline() == b"handled\n"
        client = Client(port)
        assert client("GET", "/v1/Services")[0] == 200
        client.close()
        process.communicate(b"%d\n" % signal.SIGTERM, timeout=60)
    assert process.returncode == 0
