"""`proxyctl sandbox demo`: the main job, step by step, by the very commands that a newcomer can type. They stand with
their narration in `demo.txt`.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import tempfile
from collections.abc import Iterator
from pathlib import Path

from proxyctl.errors import Interrupted, ProxyctlError
from proxyctl.roles import lines_of
from proxyctl.runtime import Runtime

SCRIPT = Path(__file__).with_name("demo.txt")


def run_demo(runtime: Runtime) -> None:
    """Run all steps in a directory and a sandbox of their own, which are gone at the end."""
    with tempfile.TemporaryDirectory(prefix="proxyctl-demo-") as directory, working_in(directory):
        for text in SCRIPT.read_text(encoding="utf-8").splitlines():
            runtime.out.lines(lines_of(text))
            if text.startswith("$ "):
                run_step(runtime, text, directory)


def run_step(runtime: Runtime, typed: str, directory: str) -> None:
    """Run one command; a step that fails ends the demo with its error."""
    from proxyctl.cli import main

    command, _, into = typed.partition(" > ")
    words = shlex.split(command)[2:]
    ours = ("PROXYCTL_", "TWILIO_")
    kept = {name: value for name, value in runtime.environ.items() if not name.startswith(ours)}
    environ = {
        **kept,
        "PROXYCTL_STATE_DIR": directory,
        "PROXYCTL_OUTPUT": "table",
        "PROXYCTL_CONFIG": str(Path(directory) / "config.toml"),
        "XDG_CACHE_HOME": str(Path(directory) / "cache"),  # or TAB would offer the demo's Service
    }
    with contextlib.ExitStack() as stack:
        stdout = runtime.stdout
        # A terminal shows no rows of a bulk verb, so none go into a pipe either.
        if into or ("-f" in words and not runtime.console.terminal.stdout):
            stdout = stack.enter_context(open(into or os.devnull, "w", encoding="utf-8"))
        code = main(
            words,
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
