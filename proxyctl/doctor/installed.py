"""What is installed around the program: its interpreter and packages, the terminal, completions and man pages."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from proxyctl import __version__
from proxyctl.doctor.findings import Finding, good, warning

if TYPE_CHECKING:
    from proxyctl.runtime import Runtime

PACKAGES = ("typer", "rich", "httpx", "httpcore", "platformdirs", "tomli-w", "phonenumberslite")
SHELLS = ("bash", "zsh", "fish")
RC_FILES = {
    "bash": (".bashrc", ".bash_profile", ".profile"),
    "zsh": (".zshrc",),
    "fish": (".config/fish/config.fish",),
}
SWITCH_ON = {
    "bash": "echo 'source <(proxyctl completion bash)' >> ~/.bashrc",
    "zsh": "echo 'source <(proxyctl completion zsh)' >> ~/.zshrc",
    "fish": "proxyctl completion fish > ~/.config/fish/completions/proxyctl.fish",
}


def program(environ: Mapping[str, str]) -> Finding:
    """Look whether the ``proxyctl`` that the shell finds is the one that runs."""
    scripts = Path(sys.prefix) / "bin"
    here = f"proxyctl {__version__} in {Path(__file__).parent.parent}"
    found = shutil.which("proxyctl", path=environ.get("PATH", os.defpath))
    if found and Path(found).resolve().parent != scripts.resolve():
        return warning(
            "program",
            f"{here}; but PATH finds another first: {found}",
            f"Remove that one, or put {scripts} before it in PATH.",
        )
    if not found and (scripts / "proxyctl").exists():
        return warning("program", f"{here}; PATH has no proxyctl", f'Run: export PATH="{scripts}:$PATH"')
    return good("program", f"{here}, started as {found or 'python -m proxyctl'}")


def python() -> Finding:
    """Name the interpreter and the packages."""
    versions = ", ".join(f"{name} {version_of(name)}" for name in PACKAGES)
    system = f"{platform.system()} {platform.machine()}"
    return good(
        "python", f"{platform.python_implementation()} {platform.python_version()} on {system}; {versions}"
    )


def version_of(package: str) -> str:
    """Return the version of a package that is installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return "(not installed as a package)"


def terminal(runtime: Runtime) -> Finding:
    """Say what answers look like here, and why."""
    encoding = (getattr(runtime.stdout, "encoding", None) or "unknown").upper()
    if not runtime.console.terminal.stdout:
        return good("terminal", f"none: output is {runtime.format}, in {encoding}")
    colour = "with colour" if runtime.console.color_on(True) else f"without colour ({why_plain(runtime)})"
    detail = f"{runtime.console.width} columns, {encoding}, {colour}; output is {runtime.format}"
    if runtime.console.ascii_only and runtime.environ.get("TERM") != "dumb":
        return warning("terminal", f"{detail}; boxes and signs are ASCII", "Run: export LC_ALL=C.UTF-8")
    return good("terminal", detail)


def why_plain(runtime: Runtime) -> str:
    """Return what turned colour off."""
    if runtime.options.color == "never":
        return "--color never"
    return "NO_COLOR" if runtime.environ.get("NO_COLOR") else "TERM=dumb"


def completions(environ: Mapping[str, str]) -> Finding:
    """Look for the completions of the user's shell, where it looks."""
    shell = Path(environ.get("SHELL", "")).name
    if shell not in SHELLS:
        return good("completions", f"SHELL is none of {', '.join(SHELLS)}, so none are needed")
    found = next((path for path in completion_files(shell, environ) if path.is_file()), None)
    if found is not None:
        return good("completions", f"{shell}: {found}")
    sourced = next((path for path in rc_files(shell, environ) if mentions_completion(path)), None)
    if sourced is not None:
        return good("completions", f"{shell}: switched on in {sourced}")
    return warning("completions", f"none found for {shell}", f"Run: {SWITCH_ON[shell]}")


def completion_files(shell: str, environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield the places where ``shell`` looks for what completes proxyctl."""
    folder, name, more = {
        "bash": ("bash-completion/completions", "proxyctl", ("/etc/bash_completion.d",)),
        "zsh": ("zsh/site-functions", "_proxyctl", ("/usr/share/zsh/vendor-completions", *fpath(environ))),
        "fish": ("fish/vendor_completions.d", "proxyctl.fish", ("/etc/fish/completions", *fish_own(environ))),
    }[shell]
    for share in shares(environ):
        yield share / folder / name
    for place in more:
        yield Path(place) / name


def shares(environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield the ``share`` directories: the user's, the system's, and those beside the programs on PATH."""
    home = environ.get("HOME")
    own = environ.get("XDG_DATA_HOME") or (f"{home}/.local/share" if home else None)
    if own:
        yield Path(own)
    for text in (environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(":"):
        if text:
            yield Path(text)
    for text in environ.get("PATH", os.defpath).split(os.pathsep):
        if text and Path(text).name in ("bin", "sbin"):
            yield Path(text).parent / "share"


def fpath(environ: Mapping[str, str]) -> list[str]:
    """Return the function directories of zsh, where it exports them."""
    return [text for text in environ.get("FPATH", "").split(":") if text]


def fish_own(environ: Mapping[str, str]) -> list[str]:
    """Return the directory of the user's own completions for fish."""
    home = environ.get("HOME")
    base = environ.get("XDG_CONFIG_HOME") or (f"{home}/.config" if home else None)
    return [f"{base}/fish/completions"] if base else []


def rc_files(shell: str, environ: Mapping[str, str]) -> list[Path]:
    """Return the files that ``shell`` reads as it starts."""
    home = (environ.get("ZDOTDIR") if shell == "zsh" else None) or environ.get("HOME")
    return [Path(home) / name for name in RC_FILES[shell]] if home else []


def mentions_completion(path: Path) -> bool:
    """Whether a start-up file asks proxyctl for its completions."""
    try:
        text = path.read_bytes()[: 2**20]
    except OSError:
        return False
    return b"proxyctl completion" in text or b"_PROXYCTL_COMPLETE" in text


def man_pages(environ: Mapping[str, str]) -> Finding:
    """Look for the man pages where man looks: MANPATH, and beside the programs on PATH."""
    named = [Path(text) for text in environ.get("MANPATH", "").split(":") if text]
    for place in (*named, *(share / "man" for share in shares(environ))):
        for name in ("proxyctl.1", "proxyctl.1.gz"):
            if (place / "man1" / name).is_file():
                return good("man pages", str(place / "man1" / name))
    ours = Path(sys.prefix) / "share" / "man"
    hint = "'proxyctl help' shows the same."
    if (ours / "man1" / "proxyctl.1").is_file():
        hint = f'Run: export MANPATH="{ours}:$MANPATH"'
    return warning("man pages", "none found where man looks", hint)
