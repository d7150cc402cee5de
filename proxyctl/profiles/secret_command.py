"""Runs the command that prints a secret. Apart from the rest, because it needs modules that few runs need."""

from __future__ import annotations

import os
import select
import shlex
import subprocess
from collections.abc import Mapping
from time import monotonic

from proxyctl.errors import AuthenticationError, ConfigError
from proxyctl.profiles.config_file import usable_secret
from proxyctl.text import visible

COMMAND_SECONDS = 30.0
PAUSE = 0.05  # seconds between checks whether it has ended
LARGEST_OUTPUT = 64 * 1024


def secret_from_command(
    command: str, what: str, environ: Mapping[str, str], *, seconds: float = COMMAND_SECONDS
) -> str:
    """Run ``command`` without a shell and return what it prints, without the line end.

    ``what`` names the setting in errors. The command's own words and all that it prints never appear there, as either
    may hold a secret: only the program's name and its exit code. Raises ConfigError where the command can't be
    started, AuthenticationError where it fails, prints no usable secret or takes longer than ``seconds``.
    """
    words = _split(command, what)
    program = visible(words[0])
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(environ),
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it can't be run"
        raise ConfigError(
            f"{what}: {program}: {reason}.", hint="Check the command in the config file."
        ) from None
    output, problem = _output_of(process, seconds)
    if problem is None and process.returncode != 0:
        problem = f"ended with exit code {process.returncode}"
    if problem is not None:
        raise AuthenticationError(
            f"{what}: {program} {problem}.",
            hint="Run the command by hand: it must print the secret and nothing else.",
        )
    return usable_secret(
        output.decode("utf-8", "replace"), f"{what}: what {program} printed", AuthenticationError
    )


def _split(command: str, what: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError:
        raise ConfigError(f"{what}: the command has an unclosed quote or a lone backslash.") from None
    if not words:
        raise ConfigError(f"{what}: the command is empty.")
    return words


def _output_of(process: subprocess.Popen[bytes], seconds: float) -> tuple[bytearray, str | None]:
    """Return what it prints within the time and the size that are allowed, and what went wrong; it is over afterwards.

    What it has started may keep the stream open: it is read to where it is when the process ends.
    """
    assert process.stdout is not None
    output, streams = bytearray(), [process.stdout]
    end, problem = monotonic() + seconds, None
    with process:
        while problem is None:
            over = process.poll() is not None
            ready, _, _ = select.select(streams, [], [], 0 if over else PAUSE)
            chunk = os.read(process.stdout.fileno(), 8192) if ready else b""
            output += chunk
            if over and not chunk:
                break
            if ready and not chunk:
                streams.clear()
            if monotonic() >= end:
                problem = f"did not end within {seconds:g} seconds"
            elif len(output) > LARGEST_OUTPUT:
                problem = f"printed more than {LARGEST_OUTPUT} bytes"
        if problem is not None:
            process.kill()
    return output, problem
