"""The Runtime: what a command is handed. Its parts are made on first use, so that a command pays only for what it
needs, and `--help` opens nothing. What reaches the API is made in a module of its own.
"""

from __future__ import annotations

import contextlib
import math
import os
import shlex
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO

from proxyctl.clock import Clock, StopRequest, SystemClock
from proxyctl.console import FORMATS, Console, SharedOptions
from proxyctl.errors import AuthenticationError, ConfigError, OutputError, ProxyctlError, UsageError
from proxyctl.roles import Part, Role, line
from proxyctl.text import QUOTED_HINT, Lines, Redactor, in_quotes

if TYPE_CHECKING:
    from proxyctl.files import Paths
    from proxyctl.pools.account import Account
    from proxyctl.profiles.profile import Profile
    from proxyctl.profiles.store import ProfileStore
    from proxyctl.render.output import Output
    from proxyctl.render.progress import Draw, Live
    from proxyctl.runtime.access import Access
    from proxyctl.sandbox.world.store import Store
    from proxyctl.state.history import History
    from proxyctl.state.transit import Transits
    from proxyctl.writes.reading import Watch


class Runtime:
    """What came from outside (environment, streams, clock, options, signals), and the parts made from that."""

    def __init__(
        self,
        *,
        environ: Mapping[str, str] | None = None,
        stdin: TextIO | None = None,
        stdout: TextIO | None = None,
        stderr: TextIO | None = None,
        clock: Clock | None = None,
        argv: tuple[str, ...] = (),
    ) -> None:
        self.environ = os.environ if environ is None else environ
        self.stdin = stdin if stdin is not None else sys.stdin
        self.stdout = stdout if stdout is not None else sys.stdout
        self.stderr = stderr if stderr is not None else sys.stderr
        self.clock: Clock = clock or SystemClock()
        self.started, self.began = self.clock.monotonic(), self.clock.now()
        self.argv = argv
        # For the history and --summary-json: the command's name, the Services as far as known, and what came of it.
        self.verb = ""
        self.services: Sequence[str] = ()
        self.counts: Mapping[str, int] = {}
        self.errors: list[ProxyctlError] = []  # as reported
        self.console = console = Console(self.environ, self.stdin, self.stdout, self.stderr)
        # Nearly every command says something, so these have short names.
        self.say, self.note = console.say, console.note
        self.note_once = cache(console.note)  # what is read again after a question says the same
        self.warn, self.confirm = console.warn, console.confirm
        self.kept = Redactor(console.redactor)  # for what is kept on disk: nothing personal
        self.exit_stack = contextlib.ExitStack()
        self.stop = StopRequest()  # before any signal is handled
        self.bound = False  # whether data of another account than the profile's end the command
        self._warned = threading.Lock()  # taken for good by the one warning of it
        self.late_errors: list[OutputError] = []

    @property
    def draws(self) -> bool:
        """Whether a line may be redrawn on stderr: a terminal that can, and nobody who wants quiet."""
        able = self.environ.get("TERM") != "dumb"
        return self.console.terminal.stderr and able and not self.options.quiet

    def draw(self, draw: Draw, *, delay: float = 0.0) -> Live:
        """Redraw a line on the terminal until the console is cleared."""
        from proxyctl.render.progress import Live

        console = self.console
        console.clear()
        console.bar = live = Live(
            self.stderr,
            draw,
            clock=self.clock,
            screen=console.screen(True),
            delay=delay,
        )
        return live

    @contextlib.contextmanager
    def drawing(self, draw: Draw, *, delay: float = 0.0) -> Iterator[None]:
        """Redraw a line for the length of the block, where there is a terminal that can."""
        if self.draws:
            self.draw(draw, delay=delay)
        try:
            yield
        finally:
            self.console.clear()

    def waiting(self, words: Part) -> contextlib.AbstractContextManager[None]:
        """Show words for the length of the block, with the time that has passed, unless it is short."""
        return self.drawing(lambda seconds: line(words, Role.FAINT(f"  {seconds:.0f} s")), delay=0.5)

    def watch_reads(self) -> Watch | None:
        """Return what shows, on a terminal, how much was read so far."""
        if not self.draws:
            return None
        from proxyctl.render.progress import ReadLine

        return ReadLine(lambda line, delay: self.console.bar or self.draw(line, delay=delay))

    @property
    def options(self) -> SharedOptions:
        return self.console.options

    def begin(self, command: str, typed: Mapping[str, Any], given: Mapping[str, Any]) -> None:
        """Take a command as it was parsed: its name, all that was typed, and the options that several share."""
        if summary := given.get("summary_json"):
            from proxyctl.named_files import check_output_file

            check_output_file("--summary-json", summary, [typed.get("file")])
        self.verb = command.partition(" ")[2]
        named = [typed.get(name) for name in ("service_name", "source_name", "target_name")]
        self.services = [name for name in (*named, *(typed.get("services") or ())) if name]
        self.console.options = self.options._replace(**given)

    def close(self) -> None:
        """Close what was opened; let completion know the profiles, if the config file was read."""
        self.console.clear()
        if "store" in vars(self):
            from proxyctl.completion.names import remember_profiles

            remember_profiles(self)
        self.exit_stack.close()

    @property
    def time_left(self) -> float | None:
        """Seconds until --deadline, counted from the start of the command; None without one."""
        if self.options.deadline is None:
            return None
        return max(0.0, self.started + self.options.deadline - self.clock.monotonic())

    # Who

    @cached_property
    def store(self) -> ProfileStore:
        """The config file."""
        from proxyctl.profiles.store import ProfileStore

        return ProfileStore(lambda: self.paths.config_file, clock=self.clock)

    @cached_property
    def profile(self) -> Profile:
        """Whose account this command works on, with what credentials, and at which server."""
        from proxyctl.profiles.profile import resolve_profile

        profile = resolve_profile(
            option=self.options.profile,
            sandbox=self.options.sandbox,
            environ=self.environ,
            store=self.store,
        )
        self.console.environment_account = profile.comment
        for text in profile.notes:
            self.note(text)
        return profile

    def learn_secret(self) -> None:
        """Let no text show the profile's secret from now on; the sandbox's is none."""
        if not self.profile.is_sandbox:
            self.console.redactor.add(self.profile.secret())

    @cached_property
    def command(self) -> str:
        """What was typed, as locks and the history keep it: without the secret, which is fetched for that."""
        self.learn_secret()
        return shlex.join(["proxyctl", *map(self.kept.clean, self.argv)])

    def guard_writes(self) -> None:
        """Let data of another account end the command from now on; refuse a write as `guard_account` does."""
        self.bound = True
        self.guard_account(self.profile.account_sid)

    def guard_account(self, account_sid: str) -> None:
        """Refuse a write on an account that a profile protects, unless such a profile was confirmed by name."""
        names = [] if self.options.dry_run else self.protecting(self.profile, account_sid)
        if names:
            self.console.confirm_profile(account_sid, names)

    def protecting(self, profile: Profile, account_sid: str) -> list[str]:
        """Return the names of the profiles that protect an account, ``profile`` first."""
        names = [] if profile.is_sandbox else self.store.protecting(account_sid)
        return sorted(names, key=lambda name: name != profile.name)

    def stranger(self, error: AuthenticationError) -> None:
        """Warn once that what was read is another account's. Where something is to be written, that is the end."""
        if self.bound:
            raise error
        if self._warned.acquire(blocking=False):
            self.warn(Lines(error.message, error.hint))

    @property
    def data_account(self) -> str:
        """The account whose data there are: the profile's, unless answers have shown another."""
        owner = self.access.client.owner
        return owner.sid if owner.sid and owner.stranger else self.profile.account_sid

    # The API

    @cached_property
    def access(self) -> Access:
        """The client, and the gates and the reader in front of it."""
        from proxyctl.runtime.access import Access

        return Access(self)

    @cached_property
    def account(self) -> Account:
        """What is asked about the account: each question once, and once more with the lock."""
        from proxyctl.pools.account import Account  # a list of Services needs none

        return Account(self.access.reader)

    # Files

    def open_input(self) -> BinaryIO | None:
        """Return stdin for what reads a file. No part of the file is quoted with the profile's secret from now on."""
        with contextlib.suppress(ProxyctlError):  # it is reported when credentials are needed
            self.learn_secret()
        return getattr(self.stdin, "buffer", None)

    @cached_property
    def paths(self) -> Paths:
        from proxyctl.files import Paths

        return Paths(self.environ)

    @cached_property
    def history(self) -> History:
        """The records of writes."""
        from proxyctl.state.history import History

        directory = self.paths.state_dir / "history"
        return History(directory, clock=self.clock, clean=self.kept.clean)

    @cached_property
    def transits(self) -> Transits:
        """The runs on this account that may have left numbers in transit."""
        from proxyctl.state.transit import Transits

        return Transits(self.paths.state_dir / "transit", self.profile.account_sid)

    @contextlib.contextmanager
    def lock(self, *service_sids: str | None) -> Iterator[None]:
        """Hold the locks of these Services of the account (None: of its list of Services), for writing.

        Raises LockHeldError that names the holder. --dry-run needs none, and --no-history goes without where
        the state directory can't be written.
        """
        from proxyctl.files import STATE_HINT, refuse_foreign_state
        from proxyctl.state.lock import hold

        options = self.options
        if options.dry_run:
            yield
            return
        account = self.profile.account_sid
        held = contextlib.ExitStack()
        try:
            refuse_foreign_state(self.paths.state_dir)
            directory = self.paths.state_dir / "locks"
            wait = min(options.lock_wait, math.inf if self.time_left is None else self.time_left)
            with self.waiting(Role.WARNING("waiting for another run")):
                held.enter_context(
                    hold(directory, account, service_sids, self.command, wait=wait, clock=self.clock)
                )
        except (OutputError, ConfigError) as error:
            if not options.no_history:
                error.message = f"the lock can't be taken, and nothing was sent: {error.message}"
                error.hint = error.hint if isinstance(error, OutputError) else STATE_HINT
                raise
            self.warn("no lock could be taken. Another run may write at the same time.")
        with held:
            self.account.forget()  # what was read before may be out of date
            yield

    @cached_property
    def sandbox_store(self) -> Store:
        """The sandbox's database, or that of its subaccount --also."""
        from proxyctl.sandbox.world.store import Store, beside

        path = beside(self.paths.sandbox_file(self.options.database), self.options.subaccount)
        return self.exit_stack.enter_context(contextlib.closing(Store(path)))

    # Output

    def asked_format(self) -> str | None:
        """Return the output format that the option, else the environment, else the config asks for."""
        asked = self.options.output or self.environ.get("PROXYCTL_OUTPUT")
        if asked and asked not in FORMATS:
            what = f"PROXYCTL_OUTPUT={asked!r} is not an output format."
            hint = QUOTED_HINT if in_quotes(asked) else f"Use {', '.join(FORMATS)}."
            raise UsageError(what, hint=hint)
        try:
            return asked or self.store.default_output()
        except ConfigError:
            if self.options.sandbox:  # The sandbox needs no config, so a broken one must not keep it away.
                return None
            raise

    @cached_property
    def format(self) -> str:
        """The output format: what was asked for, else by what stdout is."""
        return self.asked_format() or self.usual_format

    @property
    def usual_format(self) -> str:
        """The output format where none is asked for."""
        return "table" if self.console.terminal.stdout else "tsv"

    @cached_property
    def out(self) -> Output:
        """What prints rows and values on stdout."""
        return self.output(self.format, self.options.fields)

    def output(self, output_format: str, fields: str | None = None) -> Output:
        """Return what prints on stdout in a format."""
        from proxyctl.render.output import Output

        on_terminal = self.console.terminal.stdout
        return Output(
            output_format,
            fields=fields,
            header=not self.options.no_header,
            silent=self.options.silent,
            stdout=self.stdout,
            screen=lambda: self.console.screen(on_terminal),
            before=self.console.clear if on_terminal else None,
        )
