"""Opening files of the state directory so that nobody else reads them and no link leads elsewhere."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from proxyctl.errors import OutputError


def private_directory(path: Path) -> Path:
    """Make ``path`` (and what is missing above it) with mode 0700, whatever the umask. Raises OutputError."""
    try:
        for missing in reversed([place for place in (path, *path.parents) if not place.exists()]):
            missing.mkdir(mode=0o700, exist_ok=True)  # `parents=True` would leave those to the umask
            missing.chmod(0o700)
        path.mkdir(mode=0o700, exist_ok=True)  # an error where something else has the name
        found = path.stat()
        if stat.S_IMODE(found.st_mode) != 0o700 and found.st_uid == os.getuid():
            path.chmod(0o700)
    except OSError as error:
        raise unwritable(path, error) from error
    return path


def open_private(path: Path, flags: int) -> int:
    """Open a regular file, 0600, never through a link; returns the descriptor. Raises OSError."""
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


def unwritable(path: Path, error: OSError) -> OutputError:
    """The error for state that can't be written."""
    return OutputError(
        f"{path} can't be written: {error.strerror or error}",
        hint="set PROXYCTL_STATE_DIR to a directory of your own, or use --no-history",
    )
