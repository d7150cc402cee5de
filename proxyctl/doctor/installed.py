"""What is installed around the program: its interpreter and packages, and the terminal."""

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
    colour = "with colour" if runtime.console.color_on(True) else "without colour"
    detail = f"{runtime.console.width} columns, {encoding}, {colour}, output is {runtime.format}"
    if runtime.console.ascii_only and runtime.environ.get("TERM") != "dumb":
        return warning("terminal", f"{detail}. Signs are ASCII", "Run: export LC_ALL=C.UTF-8")
    return ok("terminal", detail)
