"""What a command keeps on disk: the history, the locks, and the sandbox's database."""

from __future__ import annotations

import contextlib
import math
import shlex
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from proxyctl.errors import ConfigError, OutputError
from proxyctl.files import STATE_HINT
from proxyctl.state.history import History
from proxyctl.state.lock import hold

if TYPE_CHECKING:
    from proxyctl.runtime import Runtime
    from proxyctl.sandbox.world.store import Store


class Disk:
    """The files of one command, each opened on first use."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    @cached_property
    def history(self) -> History:
        return History(self._runtime.paths.state_dir / "history", clock=self._runtime.clock)

    @contextlib.contextmanager
    def lock(self, *service_sids: str | None) -> Iterator[None]:
        """Hold the locks of these Services of the account (None: of its list of Services), for writing.

        Raises LockHeldError that names the holder. --dry-run needs none, and --no-history goes without where
        the state directory can't be written.
        """
        runtime, options = self._runtime, self._runtime.options
        if options.dry_run:
            yield
            return
        account = runtime.profile.account_sid
        held = contextlib.ExitStack()
        command = shlex.join(["proxyctl", *runtime.argv])
        try:
            directory = runtime.paths.state_dir / "locks"
            wait = min(options.lock_wait, math.inf if runtime.time_left is None else runtime.time_left)
            held.enter_context(
                hold(directory, account, service_sids, command, wait=wait, clock=runtime.clock)
            )
        except (OutputError, ConfigError) as error:
            if not options.no_history:
                hint = error.hint if isinstance(error, OutputError) else STATE_HINT
                raise type(error)(
                    f"the lock can't be taken, so nothing was sent: {error.message}", hint=hint
                ) from None
            runtime.warn("no lock could be taken: another run may be writing at the same time.")
        with held:
            runtime.account.forget()  # what was read before may be out of date
            yield

    @property
    def sandbox_file(self) -> str:
        """Where the default sandbox keeps its state."""
        return str(self._runtime.paths.data_dir / "sandbox.db")

    @cached_property
    def sandbox_store(self) -> Store:
        """The default sandbox's database."""
        from proxyctl.sandbox.world.store import Store

        return self._runtime.exit_stack.enter_context(contextlib.closing(Store(self.sandbox_file)))
