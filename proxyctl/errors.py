"""Everything that can fail, sorted by what the caller does next: each class carries its exit code.

ProxyctlError                          1   internal error, or a state of the world nobody foresaw
├── InternalError                      1   internal error, met while changes were sent
├── AnswerError                        1   the server's answer can't be understood
├── OutputError                        1   proxyctl's own output or state could not be written
│   └── StateError                     2   a file or directory of the state is a link or somebody else's
├── UsageError                         2   arguments, options or environment are wrong; nothing was sent
│   ├── ConfigError                    2   the config file is wrong or unsafe
│   └── InputError                     2   an input file is wrong
├── AuthenticationError                3   no credentials, or they are not accepted or not allowed
├── NotFoundError                      4   the named Service or number does not exist
├── RefusedError                       5   conflict, limit or state: the API (or a preflight) said no
├── PartialError                       6   some items of a bulk run failed
│   └── SummaryError                   6   the same, and no more is to be said of why
├── TemporaryError                     7   running the same command again is safe
│   ├── NetworkError                   7   no connection, time-out, TLS, redirect
│   ├── ThrottledError                 7   429 past the retries, or a Retry-After too long to wait for
│   ├── ServerError                    7   5xx past the retries
│   ├── DeadlineError                  7   --deadline reached
│   └── LockHeldError                  7   another run is writing
├── CheckError                         8   a check found something
├── CommandExit                        *   the exit code of the command that `sandbox exec` has run
└── Interrupted                  128 + n   signal n (129 SIGHUP, 130 SIGINT, 143 SIGTERM)
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar, NamedTuple

from proxyctl.text import Lines


class ExitCode(IntEnum):
    """The process exit codes that scripts may rely on. Their meanings are in `explaining/codes.toml`."""

    DONE = 0
    INTERNAL = 1
    USAGE = 2
    AUTHENTICATION = 3
    NOT_FOUND = 4
    REFUSED = 5
    PARTIAL = 6
    TEMPORARY = 7
    CHECK = 8
    SIGHUP = 129
    SIGINT = 130
    SIGTERM = 143


class Problem(NamedTuple):
    """What the API said was wrong: HTTP status, Twilio's code and words, and the id to quote to its support.

    ``retry_after`` is in seconds, already taken against the answer's own ``Date`` where it was a date.
    """

    status: int
    code: int | None = None
    message: str | None = None
    more_info: str | None = None
    request_id: str | None = None
    retry_after: float | None = None


class ProxyctlError(Exception):
    """Base of all errors that end a command.

    ``message`` says what failed and on what; ``hint`` what to type next: each is one line, unless it is `Lines`.
    ``problem`` is the API's own
    account, where there was an answer. ``may_have_happened`` is true where a request may have been carried
    out although no proper answer came back: verify before repeating it. ``repeatable`` is false where trying
    again can't help (certificate, redirect, bad scheme).
    """

    exit_code: int = ExitCode.INTERNAL
    kind: ClassVar[str] = "internal"
    shown: tuple[str, ...] = ()  # a command line, and carets under the wrong part of it
    printed: bool = False  # on the screen already

    def __init_subclass__(cls, *, kind: str | None = None, exit_code: int | None = None) -> None:
        super().__init_subclass__()
        cls.kind = kind or cls.kind
        cls.exit_code = exit_code or cls.exit_code

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        problem: Problem | None = None,
        may_have_happened: bool = False,
        repeatable: bool = True,
    ) -> None:
        self.message: str = Lines(message)
        super().__init__(self.message)
        self.hint: str | None = hint and Lines(hint)
        self.problem = problem
        self.may_have_happened = may_have_happened
        self.repeatable = repeatable


class InternalError(ProxyctlError):
    """An internal error, met while changes were sent: the run was stopped and is reported."""


class AnswerError(ProxyctlError, kind="answer"):
    """The server's answer can't be understood: not JSON, wrong types, truncated, too large."""


class OutputError(ProxyctlError, kind="output"):
    """Output or state (history, config, sandbox) could not be written."""


class StateError(OutputError, kind="config", exit_code=ExitCode.USAGE):
    """A file or directory of the state is a link or somebody else's, so that it is not used."""


class UsageError(ProxyctlError, kind="usage", exit_code=ExitCode.USAGE):
    """Arguments, options or environment are wrong; nothing was sent."""


class ConfigError(UsageError, kind="config"):
    """The config file is wrong or unsafe."""


class InputError(UsageError, kind="input"):
    """An input file is wrong; every bad row is named as FILE:LINE."""


class AuthenticationError(ProxyctlError, kind="authentication", exit_code=ExitCode.AUTHENTICATION):
    """No credentials, or they are not accepted (401) or not allowed (403)."""


class NotFoundError(ProxyctlError, kind="not_found", exit_code=ExitCode.NOT_FOUND):
    """The named Service or number does not exist."""


class RefusedError(ProxyctlError, kind="refused", exit_code=ExitCode.REFUSED):
    """Conflict, limit or state: the API, or a preflight in its place, said no."""


class PartialError(ProxyctlError, kind="partial", exit_code=ExitCode.PARTIAL):
    """Some items of a bulk run failed; each was reported on its own."""


class SummaryError(PartialError):
    """The summary of a run with failed items: at a terminal it stands below them, and names no further cause."""


class TemporaryError(ProxyctlError, kind="temporary", exit_code=ExitCode.TEMPORARY):
    """Running the same command again is safe, and may work."""


class NetworkError(TemporaryError, kind="network"):
    """No connection, a time-out, a TLS failure or a redirect."""


class ThrottledError(TemporaryError, kind="throttled"):
    """429 past the retries, or a Retry-After that is too long to wait for."""


class ServerError(TemporaryError, kind="server"):
    """5xx past the retries."""


class DeadlineError(TemporaryError, kind="deadline"):
    """--deadline reached; what was not tried is skipped."""


class LockHeldError(TemporaryError, kind="locked"):
    """Another run is writing to the same Service."""


class CheckError(ProxyctlError, kind="check", exit_code=ExitCode.CHECK):
    """A check found something."""


class CommandExit(ProxyctlError, kind="command"):
    """The command of `sandbox exec` has exited with ``exit_code``; without a ``message`` it has said itself why."""

    def __init__(self, exit_code: int, message: str = "") -> None:
        super().__init__(message)
        self.exit_code = exit_code


class Interrupted(ProxyctlError, kind="interrupted"):
    """A signal ended the command."""

    def __init__(self, signal_number: int, message: str | None = None, *, hint: str | None = None) -> None:
        super().__init__(message or "interrupted", hint=hint)
        self.signal_number = signal_number
        self.exit_code = 128 + signal_number


def reworded(error: ProxyctlError, message: str, *, hint: str | None = None) -> ProxyctlError:
    """Return the error in other words; what a signal kept from being done may be done by the same command again."""
    kind = TemporaryError if isinstance(error, Interrupted) else type(error)
    return kind(message, hint=hint or error.hint, problem=error.problem)
