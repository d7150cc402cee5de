"""Files and directories: where proxyctl keeps its own; private ones that only their owner may use, whatever the umask,
opened through no link and only where they are ours, replaced whole, locked.

At the root, since config, state and what a command writes beside its rows (--failed-to FILE) need the same care. Only
here the environment or platformdirs are asked for a path.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from shlex import quote

from proxyctl.clock import Clock
from proxyctl.errors import ConfigError, OutputError, StateError
from proxyctl.text import Lines

STATE = ("history", "locks", "transit", "saved")  # the directories of the state
ANOTHER_PLACE = "PROXYCTL_STATE_DIR can name another place for all state."
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

    def sandbox_file(self, asked: str | None = None) -> Path:
        """Where the sandbox keeps its state: as --database asks, else the environment, else in a place of its own."""
        if asked:
            return Path(asked).absolute()
        return self._named("PROXYCTL_SANDBOX_DATABASE") or self.data_dir / "sandbox.db"

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
    if stat.S_IMODE(found.st_mode) != 0o700 and found.st_uid == os.geteuid():
        path.chmod(0o700)


def open_private(path: Path, flags: int) -> int:
    """Open a regular file of ours, 0600, never through a link; returns the descriptor. Raises OSError."""
    # O_NONBLOCK: opening a pipe that nobody reads must not wait.
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(0, "not a regular file")
        if found.st_uid != os.geteuid():
            raise OSError(errno.EPERM, "it belongs to another user")
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
    """Put ``data`` in the place of ``path`` as one step, readable by its owner only. No link is followed.

    A new file that lies there was left by a killed process: writers that may meet hold a lock. Raises OutputError
    with ``hint`` where that fails; the old file is then as it was.
    """
    new = path.with_name(f".{path.name}.new")
    with writing(path, hint):
        if os.path.lexists(path) and not stat.S_ISREG(path.lstat().st_mode):
            raise OutputError(f"{path} is not a regular file, so it is not replaced.")
        make_directories(path.parent)
        new.unlink(missing_ok=True)
        write_new(new, data)
        try:
            new.replace(path)
        except BaseException:
            with suppress(OSError):
                new.unlink()
            raise
        descriptor = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
        # Some network file systems can't sync a directory; the file itself is in place.
        with suppress(OSError):
            os.fsync(descriptor)
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


def refuse_foreign(path: Path) -> None:
    """Raise StateError where a part of the state is somebody else's or a link, which others may have put there."""
    try:
        found = path.lstat()
    except OSError:  # nothing is there, or whatever opens it says why not
        return
    if stat.S_ISLNK(found.st_mode):
        hint = Lines(f"Run: rm {quote(str(path))}", ANOTHER_PLACE)
        raise StateError(f"{path} is a link, so it is not used.", hint=hint)
    _refuse_other_owner(path, found)


def _refuse_other_owner(path: Path, found: os.stat_result, *trusted: int) -> None:
    if found.st_uid not in (os.geteuid(), *trusted):
        what = f"{path} belongs to another user (uid {found.st_uid}), so it is not used."
        take = f"If you trust its contents, run: sudo chown -R {os.geteuid()} {quote(str(path))}"
        raise StateError(what, hint=Lines(take, f"If not, run: sudo rm -r {quote(str(path))}"))


def refuse_foreign_state(directory: Path) -> None:
    """Raise StateError where the state directory, or one in it, is somebody else's, or one in it is a link."""
    with suppress(FileNotFoundError, NotADirectoryError):
        _refuse_other_owner(directory, directory.stat(), 0)  # as a user, /tmp may be named, which is root's
    for name in STATE:
        refuse_foreign(directory / name)


def state_directory(path: Path) -> Path:
    """Make a directory of the state, for us alone. Raises OutputError."""
    refuse_foreign(path)
    with writing(path):
        private_directory(path)
    return path


@contextmanager
def writing(path: Path, hint: str | None = STATE_HINT) -> Iterator[None]:
    """Raise OutputError for ``path``, by default a file of the state, where the block can't write."""
    try:
        yield
    except OSError as error:
        raise unwritable(path, error, hint) from None


def unwritable(path: Path, error: OSError, hint: str | None = STATE_HINT) -> OutputError:
    """Return the error for a file that can't be written, by default one of the state."""
    if ran_out_of_files(error):
        hint = "Raise the limit of open files: ulimit -n 1024."
    return OutputError(f"{path} can't be written: {error.strerror or error}", hint=hint)


def ran_out_of_files(error: OSError) -> bool:
    """Whether no more files could be opened, whatever they are."""
    return error.errno in (errno.EMFILE, errno.ENFILE)
