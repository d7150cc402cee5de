"""--summary-json: one object for monitoring, however a command ends; and the script that `help cron` shows."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from proxyctl.help.topics import topic
from proxyctl.sandbox.server.faults import FaultPlan
from proxyctl.state.lock import hold
from tests.api.stubs import http, raw_server, read_request
from tests.battery.live import Arrivals
from tests.commands.pool_support import fill
from tests.sandbox.serving import Served
from tests.support import REPOSITORY, Cli, Ran, all_commands

KEYS = ["verb", "service", "profile", "started", "seconds", "counts", "exit_code", "error"]
NONE = {"changed": 0, "unchanged": 0, "failed": 0, "skipped": 0, "unknown": 0}


class Job:
    """The program as cron runs it: each run leaves its summary in one file."""

    def __init__(self, cli: Cli) -> None:
        self.cli, self.file = cli, cli.directory / "summary.json"

    def __call__(self, line: str, code: int = 0) -> dict[str, Any]:
        """Run a command line and return its summary."""
        ran = self.cli(*line.split(), "--summary-json", str(self.file))
        assert ran.code == code, ran.err
        return self.read(ran)

    def read(self, ran: Ran) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.file.read_text())
        assert list(found) == KEYS and found["exit_code"] == ran.code
        assert (found["error"] is None) == (ran.code == 0)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", found["started"]) and found["seconds"] >= 0
        return found


@pytest.fixture
def job(cli: Cli) -> Job:
    return Job(cli)


def test_the_commands_that_take_it() -> None:
    for node in all_commands():
        names = {name for option in node.options for name in option.names}
        checks = node.path in (("pool", "status"), ("pool", "audit"), ("pool", "plan"))
        assert ("--summary-json" in names) == (checks or "--no-history" in names), node.path


def test_runs_and_what_they_count(job: Job) -> None:
    job("service create masking --default-ttl 60")
    numbers = " ".join(row["phone_number"] for row in job.cli.seed(3))
    done = job(f"number add masking {numbers}")
    assert (done["verb"], done["service"], done["profile"]) == ("number add", "masking", "sandbox")
    assert done["counts"] == {**NONE, "changed": 3}
    assert job(f"number add masking {numbers} +14155550199", 6)["counts"] == {
        **NONE,
        "unchanged": 3,
        "failed": 1,
    }
    refused = job(f"number reserve masking {numbers}", 5)
    assert (refused["counts"], refused["error"]["kind"]) == (NONE, "refused")
    assert job(f"number reserve masking {numbers} --dry-run --allow no-unreserved")["counts"] == NONE
    assert job("number release nope -f /nowhere", 2)["service"] == "nope"
    assert job("number release maskign +14155550100", 4)["error"]["hint"] == "Did you mean masking?"
    assert job("history undo last", 2)["error"]["kind"] == "usage"


def test_checks_count_what_they_found(job: Job, tmp_path: Path) -> None:
    numbers = [row["phone_number"] for row in job.cli.seed(2)]
    fill(job.cli, "masking", numbers)
    status = job("pool status --all --fail-below 5", 8)
    assert status["counts"] == {
        "services": 1,
        "reserved": 2,
        "unreserved": 0,
        "in_use": 0,
        "sessions": 0,
        "warnings": 0,
    }
    assert set(job("pool audit masking", 8)["counts"]) == {"error", "warning", "info"}
    file = tmp_path / "pool.toml"
    file.write_text("version = 1\n[services.masking]\ndefault_ttl = 7\n")
    plan = job(f"pool plan {file} --exit-code", 8)
    assert (plan["service"], plan["counts"]["update"], plan["counts"]["refused"]) == ("masking", 1, 0)
    assert job(f"pool plan {tmp_path}/none.toml", 2)["counts"] == {}


def test_a_lock_an_outage_and_an_interruption(remote: Cli, server: Served) -> None:
    job = Job(remote)
    sid = remote.ok("service", "create", "masking", "-o", "json").json["sid"]
    (number,) = (row["phone_number"] for row in remote.seed(1))
    account = remote.ok("service", "show", "masking", "-o", "json").json["account_sid"]
    with hold(remote.directory / "state" / "locks", account, [sid], "another"):
        assert job(f"number add masking {number}", 7)["error"]["kind"] == "locked"
    server.policies.faults = FaultPlan({"503": 1.0}, seed=1)
    assert job(f"number add masking {number} --retries 0", 7)["error"]["status"] == 503
    arrivals = Arrivals()
    server.policies.faults, server.policies.latency = FaultPlan(script=[arrivals.entry()]), 0.3
    process = remote.process("number", "add", "masking", number, "--summary-json", str(job.file))
    assert arrivals.wait(1)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    stopped = job.read(Ran(process.returncode, out.decode(), err.decode()))
    assert (stopped["exit_code"], stopped["error"]["kind"]) == (143, "interrupted")


def test_it_is_written_in_one_step_or_refused_before_anything_is_sent(job: Job) -> None:
    job("service create masking")
    job.file.chmod(0o600)
    inode = job.file.stat().st_ino
    job("service update masking --default-ttl 9")
    assert job.file.stat().st_ino != inode, "replaced, not written over"
    before = job.file.read_text()
    assert (
        job.cli("service", "update", "masking", "--default-ttl", "x", "--summary-json", str(job.file)).code
        == 2
    )
    assert job.file.read_text() == before, "it was not parsed"
    link = job.file.with_name("link")
    link.symlink_to(job.file)
    for wrong in (link, job.cli.directory, job.file / "x"):
        ran = job.cli("service", "update", "masking", "--default-ttl", "8", "--summary-json", str(wrong))
        assert (ran.code, "--summary-json" in ran.err) == (2, True)
    assert job.file.read_text() == before
    numbers = job.file.with_name("numbers.csv")
    numbers.write_text("+14155550100\n")
    ran = job.cli("number", "add", "masking", "-f", str(numbers), "--summary-json", str(numbers))
    assert (ran.code, numbers.read_text()) == (2, "+14155550100\n")
    assert job.cli.ok("service", "show", "masking", "-o", "json").json["default_ttl"] == 9


# The script of the topic

TOOLS = [name for name in ("sh", "jq", "curl") if shutil.which(name) is None]


@pytest.mark.skipif(bool(TOOLS) and not os.environ.get("CI"), reason=f"there is no {', '.join(TOOLS)}")
def test_the_script_of_the_cron_topic_runs(cli: Cli, tmp_path: Path) -> None:
    sids = [row["sid"] for row in cli.seed(3)]
    cli.ok("service", "create", "masking-prod")
    cli.ok("number", "add", "masking-prod", *sids[:2])
    pings: list[str] = []

    def handle(connection: socket.socket) -> None:
        request = read_request(connection).decode()
        pings.append(request)
        connection.sendall(http(b"OK"))

    (script,) = (
        block.text for block in topic("cron").blocks if block.kind == "code" and block.text.startswith("#!")
    )
    program = tmp_path / "bin" / "proxyctl"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m proxyctl "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (tmp_path / "reserved.csv").write_text(f"{sids[0]}\n{sids[2]}\n")
    with raw_server(handle) as port:
        for ours, there in (
            ("https://hc-ping.com", f"http://127.0.0.1:{port}"),
            ("/var/lib/proxyctl", str(tmp_path)),
            ("/var/lib/node_exporter", str(tmp_path)),
            ("/srv/", f"{tmp_path}/"),
            ("PROXYCTL_PROFILE=prod", "PROXYCTL_PROFILE=sandbox"),
        ):
            assert ours in script
            script = script.replace(ours, there)
        environ = cli.environ | {
            "PATH": f"{program.parent}:{cli.environ['PATH']}",
            "PYTHONPATH": str(REPOSITORY),
        }
        ran = subprocess.run(["sh", "-c", script], env=environ, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 6, ran.stderr
    assert pings[0].startswith("POST /UUID/6 ")
    lines = (tmp_path / "reserve.prom").read_text().splitlines()
    assert 'proxyctl_exit_code{verb="number reserve"} 6' in lines
    assert 'proxyctl_changed{verb="number reserve"} 1' in lines
    assert 'proxyctl_failed{verb="number reserve"} 1' in lines
    assert all(re.fullmatch(r'proxyctl_[a-z_]+\{verb="number reserve"\} [\d.]+', line) for line in lines)
