"""The wish to stop, as it comes from a signal handler: so it takes no lock and never blocks."""

from __future__ import annotations

from proxyctl.errors import ProxyctlError


class StopRequest:
    """``error`` says why to stop (usually ``Interrupted``); what is under way then has ``grace`` seconds to answer."""

    def __init__(self, grace: float = 8.0) -> None:
        self.grace = grace
        self.error: ProxyctlError | None = None

    def request(self, error: ProxyctlError) -> None:
        """Ask to stop because of ``error``; the first reason stays. Safe inside a signal handler."""
        self.error = self.error or error

    def check(self) -> None:
        """Raise the reason, if there is one."""
        if self.error is not None:
            raise self.error
