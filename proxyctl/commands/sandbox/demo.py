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
        "A Twilio account owns phone numbers. The sandbox gets 500, written to a file:",
        "sandbox seed --numbers 500 --seed 1 -o csv",
        into="numbers.csv",
    ),
    Step(
        "A Service holds the configuration and a pool of numbers:",
        "--sandbox service create demo-masking --default-ttl 3600 --geo-match-level area-code",
    ),
    Step(
        "The main job: put all 500 into its pool, reserved, so that Proxy never picks them by itself:",
        "--sandbox number reserve demo-masking -f numbers.csv --add",
        rows=False,
    ),
    Step(
        "What the pool holds now, and how many of them are reserved:",
        "--sandbox number list demo-masking --limit 5",
    ),
    Step("", "--sandbox number list demo-masking --reserved --count"),
    Step(
        "The same command again finds nothing left to do. So it may be left to cron, or run after a crash:",
        "--sandbox number reserve demo-masking -f numbers.csv --add",
        rows=False,
    ),
    Step(
        "A script reads JSON, or asks for the fields it needs:",
        "--sandbox number list demo-masking --limit 3 -o jsonl --fields phone_number,is_reserved,in_use",
    ),
    Step(
        "Deleting a Service frees its numbers; without --yes it shows what would go, and asks for the name:",
        "--sandbox service delete demo-masking --yes",
    ),
)


def run_demo(runtime: Runtime) -> None:
    """Run all steps in a directory and a sandbox of their own, which are gone at the end."""
    say(runtime, "proxyctl demo: every line that starts with $ is a command that you can type yourself.\n")
    with tempfile.TemporaryDirectory(prefix="proxyctl-demo-") as directory, working_in(directory):
        for step in STEPS:
            run_step(runtime, step, directory)
    say(runtime, "That was all of it, on a sandbox that is gone now. Yours is kept between runs:")
    say(runtime, "  proxyctl sandbox seed --numbers 500 -o csv > numbers.csv")
    say(runtime, "and 'proxyctl auth login' brings your own account. 'proxyctl -h' lists the commands.")


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
        raise Interrupted(code - 128, "the demo was interrupted; its sandbox is gone.")
    if code:
        raise ProxyctlError(f"the demo stopped: its step ended with exit code {code}.")
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
