"""The root command and `main`: the only place where errors become exit codes."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any, TextIO

from proxyctl import __version__
from proxyctl.clock import Signalled
from proxyctl.errors import CommandExit, ExitCode, Interrupted, OutputError, ProxyctlError
from proxyctl.runtime import Runtime

CHECKS = ("pool status", "pool audit", "pool plan")  # which have counts of their own


def main(
    argv: Sequence[str] | None = None,
    *,
    prepare: Callable[[Runtime], None] | None = None,
    **outside: Any,
) -> int:
    """Run the command line ``argv`` (without the program's name) and return its exit code.

    What comes from ``outside`` (streams, environment, clock) can be handed in, as a Runtime takes it; ``prepare`` is
    called with the Runtime before the command runs.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    runtime = Runtime(argv=tuple(arguments), **outside)
    if arguments in (["--version"], ["-V"]):
        return finish(runtime, lambda: runtime.stdout.write(f"proxyctl {__version__}\n"))
    if prepare is not None:
        prepare(runtime)
    return finish(runtime, lambda: run_command(arguments, runtime))


def run_command(arguments: list[str], runtime: Runtime) -> None:
    """Run the command that ``arguments`` name."""
    from proxyctl.commands.tree import run

    run(arguments, runtime)
    end_as_asked(runtime)


def end_as_asked(runtime: Runtime) -> None:
    """Raise Interrupted where a signal has asked to stop, although there was nothing left to stop."""
    if isinstance(stopped := runtime.stop.error, Interrupted):
        raise Interrupted(stopped.signal_number, "interrupted after all was done.")


def finish(runtime: Runtime, action: Callable[[], object]) -> int:
    """Run ``action`` and turn whatever happens into an exit code, reported on stderr."""
    codes = [attempt(runtime, part) for part in (action, lambda: flush(runtime), runtime.close)]
    for error in runtime.late_errors:
        report(error, runtime)
        codes.append(int(error.exit_code))
    code = next(filter(None, codes), ExitCode.DONE)
    if runtime.options.summary_json is not None:
        unwritten = attempt(runtime, lambda: summarize(runtime, code))
        code = code or unwritten
    for stream in (runtime.stdout, runtime.stderr):
        abandon(stream)
    return code


def summarize(runtime: Runtime, code: int) -> None:
    """Replace the file that --summary-json names, for monitoring. OutputError where that can't be done."""
    import json
    from datetime import UTC, datetime
    from pathlib import Path

    from proxyctl.explaining import error_object
    from proxyctl.named_files import write_output_file
    from proxyctl.state.record import COUNTS

    profile, console, path = vars(runtime).get("profile"), runtime.console, str(runtime.options.summary_json)
    asked = "sandbox" if console.options.sandbox else console.options.profile
    clean = console.redactor.clean
    errors = [error_object(error, console.account, clean) for error in runtime.errors[:1]]
    counts = {} if runtime.verb in CHECKS else dict.fromkeys(COUNTS, 0)
    found = {
        "verb": runtime.verb,
        "service": clean(", ".join(runtime.services)) or None,
        "profile": profile.name if profile else asked,
        "started": f"{datetime.fromtimestamp(runtime.began, UTC):%Y-%m-%dT%H:%M:%SZ}",
        "seconds": round(runtime.clock.monotonic() - runtime.started, 3),
        "counts": {**counts, **runtime.counts},
        "exit_code": int(code),
        "error": next(iter(errors), None),
    }
    try:
        write_output_file(Path(path), f"{json.dumps(found)}\n".encode())
    except OSError as problem:
        raise OutputError(f"--summary-json {path} could not be written: {problem.strerror}") from None


def attempt(runtime: Runtime, action: Callable[[], object]) -> int:
    """Run ``action``; report its error, and return the exit code."""
    try:
        action()
    except ProxyctlError as error:
        if isinstance(error, CommandExit) and not error.message:
            return error.exit_code
        if isinstance(error, OutputError):  # It is reported: what stdout still holds is not reported again.
            abandon(runtime.stdout)
        stopped = runtime.stop.error
        if isinstance(stopped, Interrupted) and not isinstance(error, Interrupted):
            error = Interrupted(stopped.signal_number, error.message, hint=error.hint)
        report(error, runtime)
        return int(error.exit_code)
    except BrokenPipeError:  # The reader has seen enough (`| head`): a read ends quietly.
        silence(runtime.stdout)
        return ExitCode.DONE
    except (Signalled, KeyboardInterrupt) as error:
        interrupted = Interrupted(error.number if isinstance(error, Signalled) else signal.SIGINT)
        report(interrupted, runtime)
        return int(interrupted.exit_code)
    except Exception as error:
        hint = "Set PROXYCTL_DEBUG=1 to show the traceback, and report it with the bug."
        report(ProxyctlError(f"internal error: {type(error).__name__}: {error}", hint=hint), runtime, error)
        return ExitCode.INTERNAL
    return ExitCode.DONE


def abandon(stream: TextIO | None) -> None:
    """Write out what ``stream`` still holds, or forget it where that can't be done (and was reported already)."""
    try:
        if stream is not None:
            stream.flush()
    except (OSError, ValueError):
        silence(stream)


def flush(runtime: Runtime) -> None:
    """Write out what stdout still holds."""
    try:
        if runtime.stdout is not None:
            runtime.stdout.flush()
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        silence(runtime.stdout)
        raise OutputError(f"standard output could not be written: {error}") from None


def silence(stream: TextIO | None) -> None:
    """Point ``stream`` at nothing: the interpreter's own last flush would fail again, and leave with 120."""
    try:
        descriptor = stream.fileno() if stream is not None else None
    except (OSError, ValueError):
        return
    if descriptor is not None:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, descriptor)
        os.close(null)


def report(error: ProxyctlError, runtime: Runtime, cause: Exception | None = None) -> None:
    """Report ``error`` on stderr, in the form that the output format asks for.

    With PROXYCTL_DEBUG comes where it arose, or its ``cause``; never local variables, which may hold secrets.
    """
    from proxyctl.explaining import error_json, error_lines, lead_of

    runtime.stop.ending = True
    runtime.errors.append(error)
    clean = runtime.console.redactor.clean
    if wants_json(runtime):
        runtime.console.write_error(error_json(error, runtime.console.account, clean) + "\n")
    elif not error.printed:
        runtime.say(*error_lines(error, lead_of(error, terminal=runtime.console.terminal.stderr)))
    if runtime.environ.get("PROXYCTL_DEBUG"):
        runtime.console.write_error(clean("".join(traceback.format_exception(cause or error))))


def wants_json(runtime: Runtime) -> bool:
    """Whether errors go out as JSON: asked for by option or environment, even where parsing failed early."""
    asked = runtime.options.output or asked_format(runtime.argv) or runtime.environ.get("PROXYCTL_OUTPUT")
    if asked is None:
        asked = vars(runtime).get("format")
    return asked in ("json", "jsonl")


def asked_format(argv: Sequence[str]) -> str | None:
    """Find the value of -o or --output in a command line that may not parse."""
    for token, following in zip(argv, (*argv[1:], None), strict=False):
        if token == "--":  # what follows is not for us
            break
        if token in ("-o", "--output"):
            return following
        if token.startswith(("-o", "--output=")):
            return token.removeprefix("--output=").removeprefix("-o").removeprefix("=")
    return None
