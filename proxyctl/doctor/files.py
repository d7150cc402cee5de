"""The files of one user: config, state and the sandbox's database. Nothing is made or changed here."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from proxyctl.doctor import CheckResult, fail, ok, warning
from proxyctl.errors import ConfigError, OutputError, ProxyctlError
from proxyctl.files import STATE, refuse_foreign_state
from proxyctl.text import counted

if TYPE_CHECKING:
    from proxyctl.runtime import Runtime

STATE_HINT = (
    "Set PROXYCTL_STATE_DIR to a directory that you can write to. Writes need --no-history without it."
)


def config(runtime: Runtime) -> CheckResult:
    """Check that the config file can be read, and that nobody else can change it."""
    try:
        path = runtime.store.path
    except ConfigError as error:
        return warning("config", error.message, error.hint)
    try:
        names = list(runtime.store.profiles())
        runtime.store.default_profile()
    except ProxyctlError as error:
        return fail("config", error)
    if not os.path.lexists(path):
        return ok("config", f"{path}: absent. The first login creates it")
    mode = stat.S_IMODE(path.stat().st_mode)
    return ok("config", f"{path}: mode {mode:04o}, {counted(len(names), 'profile')}")


def state(runtime: Runtime) -> CheckResult:
    """Check that history and locks are ours and can be written."""
    try:
        directory = runtime.paths.state_dir
    except ConfigError as error:
        return fail("state", OutputError(error.message, hint=error.hint))
    problem = why_not_writable(directory)
    if problem:
        return fail("state", OutputError(f"{directory} can't be written: {problem}.", hint=STATE_HINT))
    try:
        refuse_foreign_state(directory)
    except OutputError as error:
        return fail("state", error)
    if opened := open_to_others(directory):
        return opened
    return ok("state", f"{directory}: {'writable' if directory.exists() else 'can be created'}")


def open_to_others(directory: Path) -> CheckResult | None:
    """Return a warning where others can write to the state, or can read what is in it."""
    for path, closing, mask in (
        (directory, "go-w", 0o022),
        *((directory / name, "700", 0o077) for name in STATE),
    ):
        mode = path.stat().st_mode if path.exists() else 0
        if mode & mask and not mode & stat.S_ISVTX:
            return warning(
                "state",
                f"{path} is open to other users (mode {stat.S_IMODE(mode):04o})",
                f"Run: chmod {closing} {quote(str(path))}",
            )
    return None


def why_not_writable(directory: Path) -> str | None:
    """Return why files can't be made in ``directory``, None where they can; leaves nothing behind."""
    place = existing(directory)
    if not place.is_dir():
        return f"{place} is not a directory"
    try:
        if place == directory:
            with tempfile.TemporaryFile(dir=place) as file:  # shows full disks and quotas too
                file.write(bytes(4096))
        elif not os.access(place, os.W_OK | os.X_OK):
            return f"you may not write to {place}"
    except OSError as error:
        return (error.strerror or str(error)).lower()
    return None


def existing(path: Path) -> Path:
    """Return ``path``, or what there is of the way to it."""
    return next(place for place in (path, *path.parents) if os.path.lexists(place))


def sandbox(runtime: Runtime, *, used: bool) -> CheckResult:
    """Check that the sandbox's database can be used; it only matters to a command that uses it."""
    try:
        path = runtime.paths.sandbox_file()
    except ConfigError as error:
        return as_needed("sandbox", error, used)
    if not os.path.lexists(path):
        return ok("sandbox", f"{path}: absent. It is created on first use")
    try:
        counts = runtime.sandbox_store.status()
    except ProxyctlError as error:
        return as_needed("sandbox", error, used)
    return ok(
        "sandbox", f"{path}: {counted(counts.services, 'Service')}, {counted(counts.numbers, 'number')}"
    )


def as_needed(check: str, error: ProxyctlError, used: bool) -> CheckResult:
    """Return a bad finding where the thing is used, else a warning."""
    return fail(check, error) if used else warning(check, error.message, error.hint)
