"""Files that only their owner may read: checked when read, replaced whole, locked while they change."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from proxyctl.clock import Clock
from proxyctl.errors import ConfigError, LockHeldError, OutputError

LOCK_SECONDS = 10.0
LOCK_PAUSE = 0.05


def read_private(path: Path, limit: int) -> bytes | None:
    """Return what is in ``path``, or None where there is no such file.

    Raises ConfigError where it is not a regular file, belongs to somebody else, can be read or written by
    others, or is larger than ``limit`` bytes.
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
        _check(path, os.fstat(descriptor), limit)
        with open(descriptor, "rb", closefd=False) as file:
            data = file.read(limit + 1)
    finally:
        os.close(descriptor)
    if len(data) > limit:
        raise _too_large(path, limit)
    return data


def _check(path: Path, status: os.stat_result, limit: int) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise ConfigError(f"{path} is not a regular file.", hint="Set PROXYCTL_CONFIG to a file.")
    if status.st_uid != os.geteuid():
        raise ConfigError(
            f"{path} belongs to another user (uid {status.st_uid}), so it is not used.",
            hint=f"Run: sudo chown {os.geteuid()} {_quoted(path)} && chmod 600 {_quoted(path)}",
        )
    if status.st_mode & 0o066:
        raise ConfigError(
            f"{path} can be read or written by other users (mode {stat.S_IMODE(status.st_mode):04o}), "
            "so it is not used.",
            hint=f"Run: chmod 600 {_quoted(path)}",
        )
    if status.st_size > limit:
        raise _too_large(path, limit)


def _too_large(path: Path, limit: int) -> ConfigError:
    return ConfigError(
        f"{path}:1: the file is larger than {limit // 1024} KiB, so not a config file of proxyctl."
    )


def _quoted(path: Path) -> str:
    from shlex import quote

    return quote(str(path))


def replace_private(path: Path, data: bytes) -> None:
    """Put ``data`` in the place of ``path`` as one step, readable by its owner only; a symlink stays one.

    The caller holds the lock of `only_writer`, so a new file that lies there was left by a killed
    process. Raises OutputError where that fails; the old file is then as it was.
    """
    target = Path(os.path.realpath(path))
    new = target.with_name(f".{target.name}.new")
    try:
        if target.exists() and not target.is_file():
            raise OutputError(f"{path} is not a regular file, so it is not replaced.")
        make_private_directory(target.parent)
        new.unlink(missing_ok=True)
        try:
            _write_new(new, data)
            new.replace(target)
        except BaseException:
            with suppress(OSError):
                new.unlink()
            raise
        _sync_directory(target.parent)
    except OSError as error:
        raise _not_written(path, error) from None


def make_private_directory(directory: Path) -> None:
    """Create ``directory`` and its missing parents, 0700 whatever the umask; leave existing ones alone."""
    missing = [parent for parent in (directory, *directory.parents) if not parent.exists()]
    for parent in reversed(missing):
        with suppress(FileExistsError):
            parent.mkdir(mode=0o700)
            parent.chmod(0o700)


def _write_new(new: Path, data: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(new, flags, 0o600), "wb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


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


def _not_written(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{path} could not be written: {error.strerror or error}; nothing was changed.",
        hint="Mend that, or set PROXYCTL_CONFIG to a file that can be written.",
    )


@contextmanager
def only_writer(path: Path, clock: Clock) -> Iterator[None]:
    """Hold the lock beside ``path``, so that of two writers none loses the other's change.

    Raises LockHeldError after some seconds, OutputError where the lock file can't be made.
    """
    import fcntl

    target = Path(os.path.realpath(path))
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        make_private_directory(target.parent)
        descriptor = os.open(target.with_name(f".{target.name}.lock"), flags, 0o600)
    except OSError as error:
        raise _not_written(path, error) from None
    try:
        end = clock.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if clock.monotonic() >= end:
                    raise LockHeldError(f"another proxyctl is changing {path}.", hint="Try again.") from None
                clock.sleep(LOCK_PAUSE)
            except OSError as error:
                raise _not_written(path, error) from None
        yield
    finally:
        os.close(descriptor)  # which gives the lock back
