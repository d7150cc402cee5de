"""Real shells in a pseudo-terminal: keys go in, and what the terminal shows is read until it says what is expected."""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

from tests.support import REPOSITORY

LONGEST_WAIT = 30.0  # seconds; only a failing test waits that long
SHELLS = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "-i"],
}
# Runs a shell whose own terminal is its stdin; a fork in a process with threads would be warned about.
TAKE_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execvp(sys.argv[1], sys.argv[1:])"
)
# A short prompt, and nothing that pages, asks or beeps.
SETUP = {
    "bash": "PS1='> '; bind 'set enable-bracketed-paste off' 'set bell-style none'; "
    "bind 'set show-all-if-ambiguous on'; bind 'set completion-query-items 0'; "
    "bind 'set page-completions off'; source <(proxyctl completion bash)",
    "zsh": "PS1='> '; unsetopt beep zle_bracketed_paste prompt_sp list_ambiguous; LISTMAX=0; "
    "source <(proxyctl completion zsh)",
    "fish": "function fish_prompt; echo '> '; end; set -g fish_autosuggestion_enabled 0; "
    "proxyctl completion fish | source",
}
ESCAPES = re.compile(
    r"\x1b(\[[0-9;?>=]*[a-zA-Z]|\][^\x07\x1b]*(\x07|\x1b\\)|[()][A-Z0-9]|[=>78])|[\r\x07\x0f]"
)


def installed(shell: str) -> bool:
    """Whether ``shell`` is here; where CI is set it has to be."""
    there = shutil.which(shell) is not None
    assert there or not os.environ.get("CI"), f"{shell} is not installed"
    return there


def program(directory: Path) -> Path:
    """Make a directory for PATH whose `proxyctl` completes as this checkout does, and else shows its arguments."""
    directory.mkdir()
    file = directory / "proxyctl"
    file.write_text(
        f"""#!/bin/sh
if [ -n "$_PROXYCTL_COMPLETE" ] || [ "$1" = completion ]; then
    PYTHONPATH={REPOSITORY} exec {sys.executable} -m proxyctl "$@"
fi
printf '<%s>' "$@"
printf '<end>\\n'
"""
    )
    file.chmod(0o755)
    return directory


class Terminal:
    """A shell in a terminal in which `proxyctl` completes."""

    def __init__(self, shell: str, environ: dict[str, str], directory: Path) -> None:
        self.seen = ""
        self.descriptor, terminal = os.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", TAKE_TERMINAL, *SHELLS[shell]],
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            cwd=directory,
            env=environ,
            start_new_session=True,
        )
        os.close(terminal)
        self.type(f" stty rows 50 columns 200; {SETUP[shell]}; echo re''ady\n")
        self.wait("ready\n")

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.descriptor)

    def type(self, keys: str) -> None:
        """Press these keys."""
        os.write(self.descriptor, keys.encode())

    def wait(self, pattern: str) -> str:
        """Read until ``pattern`` shows; return all that was shown up to there, and forget it."""
        end = time.monotonic() + LONGEST_WAIT
        while (found := re.search(pattern, self.seen)) is None:
            assert time.monotonic() < end, f"{pattern!r} did not come: {self.seen!r}"
            ready, _, _ = select.select([self.descriptor], [], [], 0.2)
            if ready:
                self.seen += ESCAPES.sub("", os.read(self.descriptor, 65536).decode("utf-8", "replace"))
        shown, self.seen = self.seen[: found.end()], self.seen[found.end() :]
        return shown

    def arguments(self, line: str) -> list[str]:
        """Type ``line``, press TAB and Enter; return the arguments that the shell gave to proxyctl then."""
        self.type(f"{line}\t\n")
        shown = self.wait(r"(<[^\n]*>)<end>\n")
        text = shown[: -len("<end>\n")].rpartition("\n")[2]
        return text[text.index("<") + 1 : -1].split("><")

    def offers(self, line: str, *patterns: str) -> None:
        """Type ``line``, press TAB, wait until all ``patterns`` show, and run what stands there."""
        self.type(f"{line}\t")
        self.wait("(?s)\\A" + "".join(f"(?=.*{pattern})" for pattern in patterns) + ".*")
        self.type("\n")
        self.wait("<end>\n")
