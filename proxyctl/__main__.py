"""The process: what `proxyctl` and `python -m proxyctl` start."""

from __future__ import annotations

import contextlib
import os
import sys


def fill_closed_descriptors() -> None:
    """Open /dev/null on closed descriptors 0 to 2, or the next file opened would become stdout.

    Descriptors 1 and 2 are opened for reading only: lost output is then an error, not silence.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDONLY)


def drop_unwritable() -> None:
    """Give up what stdout and stderr still hold where nobody takes it (a terminal that hung up, a full disk).

    That was told already; the interpreter would try once more at its end, and leave with a code of its own, 120.
    """
    for stream, descriptor in ((sys.stdout, 1), (sys.stderr, 2)):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError):
                null = os.open(os.devnull, os.O_WRONLY)
                os.dup2(null, descriptor)
                os.close(null)


def run() -> None:
    """Run the command line of this process, and leave with its exit code."""
    fill_closed_descriptors()
    from proxyctl.cli import main
    from proxyctl.signals import install

    code = main(prepare=install)
    drop_unwritable()
    sys.exit(code)


if __name__ == "__main__":
    run()
