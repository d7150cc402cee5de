"""One writing run per account and Service: an flock, which the kernel drops however its holder dies."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from proxyctl.clock import Clock, SystemClock
from proxyctl.errors import LockHeldError
from proxyctl.files import open_private, state_directory, take_lock, writing
from proxyctl.identifiers import checked_sid
from proxyctl.text import cut

POLL = 0.1  # seconds
LONGEST_TEXT = 4096
LONGEST_COMMAND = 80  # characters: enough to recognize it by


@contextmanager
def hold(
    directory: Path,
    account_sid: str,
    service_sids: Iterable[str | None],
    command: str,
    *,
    wait: float = 0.0,
    clock: Clock | None = None,
) -> Iterator[None]:
    """Hold the locks of these Services of an account (None: of its list of Services) for the length of the block.

    ``command`` is what other runs report about this one. ``wait`` seconds are for all locks together. Raises
    LockHeldError that names the holder, or OutputError where a file can't be had.
    """
    clock = clock or SystemClock()
    services = {lock_file(directory, account_sid, sid): sid for sid in service_sids}
    give_up = clock.monotonic() + wait
    with ExitStack() as held:
        for path in sorted(services):  # in one order, so that two runs can't wait for each other
            state_directory(directory)
            with writing(path):
                descriptor = open_private(path, os.O_RDWR | os.O_CREAT)
                held.callback(os.close, descriptor)
                left = max(0.0, give_up - clock.monotonic())
                if not take_lock(descriptor, clock, left, pause=POLL):
                    what = f"Service {sid}" if (sid := services[path]) else "the account's Services"
                    waited = f" (after waiting {wait:g} s)" if wait else ""
                    raise LockHeldError(
                        f"another run is writing to {what}{waited}: {holder_of(descriptor, clock)}",
                        hint="Wait until it ends. --lock-wait DURATION waits for it.",
                    )
                write_holder(descriptor, command, clock)
        yield


def lock_file(directory: Path, account_sid: str, service_sid: str | None) -> Path:
    """Return the file of a lock. It stays when the lock is dropped: unlinked, two runs could each hold "the" lock."""
    name = "services" if service_sid is None else checked_sid(service_sid)
    return directory / f"{checked_sid(account_sid)}-{name}.lock"


def write_holder(descriptor: int, command: str, clock: Clock) -> None:
    """Write into the file who holds the lock. Raises OSError."""
    since = f"since {datetime.fromtimestamp(clock.now(), UTC):%Y-%m-%dT%H:%M:%SZ}"
    who = f"pid {os.getpid()} on {os.uname().nodename}"
    os.ftruncate(descriptor, 0)
    text = f"{who} {since} running `{cut(command, LONGEST_COMMAND)}`"
    os.pwrite(descriptor, text.encode(errors="backslashreplace"), 0)


def holder_of(descriptor: int, clock: Clock) -> str:
    """Return who holds a lock, as its file says. It may have been taken just now, and its text be on the way.

    Raises OSError.
    """
    for _ in range(10):
        if text := os.pread(descriptor, LONGEST_TEXT, 0):
            return text.decode(errors="replace")
        clock.sleep(0.02)
    return "an unknown process"
