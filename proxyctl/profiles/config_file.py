"""The config file on disk: checked when read, parsed, replaced whole, locked while it changes."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import Any

from proxyctl.clock import Clock
from proxyctl.errors import ConfigError, LockHeldError
from proxyctl.files import make_directories, not_written, open_private, replace_private, take_lock
from proxyctl.toml_files import TomlFlaw, parse_toml
from proxyctl.visible import visible

LARGEST_FILE = 256 * 1024
LONGEST_LINE = 4096
LOCK_SECONDS = 10.0
LOCK_PAUSE = 0.05
NOT_WRITTEN = "Fix that, or set PROXYCTL_CONFIG to a file that can be written."


def read_private(path: Path) -> bytes | None:
    """Return what is in ``path``, or None where there is no such file.

    Raises ConfigError where it is not a regular file, belongs to somebody else, can be read or written by
    others, or is too large for a config file.
    """
    if str(path) == os.devnull:
        return None
    try:
        # O_NONBLOCK: opening a pipe that nobody writes to must not wait.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigError(
            f"{path} can't be read: {error.strerror}.", hint="Set PROXYCTL_CONFIG to a file of your own."
        ) from None
    try:
        _check(path, os.fstat(descriptor))
        with open(descriptor, "rb", closefd=False) as file:
            data = file.read(LARGEST_FILE + 1)
    finally:
        os.close(descriptor)
    if len(data) > LARGEST_FILE:
        raise ConfigError(
            f"{path}:1: the file is larger than {LARGEST_FILE // 1024} KiB, so not a config file of proxyctl."
        )
    return data


def _check(path: Path, status: os.stat_result) -> None:
    quoted = quote(str(path))
    if not stat.S_ISREG(status.st_mode):
        raise ConfigError(f"{path} is not a regular file.", hint="Set PROXYCTL_CONFIG to a file.")
    if status.st_uid != os.geteuid():
        raise ConfigError(
            f"{path} belongs to another user (uid {status.st_uid}), so it is not used.",
            hint=f"Run: sudo chown {os.geteuid()} {quoted} && chmod 600 {quoted}",
        )
    if status.st_mode & 0o066:
        raise ConfigError(
            f"{path} can be read or written by other users (mode {stat.S_IMODE(status.st_mode):04o}), "
            "so it is not used.",
            hint=f"Run: chmod 600 {quoted}",
        )


def parse(data: bytes, path: Path) -> tuple[dict[str, Any], str]:
    """Return the document and its text; ConfigError with file and line for anything that isn't sane TOML."""
    try:
        return parse_toml(data, LONGEST_LINE)
    except TomlFlaw as flaw:
        raise at_line(path, flaw.line, visible(flaw.what)) from None


def at_line(path: Path, line: int, what: str) -> ConfigError:
    """Return the error that names the place, as editors and compilers do."""
    return ConfigError(f"{path}:{line}: {what}.", hint=f"Fix line {line} of the config file.")


def replace(path: Path, data: bytes) -> None:
    """Replace the config file; the caller holds `only_writer`. Raises OutputError."""
    replace_private(path, data, hint=NOT_WRITTEN)


@contextmanager
def only_writer(path: Path, clock: Clock) -> Iterator[None]:
    """Hold the lock beside ``path``, so that of two writers none loses the other's change.

    Raises LockHeldError after some seconds, OutputError where the lock file can't be made.
    """
    target = Path(os.path.realpath(path))
    try:
        make_directories(target.parent)
        descriptor = open_private(target.with_name(f".{target.name}.lock"), os.O_RDWR | os.O_CREAT)
    except OSError as error:
        raise not_written(path, error, NOT_WRITTEN) from None
    try:
        try:
            taken = take_lock(descriptor, clock, LOCK_SECONDS, pause=LOCK_PAUSE)
        except OSError as error:
            raise not_written(path, error, NOT_WRITTEN) from None
        if not taken:
            raise LockHeldError(f"another proxyctl is changing {path}.", hint="Try again.")
        yield
    finally:
        os.close(descriptor)  # which gives the lock back
