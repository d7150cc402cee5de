"""Files that a user names, to be read or written: which are taken, and what is said of those that are not.

Apart from `files.py`: these are not ours, so nothing about them is put right, and no link is followed to write one.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from proxyctl.errors import InputError, UsageError
from proxyctl.files import replace_private
from proxyctl.text import visible

STDIN = "-"
# A million full CSV rows of a pool: what is larger is no list of numbers.
MAX_BYTES = 256 * 1024 * 1024
SPLIT = "Check the file. A pool holds 5500 numbers at most. Split a longer list."


def source_name(file: str) -> str:
    """Return what messages call the file."""
    return "stdin" if file == STDIN else visible(file)


def read_bytes(
    file: str,
    stdin: BinaryIO | None,
    *,
    most: int = MAX_BYTES,
    missing: str = "Give them as arguments, without -f. '-f -' reads stdin.",
    too_large: str = SPLIT,
) -> bytes:
    """Return what a file (``-``: stdin) holds, up to ``most`` bytes; ``missing`` and ``too_large`` are hints.

    InputError names the path and what is wrong with it.
    """
    name = source_name(file)
    try:
        if file != STDIN:
            with Path(file).open("rb") as stream:
                return _drain(stream, name, most, too_large)
        if stdin is None or stdin.closed:
            raise InputError("stdin is closed. Nothing was sent", hint="Pipe the data in, or name a file.")
        return _drain(stdin, name, most, too_large)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise _unreadable(error, file, name, missing) from None


def read_beneath(directory: Path, file: str) -> bytes:
    """Return what a regular file beneath ``directory`` holds, links resolved: nothing else is opened. InputError."""
    name = source_name(str(directory / file))
    path = Path(os.path.realpath(directory / file))
    if not path.is_relative_to(os.path.realpath(directory)):
        raise InputError(f'"{name}" is not beneath {source_name(str(directory))}. Nothing was sent')
    try:
        with open(path, "rb", opener=_open_at_once) as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise InputError(f'"{name}" is not a regular file. Nothing was sent')
            return _drain(stream, name, MAX_BYTES, SPLIT)
    except (OSError, ValueError) as error:
        raise _unreadable(error, file, name, "") from None


def _open_at_once(path: str, flags: int) -> int:
    """Open without following a link, and without waiting for somebody who writes to a pipe."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)


def _drain(stream: BinaryIO, name: str, most: int, too_large: str) -> bytes:
    data = stream.read(most + 1)
    if len(data) > most:
        raise InputError(f"{name} is larger than {most // 1024**2} MiB. Nothing was sent", hint=too_large)
    return data


def _unreadable(error: Exception, file: str, name: str, missing: str) -> InputError:
    if isinstance(error, FileNotFoundError | ValueError) or not file:
        return InputError(f'there is no file "{name}". Nothing was sent', hint=missing)
    reason = getattr(error, "strerror", None) or error
    hint = "Name a file that you can read."
    return InputError(f'"{name}" can\'t be read: {reason}. Nothing was sent', hint=hint)


def check_output_file(option: str, name: str | None, inputs: Iterable[str | None] = ()) -> Path | None:
    """Return the file that ``option`` names, if it can be written without harm; None where none was named.

    Raises UsageError, before anything is sent, for a link, for one of ``inputs`` (by identity, whatever its name;
    "-" is stdin), and for what can't be written.
    """
    if name is None:
        return None
    path = Path(name)
    refuse_link(option, path)
    if any(is_same_file(path, each) for each in inputs if each is not None):
        raise UsageError(
            f"{option} {name}: it is a file that this command reads.", hint="Name another file to write to."
        )
    place = path if path.exists() else path.parent
    if path.is_dir() or not (path.exists() or place.is_dir()) or not os.access(place, os.W_OK):
        raise UsageError(
            f"{option} {name}: it can't be written.", hint="Name a file in a directory that you own."
        )
    return path


def refuse_link(option: str, path: Path) -> None:
    """Raise UsageError where a link lies in the place of a file that ``option`` has us write."""
    if path.is_symlink() and not is_of_the_system(path):
        raise UsageError(
            f"{option} {visible(str(path))}: it is a link.",
            hint=f"Name the file itself: {visible(os.path.realpath(path))}",
        )


def is_of_the_system(path: Path) -> bool:
    """Whether a path is one of /dev or /proc, whose links stand for what a process has open."""
    absolute = os.path.abspath(path)  # noqa: PTH100 - no link is followed
    return absolute.startswith(("/dev/", "/proc/")) and not absolute.startswith("/dev/shm/")  # noqa: S108


def is_same_file(path: Path, source: str) -> bool:
    """Whether ``path`` is the regular file that ``source`` names."""
    try:
        read = os.fstat(0) if source == STDIN else Path(source).stat()
        return stat.S_ISREG(read.st_mode) and os.path.samestat(read, path.stat())
    except (OSError, ValueError):  # one of the two is not there
        return False


def write_output_file(path: Path, data: bytes) -> None:
    """Write ``data`` to a file of `check_output_file`, in one step where it is a regular one, and never through a link
    that was put there since. Raises OSError.
    """
    as_it_stands = os.path.lexists(path) and not stat.S_ISREG(path.lstat().st_mode)
    follow = 0 if is_of_the_system(path) else os.O_NOFOLLOW
    if as_it_stands:  # a pipe, a device, or what stdout goes to: nothing of it is cut off
        _write_into(path, data, os.O_APPEND | follow)
    elif path.exists() and not os.access(path.parent, os.W_OK):
        _write_into(path, data, os.O_TRUNC | follow)
    else:
        replace_private(path, data)


def _write_into(path: Path, data: bytes, flags: int) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CLOEXEC | flags), "wb") as file:
        file.write(data)
