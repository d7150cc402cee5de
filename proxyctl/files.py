"""Files and directories: where proxyctl keeps its own; private ones that only their owner may use, whatever the umask,
opened through no link, replaced whole, locked; and what fails with files that a user names, to be read or written.

At the root, since config, state and what a command writes beside its rows (--failed-to FILE) need the same care. Only
here the environment or platformdirs are asked for a path.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from proxyctl.clock import Clock
from proxyctl.errors import ConfigError, InputError, OutputError, UsageError
from proxyctl.text import visible

STDIN = "-"
CHUNK = 1024 * 1024
MAX_BYTES = (
    256 * 1024 * 1024
)  # of numbers: a million full CSV rows of a pool; what is larger is no list of numbers
STATE_HINT = "Set PROXYCTL_STATE_DIR to a directory that you own, or add --no-history."


class Paths:
    """The files and directories of one process, each worked out on first use; nothing is created here.

    ``PROXYCTL_CONFIG`` and ``PROXYCTL_STATE_DIR`` are taken from the environment handed in. Everything else
    comes from platformdirs, which reads ``HOME`` and ``XDG_*`` from the process's own environment. Without a
    home directory a property raises ConfigError, and only when it is used.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    @cached_property
    def config_file(self) -> Path:
        """The config file, which need not exist."""
        return self._named("PROXYCTL_CONFIG") or self._standard("config", "PROXYCTL_CONFIG") / "config.toml"

    @cached_property
    def state_dir(self) -> Path:
        """Where history and locks live."""
        return self._named("PROXYCTL_STATE_DIR") or self._standard("state", "PROXYCTL_STATE_DIR")

    @cached_property
    def data_dir(self) -> Path:
        """Where the sandbox's database lives."""
        return self._named("PROXYCTL_STATE_DIR") or self._standard("data", "PROXYCTL_STATE_DIR")

    @cached_property
    def cache_dir(self) -> Path:
        """Where completion caches live; losing it loses nothing."""
        return self._standard("cache", "XDG_CACHE_HOME")

    def _named(self, variable: str) -> Path | None:
        value = self._environ.get(variable)
        return Path(value).absolute() if value else None

    @staticmethod
    def _standard(kind: str, variable: str) -> Path:
        from platformdirs import PlatformDirs

        directories = PlatformDirs("proxyctl", appauthor=False)
        try:
            path = Path(getattr(directories, f"user_{kind}_dir"))
        except RuntimeError:
            path = Path("~")
        # Without HOME and without an entry in the password database, older versions of platformdirs leave
        # the "~" in place, and newer ones raise.
        if not path.is_absolute():
            raise ConfigError(
                f"there is no home directory for the {kind} files of proxyctl.",
                hint=f"Set HOME, or {variable}.",
            )
        return path


def make_directories(path: Path) -> None:
    """Create ``path`` and its missing parents, 0700; leave existing ones alone. Raises OSError."""
    missing = [parent for parent in (path, *path.parents) if not parent.exists()]
    for parent in reversed(missing):  # `parents=True` would leave those to the umask
        with suppress(FileExistsError):
            parent.mkdir(mode=0o700)
            parent.chmod(0o700)


def private_directory(path: Path) -> None:
    """Create ``path`` like `make_directories`, and close it to others if it exists and is ours. Raises OSError."""
    make_directories(path)
    path.mkdir(mode=0o700, exist_ok=True)  # an error where something else has the name
    found = path.stat()
    if stat.S_IMODE(found.st_mode) != 0o700 and found.st_uid == os.getuid():
        path.chmod(0o700)


