"""The wish to stop, as it comes from a signal handler: so it takes no lock and never blocks."""

from __future__ import annotations

from collections.abc import Callable

from proxyctl.errors import ProxyctlError


class StopRequest:
    """Set once, by ``request``; what is under way then has ``grace`` seconds to answer."""

    def __init__(self, grace: float = 8.0) -> None:
        self.grace = grace
        self._error: ProxyctlError | None = None
        self._listeners: list[Callable[[], None]] = []

    @property
    def error(self) -> ProxyctlError | None:
        """Why to stop (usually ``Interrupted``), or None."""
        return self._error

    def request(self, error: ProxyctlError) -> None:
        """Ask to stop because of ``error``; the first reason stays. Safe inside a signal handler."""
        if self._error is None:
            self._error = error
        for wake in tuple(self._listeners):
            wake()

    def check(self) -> None:
        """Raise the reason, if there is one."""
        if self._error is not None:
            raise self._error

    def subscribe(self, wake: Callable[[], None]) -> None:
        """Have ``wake`` called at the request; it must be safe inside a signal handler."""
        self._listeners.append(wake)

    def unsubscribe(self, wake: Callable[[], None]) -> None:
        """Undo ``subscribe``."""
        self._listeners.remove(wake)
