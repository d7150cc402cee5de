"""Where a workload takes place: the bare server and the measured program, each a process of its own, and what the
system knows of them at their end.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from tests.benchmarks.bare_server import ACCOUNT_SID, Ledger, Settings, number_sid

REPOSITORY = Path(__file__).parent.parent.parent
AUTH_TOKEN = "a-token-of-no-account"
WHOLE_POOLS = ("--allow", "no-unreserved", "--allow", "lose-half")  # that leave no unreserved number


@dataclass(frozen=True)
class Ended:
    """What is known of a process that has ended: exit code, wall and processor seconds, peak memory in MB (10^6).

    ``lines``: how many lines it printed. ``err``: its stderr.
    """

    code: int
    seconds: float
    cpu: float
    peak: float
    lines: int
    out: str
    err: str


def run(command: Sequence[str], environ: dict[str, str], *, keep: bool = False, stdin: str = "") -> Ended:
    """Run ``command`` to its end. Its stdout is counted as it comes, and kept only where ``keep`` asks for it.

    The system starts a child's peak memory from its parent's: this process has to stay small.
    """
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as err:
        given.write(stdin.encode())
        given.seek(0)
        started = time.perf_counter()
        with subprocess.Popen(
            command, env=environ, cwd=REPOSITORY, stdin=given, stdout=subprocess.PIPE, stderr=err
        ) as process:
            assert process.stdout is not None
            lines, out = _drain(process.stdout, keep)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - started
        err.seek(0)
        text = err.read().decode()
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
    return Ended(process.returncode, seconds, usage.ru_utime + usage.ru_stime, peak, lines, out, text)


def _drain(stream: IO[bytes], keep: bool) -> tuple[int, str]:
    lines, kept = 0, []
    while chunk := os.read(stream.fileno(), 1 << 20):
        lines += chunk.count(b"\n")
        if keep:
            kept.append(chunk)
    return lines, b"".join(kept).decode()


@dataclass
class Program:
    """proxyctl, with an environment and a state directory of its own."""

    directory: Path
    environ: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.directory),
            "PROXYCTL_CONFIG": str(self.directory / "config.toml"),
            "PROXYCTL_STATE_DIR": str(self.directory / "state"),
            **self.environ,
        }

    def __call__(self, *arguments: str, keep: bool = False) -> Ended:
        """Run a command line, which must succeed."""
        ended = run([sys.executable, "-m", "proxyctl", *arguments], self.environ, keep=keep)
        if ended.code != 0:
            raise RuntimeError(f"proxyctl {' '.join(arguments)} ended with {ended.code}: {ended.err}")
        return ended

    def file(self, indices: range) -> str:
        """Write the SIDs of generated numbers to a file that -f takes."""
        path = self.directory / "numbers.txt"
        path.write_text("".join(f"{number_sid(index)}\n" for index in indices))
        return str(path)


@contextmanager
def program(url: str | None = None) -> Iterator[Program]:
    """proxyctl in a temporary directory; with ``url``, as a user of the server there."""
    environ = credentials(url) if url else {}
    with tempfile.TemporaryDirectory(prefix="proxyctl-bench-") as directory:
        yield Program(Path(directory), environ)


def credentials(url: str) -> dict[str, str]:
    """The environment of a user of the server at ``url``."""
    return {"PROXYCTL_BASE_URL": url, "TWILIO_ACCOUNT_SID": ACCOUNT_SID, "TWILIO_AUTH_TOKEN": AUTH_TOKEN}


class Server:
    """The bare server, running."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self.process = process
        self.url = f"http://127.0.0.1:{int(process.stdout.readline())}"

    def end(self) -> Ledger:
        """End it; returns what it saw."""
        out, _ = self.process.communicate()
        return Ledger(**json.loads(out))


@contextmanager
def server(settings: Settings) -> Iterator[Server]:
    """A bare server; ``end`` it for its ledger."""
    command = [sys.executable, "-m", "tests.benchmarks.bare_server", json.dumps(asdict(settings))]
    with subprocess.Popen(
        command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Server(process)
        finally:
            if process.poll() is None:
                process.kill()
