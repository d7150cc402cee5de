"""`python -m proxyctl.generate`: write what is generated anew; with `--check`, only say what is stale."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

SCRIPTS = {
    "bash": "proxyctl.bash",
    "zsh": "_proxyctl",
    "fish": "proxyctl.fish",
}  # as each shell searches for it
REPOSITORY = Path(__file__).parent.parent.parent


def generated() -> dict[str, str]:
    """Return every generated file: path from the repository's root, and text."""
    from proxyctl.completion.shells import script
    from proxyctl.generate import manpages
    from proxyctl.generate.walk import command_tree

    scripts = {f"completions/{name}": script(shell) for shell, name in SCRIPTS.items()}
    return {**scripts, **manpages.files(command_tree())}


def surplus(wanted: dict[str, str]) -> list[Path]:
    """Return the files beside generated ones that nothing generates any more."""
    there = (path for folder in ("man", "completions") for path in (REPOSITORY / folder).rglob("*"))
    return [path for path in there if path.is_file() and str(path.relative_to(REPOSITORY)) not in wanted]


def main(argv: Sequence[str] | None = None) -> int:
    """Write or check all generated files; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m proxyctl.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, and exit 1 if a file is stale")
    check = parser.parse_args(argv).check
    wanted = generated()
    stale = [path for path, text in wanted.items() if text_of(REPOSITORY / path) != text]
    extra = surplus(wanted)
    for name in (*stale, *(str(path.relative_to(REPOSITORY)) for path in extra)):
        sys.stdout.write(f"{name} {'is stale' if check else 'was written'}\n")
    if check:
        return 1 if stale or extra else 0
    for name in stale:
        (REPOSITORY / name).parent.mkdir(parents=True, exist_ok=True)
        (REPOSITORY / name).write_text(wanted[name], encoding="utf-8")
    for path in extra:
        path.unlink()
    return 0


def text_of(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main())
