"""`sandbox exec`: a command with a served sandbox of its own, as a process."""

from __future__ import annotations

import os
import pty
import signal
import stat
import sys
from pathlib import Path

import pytest

from proxyctl.sandbox.context import ACCOUNT_SID
from tests.support import Cli

CHECK = """
import os, sys, urllib.request
url = os.environ["PROXYCTL_BASE_URL"]
sys.stdout.write(urllib.request.urlopen(url + "/_sandbox/health").read().decode())
print(sys.stdin.read(), *sorted(name for name in os.environ if name.startswith("TWILIO_")))
print(os.environ["TWILIO_ACCOUNT_SID"], os.environ["PROXYCTL_SANDBOX_DATABASE"])
sys.exit(7)
"""
# Says that it waits, and then how often a signal came within the time of a second one.
TRAP = """
import signal, sys, time
came = []
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, lambda number, frame: came.append(number))
print("waiting", flush=True)
while not came:
    time.sleep(0.01)
time.sleep(0.1)
print("came", *came, flush=True)
sys.exit(came[0])
"""


def test_the_command_finds_a_sandbox_that_is_ready(bare: Cli, tmp_path: Path) -> None:
    environ = {**bare.environ, "TWILIO_API_KEY": "SK1", "TWILIO_REGION": "ie1", "TMPDIR": str(tmp_path)}
    ran = bare.run_process("sandbox", "exec", "--", sys.executable, "-c", CHECK, stdin=b"in", env=environ)
    assert ran.code == 7 and ran.err == ""
    health, _, database = ran.out.partition(ACCOUNT_SID)
    assert health == '{"status": "ok"}in TWILIO_ACCOUNT_SID TWILIO_AUTH_TOKEN\n'
    assert Path(database.strip()).parent.parent == tmp_path and list(tmp_path.glob("proxyctl-*")) == []


def test_commands_within_use_the_same_account_which_may_be_kept(bare: Cli, tmp_path: Path) -> None:
    proxyctl = f"{sys.executable} -m proxyctl"
    script = f"{proxyctl} sandbox seed --numbers 2 -q && {proxyctl} number list --unassigned --count"
    kept = tmp_path / "kept.db"
    ran = bare.run_process("sandbox", "exec", "--database", str(kept), "sh", "-c", script)
    assert (ran.code, ran.out, ran.err) == (0, "2\n", "")
    assert bare.ok("sandbox", "status", "--database", str(kept), "-o", "json").json["numbers"] == 2
    named = {"PROXYCTL_SANDBOX_DATABASE": str(kept)}
    assert bare("sandbox", "status", "-o", "json", environ=named).json["numbers"] == 2
    assert bare.ok("sandbox", "status", "-o", "json").json["numbers"] == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_go_to_the_command(bare: Cli, number: signal.Signals) -> None:
    with bare.process("sandbox", "exec", "--", sys.executable, "-c", TRAP, start_new_session=True) as process:
        assert process.stdout is not None and process.stdout.readline() == b"waiting\n"
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (number, b"came %d\n" % number, b"")


def test_ctrl_c_comes_once(bare: Cli) -> None:
    arguments = [sys.executable, "-m", "proxyctl", "sandbox", "exec", "--", sys.executable, "-c", TRAP]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(sys.executable, arguments, bare.environ)
    with os.fdopen(terminal, "rb+", buffering=0) as screen:
        while b"waiting" not in screen.read(1000):
            pass
        screen.write(b"\x03")
        seen = b""
        while b"came" not in seen:
            seen += screen.read(1000)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == signal.SIGINT
    assert seen.partition(b"came")[2].split() == [b"2"]


def test_a_command_that_a_signal_ends(bare: Cli) -> None:
    assert bare.run_process("sandbox", "exec", "--", "sh", "-c", "kill -KILL $$").code == 137


def test_a_command_that_can_not_be_run(bare: Cli, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("#!/bin/sh\n")
    for command, code in (("./no-such-program", 127), (str(plain), 126)):
        ran = bare("sandbox", "exec", "--", command, "-o", "json")
        assert (ran.code, ran.out) == (code, "")
        assert ran.err.startswith(f"proxyctl: {command} can't be run: "), ran.err
    assert bare("sandbox", "exec").code == 2
    plain.chmod(plain.stat().st_mode | stat.S_IXUSR)
    assert bare("sandbox", "exec", "--", str(plain)).code == 0
