"""The process: what `proxyctl` and `python -m proxyctl` start."""

from __future__ import annotations

import os
import sys


def fill_closed_descriptors() -> None:
    """Open /dev/null on closed descriptors 0 to 2, or the next file opened would become stdout.

    Descriptors 1 and 2 are opened for reading only: lost output is then an error, not silence. So stdout is
    given a stream, where Python found none to make.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDONLY)
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - it lasts as long as the process


def run() -> None:
    """Run the command line of this process, and leave with its exit code."""
    fill_closed_descriptors()
    if "_PROXYCTL_COMPLETE" in os.environ:  # a TAB: it needs neither a Runtime nor signals
        from proxyctl.commands.completion import respond

        sys.exit(respond(os.environ))
    import signal

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # Ctrl-C during the imports: Python would print where it was
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from proxyctl.cli import main
    from proxyctl.clock import Signalled, ignore, install

    try:
        code = main(prepare=lambda runtime: install(runtime.stop, runtime.console))
        ignore()
    except Signalled as signalled:  # it came while an error was reported, or after all
        code = 128 + signalled.number
        ignore()
    sys.exit(code)


if __name__ == "__main__":
    run()
