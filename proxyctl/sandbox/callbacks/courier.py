"""Callbacks of a server: made by threads of their own, so that a slow or dead receiver holds up no request."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from typing import Any

from proxyctl.errors import ProxyctlError
from proxyctl.sandbox.callbacks.delivery import Caller
from proxyctl.sandbox.context import Answer, Callback
from proxyctl.sandbox.world.store import Store

_THREADS = 8
_WAITING_AT_MOST = 2000  # callbacks of one thread, those past it are not made
_ASKED_AT_ONCE = 256  # fewer than there are connections: some are left for other requests
_FINISH = 0.5  # seconds for what is under way when the server ends

_TOO_MANY = "too many callbacks wait for a slow receiver"

_Owed = tuple[Store, Callback] | None


class Courier(Caller):
    """A caller that lets nobody wait for what a request owes. Those of a Session go out in their order."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._asking = threading.Semaphore(_ASKED_AT_ONCE)
        self._queues: list[queue.SimpleQueue[_Owed]] = [queue.SimpleQueue() for _ in range(_THREADS)]
        self._threads = [
            threading.Thread(target=self._work, args=(owed,), name="callbacks", daemon=True)
            for owed in self._queues
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Courier:
        return self

    def __exit__(self, *_: object) -> None:
        """End the threads; what still waits is not called."""
        deadline = time.monotonic() + _FINISH
        for owed in self._queues:
            with contextlib.suppress(queue.Empty):
                while True:
                    owed.get_nowait()
            owed.put(None)
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def call(self, store: Store, callback: Callback) -> Answer:
        """Make the call of a request, which waits for the answer."""
        if not self._asking.acquire(blocking=False):
            return self.keep(store, callback, Answer(), _TOO_MANY)
        try:
            return super().call(store, callback)
        finally:
            self._asking.release()

    def deliver(self, store: Store, callbacks: list[Callback]) -> None:
        for callback in callbacks:
            session = callback.parameters.get("interactionSessionSid", callback.service_sid)
            self._queues[hash(session) % _THREADS].put((store, callback))

    def _work(self, queued: queue.SimpleQueue[_Owed]) -> None:
        while (owed := queued.get()) is not None:
            with contextlib.suppress(ProxyctlError):  # the database is closed, or too busy to keep a record
                if queued.qsize() < _WAITING_AT_MOST:
                    super().call(*owed)
                else:
                    self.keep(*owed, Answer(), _TOO_MANY)