def open_private(path: Path, flags: int) -> int:
    """Open a regular file, 0600, never through a link; returns the descriptor. Raises OSError."""
    # O_NONBLOCK: opening a pipe that nobody reads must not wait.
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(0, "not a regular file")
        if flags & (os.O_WRONLY | os.O_RDWR) and stat.S_IMODE(found.st_mode) != 0o600:
            os.fchmod(descriptor, 0o600)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def write_new(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Write a new file; where that fails, no part of it stays. It is on the disk when this returns, if ``durable``.

    Raises OSError.
    """
    descriptor = open_private(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise


def replace_private(path: Path, data: bytes, *, hint: str | None = None) -> None:
    """Put ``data`` in the place of ``path`` as one step, readable by its owner only; a link stays one.

    A new file that lies there was left by a killed process: writers that may meet hold a lock. Raises OutputError
    with ``hint`` where that fails; the old file is then as it was.
    """
    target = Path(os.path.realpath(path))
    new = target.with_name(f".{target.name}.new")
    try:
        if target.exists() and not target.is_file():
            raise OutputError(f"{path} is not a regular file, so it is not replaced.")
        make_directories(target.parent)
        new.unlink(missing_ok=True)
        write_new(new, data)
        try:
            new.replace(target)
        except BaseException:
            with suppress(OSError):
                new.unlink()
            raise
        _sync_directory(target.parent)
    except OSError as error:
        raise not_written(path, error, hint) from None


def not_written(path: Path, error: OSError, hint: str | None) -> OutputError:
    """Return the error for a file that stayed as it was."""
    return OutputError(
        f"{path} could not be written: {error.strerror or error}. Nothing was changed.", hint=hint
    )


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network file systems can't sync a directory; the file itself is in place.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def take_lock(descriptor: int, clock: Clock, wait: float, *, pause: float) -> bool:
    """Take the lock of an open file, which closing it gives back; False after ``wait`` seconds in vain.

    Raises OSError.
    """
    give_up = clock.monotonic() + wait
    while True:
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        left = give_up - clock.monotonic()
        if left <= 0:
            return False
        clock.sleep(min(pause, left))


def is_locked(descriptor: int) -> bool:
    """Whether the lock of an open file is taken; on a file system without locks, none is."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


# The state directory


def state_directory(path: Path) -> Path:
    """Make a directory of the state, for us alone. Raises OutputError."""
    try:
        private_directory(path)
    except OSError as error:
        raise unwritable(path, error) from error
    return path


def unwritable(path: Path, error: OSError) -> OutputError:
    """Return the error for state that can't be written."""
    return OutputError(
        f"{path} can't be written: {error.strerror or error}",
        hint="Raise the limit of open files: ulimit -n 1024." if ran_out_of_files(error) else STATE_HINT,
    )


def ran_out_of_files(error: OSError) -> bool:
    """Whether no more files could be opened, whatever they are."""
    return error.errno in (errno.EMFILE, errno.ENFILE)


# Files that a user names


def source_name(file: str) -> str:
    """Return what messages call the file."""
    return "stdin" if file == STDIN else visible(file)


def read_bytes(
    file: str,
    stdin: BinaryIO | None,
    *,
    most: int = MAX_BYTES,
    missing: str = "Give numbers themselves without -f. '-f -' reads stdin.",
    too_large: str = "Check the file. A pool holds 5500 numbers at most. Split a longer list.",
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
            raise InputError(
                "stdin is closed. Nothing was sent",
                hint="Pipe the data in, or name a file.",
            )
        return _drain(stdin, name, most, too_large)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise _unreadable(error, file, name, missing) from None


def _drain(stream: BinaryIO, name: str, most: int, too_large: str) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while chunk := stream.read(CHUNK):
        chunks.append(chunk)
        size += len(chunk)
        if size > most:
            raise InputError(f"{name} is larger than {most // 1024**2} MiB. Nothing was sent", hint=too_large)
    return b"".join(chunks)


def _unreadable(error: Exception, file: str, name: str, missing: str) -> InputError:
    reason = getattr(error, "strerror", None) or error
    what, hint = f'"{name}" can\'t be read: {reason}', None
    if file == STDIN:
        what = f"stdin can't be read: {reason}"
    elif isinstance(error, FileNotFoundError | ValueError) or not file:
        what, hint = f'there is no file "{name}"', missing
    elif isinstance(error, IsADirectoryError):
        what, hint = f'"{name}" is a directory', "Name a file in it."
    elif isinstance(error, PermissionError):
        what, hint = f'"{name}" may not be read by this user', f"Check its permissions: ls -l {name}"
    return InputError(f"{what}. Nothing was sent", hint=hint)


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
    if path.is_dir() or not (path.exists() or place.is_dir()) or not os.access(place, os.W_OK):
        raise UsageError(
            f"{option} {name}: it can't be written.", hint="Name a file in a directory that you own."
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
    if path.is_symlink() or (path.exists() and not path.is_file()):
        with path.open("ab") as file:  # a pipe, a device, or what stdout goes to: nothing of it is cut off
            file.write(data)
    elif path.exists() and not os.access(path.parent, os.W_OK):
        path.write_bytes(data)
    else:
        replace_private(path, data)
