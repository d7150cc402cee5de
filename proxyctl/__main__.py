"""The process: what `proxyctl` and `python -m proxyctl` start.

The imports at the top are of modules that are loaded already. All others wait until the current directory is off the
path, or a file there could take their place.
"""

import os
import sys


def leave_out_current_directory() -> None:
    """Take the current directory off the path: `python -m` puts it there, and so does an empty entry in PYTHONPATH."""
    try:
        here = os.path.realpath(os.getcwd())  # noqa: PTH109 - pathlib is not imported yet
    except OSError:  # it is gone
        here = ""
    site = sys.modules.get("site")
    installed = {os.path.realpath(path) for path in site.getsitepackages()} if site else set()
    if here not in installed:
        sys.path[:] = [path for path in sys.path if path and os.path.realpath(path) != here]


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
    leave_out_current_directory()
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
