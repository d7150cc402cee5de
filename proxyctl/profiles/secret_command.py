"""Runs the command that prints a secret. Apart from the rest, because it needs modules that few runs need."""

from __future__ import annotations

import os
import re
import selectors
import shlex
import subprocess
from collections.abc import Mapping
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
    words = _split(command, what)
    program = visible(words[0])
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environ),
        )
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
    return usable_secret(
        output.decode("utf-8", "replace"), f"{what}: what {program} printed", AuthenticationError
    )


def without_output(complaint: bytes, output: bytes) -> str:
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


def _split(command: str, what: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError:
        raise ConfigError(f"{what}: the command has an unclosed quote or a lone backslash.") from None
    if not words:
        raise ConfigError(f"{what}: the command is empty.")
    return words


def _collect(process: subprocess.Popen[bytes], seconds: float) -> tuple[bytes, bytes, str | None]:
    """Read both streams within the time and the size that are allowed; the process is over afterwards.

    What it has started may keep the streams open: they are read to where they are when it ends.
    """
    assert process.stdout is not None and process.stderr is not None
    kept: dict[str, bytearray] = {"out": bytearray(), "err": bytearray()}
    end, problem = monotonic() + seconds, None
    with process, selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ, "out")
        selector.register(process.stderr, selectors.EVENT_READ, "err")
        while selector.get_map() and problem is None:
            over, left = process.poll() is not None, end - monotonic()
            ready = selector.select(0 if over else max(0.0, min(PAUSE, left)))
            if over and not ready:
                break
            if left <= 0:
                problem = f"did not end within {seconds:g} seconds"
            for key, _ in ready:
                chunk = os.read(key.fd, 8192)
                kept[key.data] += chunk
                if not chunk:
                    selector.unregister(key.fileobj)
                elif len(kept["out"]) + len(kept["err"]) > LARGEST_OUTPUT:
                    problem = f"printed more than {LARGEST_OUTPUT} bytes"
        if problem is None:
            try:
                process.wait(max(0.0, end - monotonic()))
            except subprocess.TimeoutExpired:
                problem = f"did not end within {seconds:g} seconds"
        if problem is not None:
            process.kill()
    return bytes(kept["out"]), bytes(kept["err"]), problem
