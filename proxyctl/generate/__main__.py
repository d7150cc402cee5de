"""`python -m proxyctl.generate`: write what is generated anew; with `--check`, only say what is stale."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent.parent
TABLE = "# Written by python -m proxyctl.generate.\n[tool.hatch.build.targets.wheel.shared-data]\n"


def generated() -> dict[str, str]:
    """Return every generated file: path from the repository's root, and text."""
    from proxyctl.generate import completions, manpages
    from proxyctl.generate.walk import command_tree

    root = command_tree()
    found = {**completions.files(root), **manpages.files(root)}
    project = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    return {**found, "pyproject.toml": with_shared_data(project, sorted(found))}


def with_shared_data(project: str, paths: Sequence[str]) -> str:
    """Return pyproject.toml with the table that says where the wheel puts completions and man pages."""
    before, table, rest = project.partition(TABLE)
    if not table:
        raise SystemExit(f"pyproject.toml has no {TABLE.strip()}")
    others = rest.splitlines(keepends=True)
    while others and others[0].strip():
        others.pop(0)
    lines = [f'"{path}" = "{place}"\n' for path in paths if (place := place_of(path))]
    return "".join((before, table, *lines, *others))


def place_of(path: str) -> str:
    """Return where a file goes below an installation's prefix, '' for those that are part of the package."""
    folder, _, name = path.rpartition("/")
    if folder == "man":
        return f"share/man/man{name[-1]}/{name}"
    if folder != "completions":
        return ""
    return {
        "proxyctl.bash": "share/bash-completion/completions/proxyctl",
        "_proxyctl": "share/zsh/site-functions/_proxyctl",
        "proxyctl.fish": "share/fish/vendor_completions.d/proxyctl.fish",
    }[name]


def surplus(wanted: dict[str, str]) -> list[Path]:
    """Return the files beside generated ones that nothing generates any more."""
    there = (path for folder in ("man", "completions") for path in (REPOSITORY / folder).glob("*"))
    return [path for path in there if str(path.relative_to(REPOSITORY)) not in wanted]


def main(argv: Sequence[str] | None = None) -> int:
    """Write or check all generated files; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m proxyctl.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where something is stale")
    check = parser.parse_args(argv).check
    wanted = generated()
    stale = [path for path, text in wanted.items() if text_of(REPOSITORY / path) != text]
    extra = surplus(wanted)
    for name in (*stale, *(str(path.relative_to(REPOSITORY)) for path in extra)):
        sys.stdout.write(f"{name} {'is stale' if check else 'was written'}\n")
    if check:
        return 1 if stale or extra else 0
    for name in stale:
        (REPOSITORY / name).parent.mkdir(exist_ok=True)
        (REPOSITORY / name).write_text(wanted[name], encoding="utf-8")
    for path in extra:
        path.unlink()
    return 0


def text_of(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main())
