"""The person at the terminal: what was asked for, what is said on stderr and asked, what the terminal can do.

Apart from the Runtime, since errors need it before a command, and its profile and client, are there.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple, Protocol, TextIO

from proxyctl.errors import UsageError
from proxyctl.roles import Line, Screen, laid_out, lines_of
from proxyctl.text import Redactor, lines_in, quoted, visible

FORMATS = ("table", "tsv", "json", "jsonl", "csv", "ids")
NARROWEST = 20
USUAL = 80


class SharedOptions(NamedTuple):
    """The options that several commands share; a command that does not take one leaves it at its default."""

    profile: str | None = None
    sandbox: bool = False
    verbose: int = 0
    quiet: bool = False
    timeout: float = 60.0
    retries: int = 4
    color: str = "auto"
    output: str | None = None
    fields: str | None = None
    no_header: bool = False
    sort: str | None = None
    limit: int | None = None
    only_count: bool = False
    dry_run: bool = False
    requests: bool = False
    yes: bool = False
    confirm_profile: str | None = None
    no_history: bool = False
    lock_wait: float = 0.0
    default_country: str | None = None
    rate: float | None = None
    concurrency: int | None = None
    max_errors: int | None = None
    deadline: float | None = None
    failed_to: str | None = None
    untried_to: str | None = None
    file: str | None = None
    column: str | None = None
    skip_bad_rows: bool = False
    allow: list[str] | None = None
    through_messaging: bool = False
    summary_json: str | None = None
    database: str | None = None
    subaccount: str | None = None

    @property
    def silent(self) -> bool:
        """Whether stdout gets nothing but what a check found and what a read was asked for: --quiet without -o."""
        return self.quiet and self.output is None


class Terminal(NamedTuple):
    """Which of the three streams is a terminal."""

    stdin: bool
    stdout: bool
    stderr: bool


class Bar(Protocol):
    """A line that is redrawn below all that is said while it is ``shown``."""

    @property
    def shown(self) -> bool: ...

    def say(self, text: str) -> None: ...  # ready lines, each with its end

    def close(self) -> None: ...


class Console:
    """Talks to the person who runs the command. ``options`` change when the command line was parsed."""

    def __init__(
        self,
        environ: Mapping[str, str],
        stdin: TextIO | None,
        stdout: TextIO | None,
        stderr: TextIO | None,
    ) -> None:
        self.options = SharedOptions()
        self.environment_account = ""  # a comment that names it, where the environment has the credentials
        self.bar: Bar | None = None  # while a terminal shows what is under way
        self.redactor = Redactor()
        self._environ = environ
        self._stdin, self._stdout, self._stderr = stdin, stdout, stderr

    # The terminal

    @cached_property
    def terminal(self) -> Terminal:
        return Terminal(*map(is_terminal, (self._stdin, self._stdout, self._stderr)))

    @cached_property
    def interactive(self) -> bool:
        """Whether questions can be asked: stderr is a terminal, and stdin or the process's own terminal can answer."""
        return self.terminal.stderr and self._answers is not None

    @cached_property
    def _answers(self) -> TextIO | None:
        """Stdin where it is a terminal. Else, since it may hold numbers, /dev/tty, but only in the foreground: a job
        in the background that reads there is stopped by the kernel.
        """
        if self.terminal.stdin:
            return self._stdin
        with contextlib.suppress(OSError, ValueError, AttributeError):
            os.ttyname(self._stderr.fileno())  # type: ignore[union-attr]
            tty = open("/dev/tty", encoding="utf-8", errors="replace")  # noqa: SIM115  for the rest of the process
            if os.tcgetpgrp(tty.fileno()) == os.getpgrp():
                return tty
            tty.close()
        return None

    @property
    def width(self) -> int:
        """Columns: as COLUMNS says, else those of stdout or stderr if one is a terminal, else 80."""
        asked = self._environ.get("COLUMNS", "")
        if asked.isdecimal() and asked != "0":
            return max(NARROWEST, int(asked))
        for stream in (self._stdout, self._stderr):
            with contextlib.suppress(OSError, ValueError, AttributeError):
                columns = os.get_terminal_size(stream.fileno()).columns  # type: ignore[union-attr]
                return max(NARROWEST, columns or USUAL)  # a terminal that does not know its size says 0
        return USUAL

    @property
    def ascii_only(self) -> bool:
        """Whether box-drawing characters are too much for this terminal."""
        encoding = (getattr(self._stdout, "encoding", None) or "ascii").lower().replace("-", "")
        return self._environ.get("TERM") == "dumb" or not encoding.startswith("utf")

    def screen(self, terminal: bool) -> Screen:
        """Return what stdout or stderr can show, which is (or is not) a terminal."""
        encoding = getattr(self._stdout, "encoding", None) or "utf-8"
        width = self.width if terminal else None
        return Screen(width, self.color_on(terminal), self.ascii_only, encoding, self.account)

    def color_on(self, terminal: bool) -> bool:
        """Whether to colour what goes to a stream that is (or is not) a terminal.

        As --color says; else NO_COLOR, then FORCE_COLOR; else on a terminal that can.
        """
        if self.options.color != "auto":
            return self.options.color == "always"
        if self._environ.get("NO_COLOR"):
            return False
        return bool(self._environ.get("FORCE_COLOR")) or (terminal and self._environ.get("TERM") != "dumb")

    @property
    def account(self) -> str:
        """What names the account of this call in commands that are printed: its option, or a comment where the
        environment has the credentials; '' where there was neither.
        """
        profile = self.options.profile
        if self.options.sandbox or profile is None:
            return "--sandbox" if self.options.sandbox else self.environment_account
        return f"-p {quoted(profile)}"

    # What is said

    def say(self, *texts: str | Line) -> None:
        """Write lines to stderr: no control characters, no secrets; a closed stderr stops nothing."""
        lines = [line for text in texts for line in (lines_of(text) if isinstance(text, str) else [text])]
        clean = self.redactor.clean
        shown = laid_out(
            [line._replace(pieces=[p._replace(text=clean(p.text)) for p in line.pieces]) for line in lines],
            self.screen(self.terminal.stderr),
        )
        if self.bar is not None and self.bar.shown:
            self.bar.say(shown)
        else:
            self.write_error(shown)

    def clear(self) -> None:
        """Take the line away that is redrawn: something else is about to be printed or asked."""
        if self.bar is not None:
            self.bar.close()
            self.bar = None

    def note(self, *texts: str | Line) -> None:
        """Say something about the answer, unless --quiet."""
        if not self.options.quiet:
            self.say(*texts)

    def warn(self, text: str) -> None:
        """Warn, --quiet or not."""
        first, *more = lines_in(text)
        self.say(f"warning: {first}", *more)

    def log_request(self, text: str) -> None:
        """Say what the client logs: with -v that it tries again, with -vv each request."""
        if self.options.verbose > 1 or (self.options.verbose and " again in " in text):
            self.say(text)

    def write_error(self, text: str) -> None:
        """Write ready text to stderr, whatever its encoding can hold."""
        if self._stderr is None:
            return
        encoding = getattr(self._stderr, "encoding", None) or "utf-8"
        safe = text.encode(encoding, "backslashreplace").decode(encoding)
        with contextlib.suppress(OSError, ValueError):
            self._stderr.write(safe)
            self._stderr.flush()

    # What is asked

    def confirm_profile(self, account_sid: str, names: Sequence[str]) -> None:
        """Go on only if one of the profiles that protect the account was confirmed by name. Raises UsageError."""
        confirmed, name = self.options.confirm_profile, names[0]
        if confirmed is None and self.interactive:
            what = f"Account {account_sid} is protected by profile {name!r}."
            confirmed = self.ask(f"{what} Type {name} to go on: ")
        if confirmed not in names:
            raise UsageError(
                f"account {account_sid} is protected by profile {name!r}. Nothing was sent.",
                hint=f"Add --confirm-profile {name} to permit it.",
            )

    def confirm(self, *summary: str | Line, typed: str | None = None) -> None:
        """Show what will happen and go on only after a yes (or after ``typed`` was typed); --yes answers it.

        Raises UsageError without a terminal, or when the answer was no: nothing was sent.
        """
        if self.options.dry_run:
            return
        if not self.options.quiet or not self.options.yes:
            self.say(*summary)
        if self.options.yes:
            return
        if not self.interactive:
            raise UsageError(
                "the command needs a confirmation, and there is no terminal for a prompt. Nothing was sent.",
                hint="Add --yes to confirm it.",
            )
        answer = self.ask(f"Type {typed} to go on: " if typed else "Go on? [y/N] ")
        if answer == typed if typed else answer.lower() in ("y", "yes"):
            return
        raise UsageError("not confirmed. Nothing was sent.")

    def ask(self, question: str) -> str:
        """Ask on the terminal; the end of input is an empty answer."""
        self.clear()
        self.write_error(visible(question))
        answer = ""
        try:
            answer = self._answers.readline() if self._answers is not None else ""
        finally:
            if not answer.endswith("\n"):  # Ctrl-D or Ctrl-C: the cursor still stands behind the question
                self.write_error("\n")
        return answer.strip()


def is_terminal(stream: TextIO | None) -> bool:
    """Whether ``stream`` is an open terminal."""
    try:
        return stream is not None and stream.isatty()
    except (ValueError, OSError):
        return False
