"""`proxyctl sandbox demo`: the main job, step by step, by the very commands that a newcomer can type."""

from __future__ import annotations

import contextlib
import os
import shlex
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from proxyctl.errors import Interrupted, ProxyctlError
from proxyctl.roles import lines_of
from proxyctl.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Step:
    """A command with the words that go before it; ``into`` is the file its output goes to."""

    words: str
    command: str
    into: str | None = None
    rows: bool = True  # False: prints no rows at a terminal, so none go into a pipe either


STEPS = (
    Step(
        "A Twilio account owns phone numbers. Add 500 to the sandbox, and write them to a file:",
        "sandbox seed --numbers 500 --seed 1 -o csv",
        into="numbers.csv",
    ),
    Step(
        "A Service has settings and a pool of numbers. Create one:",
        "--sandbox service create demo-masking --default-ttl 3600 --geo-match-level area-code",
    ),
    Step(
        "Add all 500 to its pool as reserved. Proxy never assigns a reserved number:",
        "--sandbox number reserve demo-masking -f numbers.csv --add",
        rows=False,
    ),
    Step(
        "List the pool, and count the reserved numbers:",
        "--sandbox number list demo-masking --limit 5",
    ),
    Step("", "--sandbox number list demo-masking --reserved --count"),
    Step(
        "Run the same command again. It checks the pool and changes nothing, so cron can run it:",
        "--sandbox number reserve demo-masking -f numbers.csv --add",
        rows=False,
    ),
    Step(
        "A script reads JSON, and selects fields:",
        "--sandbox number list demo-masking --limit 3 -o jsonl --fields phone_number,is_reserved,in_use",
    ),
    Step(
        "Delete the Service. Its numbers become free. Without --yes you have to type its name:",
        "--sandbox service delete demo-masking --yes",
    ),
)


def run_demo(runtime: Runtime) -> None:
    """Run all steps in a directory and a sandbox of their own, which are gone at the end."""
    say(runtime, "proxyctl demo: each line that begins with $ is a command to type.")
    say(runtime, "")
    with tempfile.TemporaryDirectory(prefix="proxyctl-demo-") as directory, working_in(directory):
        for step in STEPS:
            run_step(runtime, step, directory)
    say(runtime, "This sandbox is deleted now. Your own is kept between runs:")
    say(runtime, "  proxyctl sandbox seed --numbers 500 -o csv > numbers.csv")
    say(runtime, "Run 'proxyctl auth login' to use your own account. 'proxyctl -h' lists the commands.")


def run_step(runtime: Runtime, step: Step, directory: str) -> None:
    """Show one command and run it; a step that fails ends the demo with its error."""
    from proxyctl.cli import main

    if step.words:
        say(runtime, step.words)
    say(runtime, f"$ proxyctl {step.command}{f' > {step.into}' if step.into else ''}")
    environ = {
        **{
            name: value
            for name, value in runtime.environ.items()
            if not name.startswith(("PROXYCTL_", "TWILIO_"))
        },
        "PROXYCTL_STATE_DIR": directory,
        "PROXYCTL_OUTPUT": "table",
        "PROXYCTL_CONFIG": str(Path(directory) / "config.toml"),
        "XDG_CACHE_HOME": str(Path(directory) / "cache"),  # or TAB would offer the demo's Service
    }
    runtime.out.flush()
    with contextlib.ExitStack() as stack:
        stdout = runtime.stdout
        if step.into or not (step.rows or runtime.console.terminal.stdout):
            stdout = stack.enter_context(open(step.into or os.devnull, "w", encoding="utf-8"))
        code = main(
            shlex.split(step.command),
            environ=environ,
            stdin=runtime.stdin,
            stdout=stdout,
            stderr=runtime.stderr,
            clock=runtime.clock,
        )
    if code > 128:
        raise Interrupted(code - 128, "the demo was interrupted. Its sandbox is deleted.")
    if code:
        raise ProxyctlError(f"the demo stopped: its step exited {code}.")
    say(runtime, "")


def say(runtime: Runtime, text: str) -> None:
    """Print a line of the narration."""
    runtime.out.lines(lines_of(text))


@contextlib.contextmanager
def working_in(directory: str) -> Iterator[None]:
    """Work in ``directory``, so that the commands shown are the commands run."""
    before = os.open(".", os.O_RDONLY)  # by descriptor: a directory that was removed has no path to return by
    try:
        os.chdir(directory)
        yield
    finally:
        os.fchdir(before)
        os.close(before)
