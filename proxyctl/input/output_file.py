"""Files that a command is asked to write (--failed-to FILE): checked against what it reads, and written."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from proxyctl.errors import UsageError
from proxyctl.input.source import STDIN


def check_output_file(option: str, name: str | None, inputs: Iterable[str | None] = ()) -> Path | None:
    """Return the file that ``option`` names, if it can be written without harm; None where none was named.

    Raises UsageError, before anything is sent, for a link, for one of ``inputs`` (by identity, whatever its name;
    "-" is stdin), and for what can't be written.
    """
    if name is None:
        return None
    path = Path(name)
    if path.is_symlink() and not is_of_the_system(path):
        raise UsageError(
            f"{option} {name}: it is a link.", hint=f"Name the file itself: {os.path.realpath(path)}"
        )
    if any(is_same_file(path, each) for each in inputs if each is not None):
        raise UsageError(
            f"{option} {name}: it is a file that this command reads.", hint="Name another file to write to."
        )
    place = path if path.exists() else path.parent
    if path.is_dir() or not os.access(place, os.W_OK):
        raise UsageError(
            f"{option} {name}: it can't be written.", hint="Name a file in a directory of yours."
        )
    return path


def is_of_the_system(path: Path) -> bool:
    """Whether a path is one of /dev or /proc, whose links stand for what a process has open."""
    return os.path.abspath(path).startswith(("/dev/", "/proc/"))  # noqa: PTH100 - no link is followed


def is_same_file(path: Path, source: str) -> bool:
    """Whether ``path`` is the regular file that ``source`` names."""
    try:
        read = os.fstat(0) if source == STDIN else Path(source).stat()
        return stat.S_ISREG(read.st_mode) and os.path.samestat(read, path.stat())
    except (OSError, ValueError):  # one of the two is not there
        return False


def write_output_file(path: Path, data: bytes) -> None:
    """Write ``data`` to a file of `check_output_file`, in one step where it is a regular one. Raises OSError."""
    from proxyctl.files import replace_private

    if path.is_symlink() or (path.exists() and not path.is_file()):
        with path.open("ab") as file:  # a pipe, a device, or what stdout goes to: nothing of it is cut off
            file.write(data)
    elif path.exists() and not os.access(path.parent, os.W_OK):
        path.write_bytes(data)
    else:
        replace_private(path, data)
