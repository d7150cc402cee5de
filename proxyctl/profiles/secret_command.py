"""Runs the command that prints a secret. Apart from the rest, because it needs modules that few runs need."""

from __future__ import annotations

import os
import re
import select
import shlex
from collections.abc import Mapping
from subprocess import DEVNULL, PIPE, Popen
from time import monotonic

from proxyctl.errors import AuthenticationError, ConfigError
from proxyctl.profiles.config_file import usable_secret
from proxyctl.text import Redactor, cut, visible

COMMAND_SECONDS = 30.0
PAUSE = 0.05  # seconds between checks whether it has ended
MOST_WORDS = 50  # more is no secret
LARGEST_OUTPUT = 64 * 1024


def secret_from_command(
    command: str, what: str, environ: Mapping[str, str], *, seconds: float = COMMAND_SECONDS
) -> str:
    """Run ``command`` without a shell and return what it prints, without the line end.

    ``what`` names the setting in errors; the command's own words and its output never appear there, as either
    may hold a secret, only the program's name, its exit code, and what of its stderr is not in its output. Raises
    ConfigError where the command can't be started, AuthenticationError where it fails, prints no usable secret or
    takes longer than ``seconds``.
    """
    try:
        words = shlex.split(command)
    except ValueError:
        words = []
    if not words:
        raise ConfigError(f"{what}: the command is empty, or has an unclosed quote.")
    program = visible(words[0])
    try:
        process = Popen(words, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, env=dict(environ))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it can't be run"
        raise ConfigError(
            f"{what}: {program}: {reason}.", hint="Check the command in the config file."
        ) from None
    output, complaint, problem = _collect(process, seconds)
    if problem is None and process.returncode != 0:
        problem = f"ended with exit code {process.returncode}"
    if problem is not None:
        said = cut(visible(without_output(complaint, output).strip()), 500)
        raise AuthenticationError(
            f"{what}: {program} {problem}" + (f": {said}" if said else "."),
            hint="Run the command by hand: it must print the secret and nothing else.",
        )
    printed = output.decode("utf-8", "replace")
    return usable_secret(printed, f"{what}: what {program} printed", AuthenticationError)


def without_output(complaint: bytearray, output: bytearray) -> str:
    """Return what a command said on stderr without anything that it printed: whole, by lines, or by words."""
    said, printed = (data.decode("utf-8", "replace") for data in (complaint, output))
    parts = {
        printed.strip(),
        *printed.splitlines(),
        *printed.split(),
        *re.split(r"[\s\"'{}()<>,;:=&]+", printed),
    }
    if not said or len(parts) > MOST_WORDS:
        return ""
    redactor = Redactor()
    for part in parts:
        redactor.add(part.strip())
    return redactor.clean(said)


def _collect(process: Popen[bytes], seconds: float) -> tuple[bytearray, bytearray, str | None]:
    """Read both streams within the time and the size that are allowed; the process is over afterwards.

    What it has started may keep the streams open: they are read to where they are when it ends.
    """
    assert process.stdout is not None and process.stderr is not None
    output, complaint = bytearray(), bytearray()
    kept = {process.stdout.fileno(): output, process.stderr.fileno(): complaint}
    streams, end, problem = list(kept), monotonic() + seconds, None
    with process:
        while problem is None:
            over = process.poll() is not None
            ready, _, _ = select.select(streams, [], [], 0 if over else PAUSE)
            for stream in ready:
                if not (chunk := os.read(stream, 8192)):
                    streams.remove(stream)
                kept[stream] += chunk
            if over and not ready:
                break
            if monotonic() >= end:
                problem = f"did not end within {seconds:g} seconds"
            elif len(output) + len(complaint) > LARGEST_OUTPUT:
                problem = f"printed more than {LARGEST_OUTPUT} bytes"
        if problem is not None:
            process.kill()
    return output, complaint, problem
