"""What is said where the state directory can't be written, and what then helps."""

from __future__ import annotations

import errno
from pathlib import Path

from proxyctl.errors import OutputError
from proxyctl.files import private_directory

STATE_HINT = "Set PROXYCTL_STATE_DIR to a directory of yours, or add --no-history."


def state_directory(path: Path) -> Path:
    """Make a directory of the state, for us alone. Raises OutputError."""
    try:
        private_directory(path)
    except OSError as error:
        raise unwritable(path, error) from error
    return path


def unwritable(path: Path, error: OSError) -> OutputError:
    """The error for state that can't be written."""
    return OutputError(
        f"{path} can't be written: {error.strerror or error}",
        hint="Raise the limit of open files: ulimit -n 1024." if ran_out_of_files(error) else STATE_HINT,
    )


def ran_out_of_files(error: OSError) -> bool:
    """Whether no more files could be opened, whatever they are."""
    return error.errno in (errno.EMFILE, errno.ENFILE)
