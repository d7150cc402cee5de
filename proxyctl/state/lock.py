"""One writing run per account and Service: an flock, which the kernel drops however its holder dies."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from proxyctl.bulk.stop import StopRequest
from proxyctl.clock import Clock, SystemClock
from proxyctl.errors import LockHeldError
from proxyctl.files import open_private, take_lock
from proxyctl.state.files import state_directory, unwritable

POLL = 0.1
LONGEST_TEXT = 4096


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock, as far as its text tells."""

    pid: int | None = None
    host: str | None = None
    since: str | None = None
    command: str | None = None

    def __str__(self) -> str:
        parts = [
            f"pid {self.pid}" if self.pid is not None else "pid unknown",
            f"on {self.host}" if self.host and self.host != os.uname().nodename else "",
            f"since {self.since}" if self.since else "",
            f"running `{self.command}`" if self.command else "",
        ]
        return " ".join(part for part in parts if part)


class RunLock:
    """The lock of one Service of one account (``service_sid`` None: of the account's list of Services).

    The file stays when the lock is dropped: unlinking it would let two runs each hold "the" lock.
    """

    def __init__(
        self, directory: Path, account_sid: str, service_sid: str | None, *, clock: Clock | None = None
    ) -> None:
        name = f"{account_sid}-{service_sid or 'services'}"
        if not re.fullmatch("[0-9A-Za-z_-]{1,200}", name):
            raise ValueError("a lock is named by SIDs")
        self.service_sid = service_sid
        self._directory = directory
        self.path = directory / f"{name}.lock"
        self._clock = clock or SystemClock()
        self._descriptor: int | None = None

    def acquire(self, command: str, *, wait: float = 0.0, stop: StopRequest | None = None) -> None:
        """Take the lock, waiting at most ``wait`` seconds for its holder.

        ``command`` is what others are told about this run. Raises LockHeldError that names the holder, the
        reason of ``stop`` when that comes first, or OutputError where the file can't be had.
        """
        state_directory(self._directory)
        try:
            descriptor = open_private(self.path, os.O_RDWR | os.O_CREAT)
        except OSError as error:
            raise unwritable(self.path, error) from error
        try:
            self._lock(descriptor, wait, stop)
            self._write_text(descriptor, command)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def _lock(self, descriptor: int, wait: float, stop: StopRequest | None) -> None:
        check = stop.check if stop is not None else None
        try:
            taken = take_lock(descriptor, self._clock, wait, pause=POLL, check=check)
        except OSError as error:
            raise unwritable(self.path, error) from error
        if not taken:
            raise self._held(descriptor, wait)

    def _held(self, descriptor: int, wait: float) -> LockHeldError:
        holder = read_holder(descriptor)
        for _ in range(10):  # It may have taken the lock just now, and not have written its name yet.
            if holder.pid is not None:
                break
            self._clock.sleep(0.02)
            holder = read_holder(descriptor)
        what = f"Service {self.service_sid}" if self.service_sid else "the account's Services"
        waited = f" (after waiting {wait:g} s)" if wait else ""
        return LockHeldError(
            f"another run is writing to {what}{waited}: {holder}",
            hint="wait for it to end, or let --lock-wait DURATION do that",
        )

    def _write_text(self, descriptor: int, command: str) -> None:
        since = datetime.fromtimestamp(self._clock.now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        text = json.dumps(
            {"pid": os.getpid(), "host": os.uname().nodename, "since": since, "command": command[:1000]}
        )
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, text.encode() + b"\n", 0)
        except OSError as error:
            raise unwritable(self.path, error) from error

    def release(self) -> None:
        """Drop the lock; nothing happens when it is not held."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def read_holder(descriptor: int) -> Holder:
    """Read a lock's text; what is missing, torn or not ours to understand stays None."""
    try:
        found = json.loads(os.pread(descriptor, LONGEST_TEXT, 0))
    except (OSError, ValueError, RecursionError):
        return Holder()
    if not isinstance(found, dict):
        return Holder()
    pid = found.get("pid")
    texts = {key: found.get(key) for key in ("host", "since", "command")}
    return Holder(
        pid=pid if type(pid) is int else None,
        **{key: value for key, value in texts.items() if isinstance(value, str)},
    )


@contextmanager
def acquire_all(
    locks: Iterable[RunLock], command: str, *, wait: float = 0.0, stop: StopRequest | None = None
) -> Iterator[None]:
    """Hold several locks; taken in the order of their names, so that two runs can't wait for each other.

    ``wait`` is for all of them together.
    """
    by_path = {lock.path: lock for lock in locks}
    with ExitStack() as held:
        ends: float | None = None
        for path in sorted(by_path):
            lock = by_path[path]
            now = lock._clock.monotonic()
            ends = now + wait if ends is None else ends
            lock.acquire(command, wait=max(0.0, ends - now), stop=stop)
            held.callback(lock.release)
        yield
