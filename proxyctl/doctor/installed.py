"""What is installed around the program: its interpreter and packages, the terminal, completions and man pages."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from proxyctl import __version__
from proxyctl.doctor import CheckResult, ok, warning

if TYPE_CHECKING:
    from proxyctl.runtime import Runtime

PACKAGES = ("typer", "rich", "httpx", "httpcore", "platformdirs", "tomli-w", "phonenumberslite")
SWITCH_ON = {
    "bash": "echo 'source <(proxyctl completion bash)' >> ~/.bashrc",
    "zsh": "echo 'source <(proxyctl completion zsh)' >> ~/.zshrc",
    "fish": "proxyctl completion fish > ~/.config/fish/completions/proxyctl.fish",
}
# Where systems keep what programs share.
SYSTEM_SHARES = (Path("/usr/local/share"), Path("/usr/share"))


def program(environ: Mapping[str, str]) -> CheckResult:
    """Check that the ``proxyctl`` which the shell finds is the one that runs."""
    scripts = Path(sys.prefix) / "bin"
    here = f"proxyctl {__version__} in {Path(__file__).parent.parent}"
    found = shutil.which("proxyctl", path=environ.get("PATH", os.defpath))
    if found and Path(found).resolve().parent != scripts.resolve():
        return warning(
            "program",
            f"{here}. PATH finds another first: {found}",
            f"Remove that one, or put {scripts} before it in PATH.",
        )
    if not found and (scripts / "proxyctl").exists():
        return warning("program", f"{here}. It is not in PATH", f'Run: export PATH="{scripts}:$PATH"')
    return ok("program", f"{here}, started as {found or 'python -m proxyctl'}")


def python() -> CheckResult:
    """Name the interpreter and the packages."""
    versions = ", ".join(f"{name} {version_of(name)}" for name in PACKAGES)
    system = f"{platform.system()} {platform.machine()}"
    return ok(
        "python", f"{platform.python_implementation()} {platform.python_version()} on {system}, {versions}"
    )


def version_of(package: str) -> str:
    """Return the version of a package that is installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "(not installed as a package)"


def terminal(runtime: Runtime) -> CheckResult:
    """Say how output is printed here, and why."""
    encoding = (getattr(runtime.stdout, "encoding", None) or "unknown").upper()
    if not runtime.console.terminal.stdout:
        return ok("terminal", f"none: output is {runtime.format}, in {encoding}")
    colour = "with colour" if runtime.console.color_on(True) else f"without colour ({why_plain(runtime)})"
    detail = f"{runtime.console.width} columns, {encoding}, {colour}, output is {runtime.format}"
    if runtime.console.ascii_only and runtime.environ.get("TERM") != "dumb":
        return warning("terminal", f"{detail}. Signs are ASCII", "Run: export LC_ALL=C.UTF-8")
    return ok("terminal", detail)


def why_plain(runtime: Runtime) -> str:
    """Return what turned colour off."""
    if runtime.options.color == "never":
        return "--color never"
    return "NO_COLOR" if runtime.environ.get("NO_COLOR") else "TERM=dumb"


def completions(environ: Mapping[str, str]) -> CheckResult:
    """Find the completions of the user's shell, where it reads them."""
    shell = Path(environ.get("SHELL", "")).name
    if shell not in SWITCH_ON:
        return ok("completions", f"none needed: SHELL is none of {', '.join(SWITCH_ON)}")
    found = next((path for path in completion_files(shell, environ) if completes_proxyctl(path)), None)
    if found is None:
        return warning("completions", f"none found for {shell}", f"Run: {SWITCH_ON[shell]}")
    return ok("completions", f"{shell}: {found}")


def completion_files(shell: str, environ: Mapping[str, str]) -> list[Path]:
    """Return the files by which ``shell`` may complete proxyctl: those it loads, and those it runs as it starts."""
    home = Path(environ.get("HOME") or "/")
    if shell == "bash":
        started = [home / name for name in (".bashrc", ".bash_profile", ".profile")]
        loaded = [share / "bash-completion/completions/proxyctl" for share in shares(environ)]
        return [*loaded, Path("/etc/bash_completion.d/proxyctl"), *started]
    if shell == "zsh":
        folders = [
            share / "zsh/site-functions" for share in (*beside_programs(environ, shell), *SYSTEM_SHARES)
        ]
        folders += [Path("/usr/share/zsh/vendor-completions"), *paths_in(environ.get("FPATH"))]
        started = [Path(environ.get("ZDOTDIR") or home) / ".zshrc"]
        return [*(folder / "_proxyctl" for folder in folders), *started]
    own = Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "fish"
    shared = (*user_shares(environ), *beside_programs(environ, shell))
    folders = [share / "fish/vendor_completions.d" for share in shared]
    folders += [Path("/etc/fish/completions"), own / "completions"]
    return [*(folder / "proxyctl.fish" for folder in folders), own / "config.fish"]


def completes_proxyctl(path: Path) -> bool:
    """Whether a file completes proxyctl, or asks proxyctl how to."""
    try:
        text = path.read_bytes()[: 2**20]
    except OSError:
        return False
    return b"proxyctl completion" in text or b"_PROXYCTL_COMPLETE" in text


def shares(environ: Mapping[str, str]) -> list[Path]:
    """Return the ``share`` directories: the user's, the system's, and those beside the programs on PATH."""
    return [*user_shares(environ), *beside_programs(environ)]


def user_shares(environ: Mapping[str, str]) -> list[Path]:
    """Return the ``share`` directories that the environment names: the user's, and the system's."""
    home = environ.get("HOME")
    own = environ.get("XDG_DATA_HOME") or (f"{home}/.local/share" if home else None)
    system = environ.get("XDG_DATA_DIRS")
    return [*paths_in(own), *(paths_in(system) if system else SYSTEM_SHARES)]


def beside_programs(environ: Mapping[str, str], program: str = "") -> list[Path]:
    """Return the ``share`` directories beside the directories on PATH; with ``program``, of those that hold it."""
    folders = paths_in(environ.get("PATH", os.defpath))
    return [
        path.parent / "share"
        for path in folders
        if path.name in ("bin", "sbin") and (not program or (path / program).exists())
    ]


def paths_in(text: str | None) -> list[Path]:
    """Return the paths that a variable such as PATH lists."""
    return [Path(part) for part in (text or "").split(os.pathsep) if part]


def man_pages(environ: Mapping[str, str]) -> CheckResult:
    """Find the man pages where man reads them: in MANPATH, and beside the programs on PATH."""
    folders = [*paths_in(environ.get("MANPATH")), *(share / "man" for share in shares(environ))]
    pages = [folder / "man1" / name for folder in folders for name in ("proxyctl.1", "proxyctl.1.gz")]
    found = next((page for page in pages if page.is_file()), None)
    if found is not None:
        return ok("man pages", str(found))
    ours = Path(sys.prefix) / "share" / "man"
    hint = "'proxyctl help' shows the same."
    if (ours / "man1" / "proxyctl.1").is_file():
        hint = f'Run: export MANPATH="{ours}:$MANPATH"'
    return warning("man pages", "none found where man reads them", hint)
