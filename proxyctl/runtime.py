"""The Runtime: what a command is handed. Each part is made on first use, so that a command pays only for what
it needs, and `--help` opens nothing.
"""

from __future__ import annotations

import contextlib
import math
import os
import random
import shlex
import sys
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, TextIO

from proxyctl.clock import Clock, SystemClock
from proxyctl.console import FORMATS, Console, SharedOptions
from proxyctl.errors import ConfigError, OutputError, UsageError
from proxyctl.stop import StopRequest

if TYPE_CHECKING:
    from proxyctl.api.client import ProxyClient
    from proxyctl.api.retry import GiveUp
    from proxyctl.bulk.gates import Gates
    from proxyctl.paths import Paths
    from proxyctl.profiles import Profile, ProfileStore
    from proxyctl.render.output import Output
    from proxyctl.sandbox.world.store import Store
    from proxyctl.state.history import History
    from proxyctl.writes.reading import Reader

# Clients of 10 connections each, made as they are needed: one big pool is slower (it is scanned for each request).
CLIENTS = 10
RATE = 30.0  # requests a second for each endpoint of a Service, as Twilio documents it


class Runtime:
    """Profile, client, output, clock and the rest, each made on first use."""

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
        self.started = self.clock.monotonic()
        self.argv = argv
        self.options = SharedOptions()
        self.console = console = Console(self.environ, self.stdin, self.stdout, self.stderr)
        # Nearly every command says something, so these have short names.
        self.say, self.note = console.say, console.note
        self.warn, self.confirm = console.warn, console.confirm
        self.exit_stack = contextlib.ExitStack()
        self.stop = StopRequest()  # before any signal is handled
        self.running = False  # a signal asks to stop, instead of ending the command at once
        self.ending = False  # all that is left is to report
        self.late_errors: list[OutputError] = []

    def use(self, options: SharedOptions) -> None:
        """Take the options that the command line gave."""
        self.options = self.console.options = options

    def close(self) -> None:
        """Close what was opened; let completion know the profiles, if the config file was read."""
        if "store" in vars(self):
            from proxyctl.completion.remembering import remember_profiles

            remember_profiles(self)
        self.exit_stack.close()

    @property
    def time_left(self) -> float | None:
        """Seconds until --deadline, counted from the start of the command; None without one."""
        if self.options.deadline is None:
            return None
        return max(0.0, self.started + self.options.deadline - self.clock.monotonic())

    @cached_property
    def paths(self) -> Paths:
        from proxyctl.paths import Paths

        return Paths.from_environ(self.environ)

    @cached_property
    def store(self) -> ProfileStore:
        from proxyctl.profiles import ProfileStore

        return ProfileStore(lambda: self.paths.config_file, clock=self.clock)

    @cached_property
    def profile(self) -> Profile:
        from proxyctl.profiles import resolve_profile

        profile = resolve_profile(
            option=self.options.profile,
            sandbox=self.options.sandbox,
            environ=self.environ,
            store=self.store,
        )
        for text in profile.notes:
            self.note(text)
        return profile

    @cached_property
    def sandbox_store(self) -> Store:
        """The default sandbox's database."""
        from proxyctl.sandbox.world.store import Store

        return self.exit_stack.enter_context(contextlib.closing(Store(self.sandbox_file)))

    @property
    def sandbox_file(self) -> str:
        """Where the default sandbox keeps its state."""
        return str(self.paths.data_dir / "sandbox.db")

    @cached_property
    def client(self) -> ProxyClient:
        return self.exit_stack.enter_context(self.client_for(self.profile))

    def client_for(self, profile: Profile) -> ProxyClient:
        """Make a client for ``profile``; the caller closes it."""
        from proxyctl.api.client import Credentials, Endpoint, ProxyClient

        def secret() -> str:
            value = profile.secret()
            if not profile.is_sandbox:
                self.console.redactor.add(value)
            return value

        transport = None
        if profile.is_sandbox:
            from proxyctl.sandbox.behaviour import Sandbox
            from proxyctl.sandbox.server.transport import IN_PROCESS_URL, SandboxTransport

            transport = SandboxTransport(Sandbox(self.sandbox_store, clock=self.clock))
            endpoint = Endpoint.at(IN_PROCESS_URL)
        elif profile.base_url:
            endpoint = Endpoint.at(profile.base_url)
        else:
            endpoint = Endpoint.twilio(profile.region, profile.edge)
        return ProxyClient(
            endpoint,
            Credentials(profile.account_sid, profile.username, secret),
            transport=transport,
            timeout=self.options.timeout,
            retries=self.options.retries,
            clock=self.clock,
            log=self.console.log_request if self.options.verbose else None,
            redactor=self.console.redactor,
            clients=CLIENTS,
            give_up=self.give_up,
        )

    @property
    def give_up(self) -> GiveUp | None:
        """The end of the command by --deadline, for the client."""
        from proxyctl.api.retry import GiveUp

        deadline = self.options.deadline
        return None if deadline is None else GiveUp(deadline, lambda: self.time_left or 0.0)

    @property
    def server_now(self) -> float | None:
        """The server's clock by its latest answer, in seconds since 1970; None where it is no other than ours."""
        return None if self.profile.is_sandbox else self.client.server_now

    @cached_property
    def history(self) -> History:
        from proxyctl.state.history import History

        return History(self.paths.state_dir / "history", clock=self.clock)

    @cached_property
    def gates(self) -> Gates:
        """Where each request asks whether it may start: --rate, and --concurrency or what may be open at once."""
        from proxyctl.bulk.gates import Gates
        from proxyctl.bulk.threads import affordable_ceiling

        options = self.options
        unpaced = self.profile.is_sandbox  # in process there is no limit to keep
        ceiling = affordable_ceiling(options.concurrency or CLIENTS * 10)
        return Gates(
            options.rate if options.rate is not None else 0.0 if unpaced else RATE,
            random=random.random,
            ceiling=ceiling,
            start=4 if options.concurrency is None else max(4, ceiling // 4),
            clock=self.clock,
        )

    @cached_property
    def reader(self) -> Reader:
        """What reads many lists at once for this command, within the limits."""
        from proxyctl.writes.reading import Reader

        return Reader(self.client, self.gates)

    def reader_of(self, client: ProxyClient) -> Reader:
        """A reader of a client that is tried out: within no limits, since it sends next to nothing."""
        from proxyctl.bulk.gates import Gates
        from proxyctl.writes.reading import Reader

        return Reader(client, Gates(0.0, random=random.random, clock=self.clock))

    @contextlib.contextmanager
    def lock(self, *service_sids: str | None) -> Iterator[None]:
        """Hold the locks of these Services of the account (None: of its list of Services), for writing.

        Raises LockHeldError that names the holder. --dry-run needs none, and --no-history goes without where
        the state directory can't be written.
        """
        from proxyctl.files import STATE_HINT
        from proxyctl.state.lock import hold

        if self.options.dry_run:
            yield
            return
        account = self.profile.account_sid
        held = contextlib.ExitStack()
        command = shlex.join(["proxyctl", *self.argv])
        try:
            directory = self.paths.state_dir / "locks"
            wait = min(self.options.lock_wait, math.inf if self.time_left is None else self.time_left)
            held.enter_context(hold(directory, account, service_sids, command, wait=wait, clock=self.clock))
        except (OutputError, ConfigError) as error:
            if not self.options.no_history:
                hint = error.hint if isinstance(error, OutputError) else STATE_HINT
                raise type(error)(
                    f"the lock can't be taken, so nothing was sent: {error.message}", hint=hint
                ) from None
            self.warn("no lock could be taken: another run may be writing at the same time.")
        with held:
            yield

    @contextlib.contextmanager
    def stoppable(self) -> Iterator[None]:
        """From here on a signal asks the run to stop (`stop`), instead of ending the command at once.

        It does so after the block too: what was done there has yet to be reported.
        """
        self.running = True
        yield

    @contextlib.contextmanager
    def interruptible(self) -> Iterator[None]:
        """While this holds, a signal raises Signalled at once, although something was written before.

        For waiting and reading between writes; whoever uses it catches that, and reports what was done.
        """
        self.running = False
        try:
            self.stop.check()
            yield
        finally:
            self.running = True

    # Output

    @cached_property
    def format(self) -> str:
        """The output format: the option, else the environment, else the config, else by what stdout is."""
        if self.options.output:
            return self.options.output
        asked = self.environ.get("PROXYCTL_OUTPUT")
        if not asked:
            return self._configured_format() or ("table" if self.console.terminal.stdout else "tsv")
        if asked not in FORMATS:
            raise UsageError(
                f"PROXYCTL_OUTPUT={asked!r} is not an output format.", hint=f"Use {', '.join(FORMATS)}."
            )
        return asked

    def _configured_format(self) -> str | None:
        try:
            return self.store.default_output()
        except ConfigError:
            if self.options.sandbox:  # The sandbox needs no config, so a broken one must not keep it away.
                return None
            raise

    @cached_property
    def out(self) -> Output:
        from proxyctl.render.output import Output

        fields = self.options.fields
        return Output(
            self.format,
            fields=None if fields is None else [name.strip() for name in fields.split(",")],
            header=not self.options.no_header,
            stdout=self.stdout,
            color=self.console.color_on(self.console.terminal.stdout),
            width=self.console.width if self.console.terminal.stdout else None,
            ascii_only=self.console.ascii_only,
        )

    def guard_writes(self) -> None:
        """Refuse a write with a protected profile that was not confirmed by name."""
        if self.profile.protected and not self.options.dry_run:
            self.console.confirm_profile(self.profile.name)
