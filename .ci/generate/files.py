"""The generated files of the repository: what they hold, and which of them are stale."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import manpages

from proxyctl.commands.help import command_tree
from proxyctl.completion.shells import script

# As each shell searches for it.
SCRIPTS = {"bash": "proxyctl.bash", "zsh": "_proxyctl", "fish": "proxyctl.fish"}
REPOSITORY = Path(__file__).parent.parent.parent


def generated() -> dict[str, str]:
    """Return every generated file: path from the repository's root, and text."""
    scripts = {f"completions/{name}": script(shell) for shell, name in SCRIPTS.items()}
    return {**scripts, **manpages.files(command_tree())}


def main(argv: Sequence[str]) -> int:
    """Write all generated files, and delete what is no longer; or check them. Returns the exit code."""
    check = "--check" in argv
    wanted = generated()
    files = [
        path
        for folder in ("man", "completions")
        for path in (REPOSITORY / folder).rglob("*")
        if path.is_file()
    ]
    there = {str(path.relative_to(REPOSITORY)): path.read_text(encoding="utf-8") for path in files}
    stale = sorted(name for name in {*wanted, *there} if wanted.get(name) != there.get(name))
    for name in stale:
        sys.stdout.write(f"{name} {'is stale' if check else 'was written'}\n")
        path = REPOSITORY / name
        if not check and name in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[name], encoding="utf-8")
        elif not check:
            path.unlink()
    return 1 if check and stale else 0
