"""Sessions as commands read them: `sandbox serve` within the documented window, which answers after 80 ms."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from proxyctl.sandbox.behaviour import ACCOUNT_SID, AUTH_TOKEN
from proxyctl.sandbox.server.rate_limit import BURST, WINDOW
from proxyctl.sandbox.world.store import Store
from tests.benchmarks.figures import Figure, at_most
from tests.benchmarks.many_sessions import fill
from tests.benchmarks.stage import REPOSITORY, program

LATENCY = 0.08
MOST_MEMORY = 60
EVERY = 5  # is active


def reading(quick: bool) -> Iterator[Figure]:
    """`session list` of 10,000 Sessions, with the participants of the 2,000 that are active."""
    sessions = 2_500 if quick else 10_000
    active, pages = sessions // EVERY, -(-sessions // 100)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "sandbox.db"
        with Store(path) as store:
            fill(store, sessions, services=1, now=int(time.time()), every=EVERY)
        command = [sys.executable, "-m", "proxyctl", "sandbox", "serve", "--database", str(path)]
        command += ["--port", "0", "-q", "--latency", str(LATENCY * 1000)]
        with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as served:
            try:
                assert served.stdout is not None
                with program(served.stdout.readline().strip()) as proxyctl:
                    proxyctl.environ |= {"TWILIO_ACCOUNT_SID": ACCOUNT_SID, "TWILIO_AUTH_TOKEN": AUTH_TOKEN}
                    alone = proxyctl("session", "list", "many-0", "-o", "ids")
                    line = ("session", "list", "many-0", "--active", "--with-participants", "-o", "jsonl")
                    ended = proxyctl(*line)
            finally:
                served.terminate()
    if (alone.lines, ended.lines) != (sessions, active):
        raise RuntimeError(f"{ended.lines} of {active} Sessions came, {alone.lines} of {sessions} in all")
    bound = alone.seconds + WINDOW * ((active - 1) // BURST)
    name = f"session list --with-participants: {active:,} of {sessions:,}, 80 ms"
    told = f"{pages} pages take {alone.seconds:.1f} s, {ended.cpu:.1f} s of processor"
    ratio = ended.seconds / bound
    yield Figure(f"{name}: time", f"{ended.seconds:.1f} s", f"{bound:.1f} s", ratio, at_most(1.05), told)
    memory = ended.peak / MOST_MEMORY
    yield Figure(f"{name}: memory", f"{ended.peak:.0f} MB", f"{MOST_MEMORY} MB", memory, at_most(1.0))
