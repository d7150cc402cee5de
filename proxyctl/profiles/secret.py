"""A secret that is known, or that is fetched when first needed; shown in no representation."""

from __future__ import annotations

import threading
from collections.abc import Callable

from proxyctl.errors import ProxyctlError


class Secret:
    """Either a value or a way to fetch one, which is used once; safe to share between threads."""

    def __init__(self, value: str | Callable[[], str]) -> None:
        self._value = value if isinstance(value, str) else None
        self._fetch = value if callable(value) else None
        self._lock = threading.Lock()

    def reveal(self) -> str:
        """Return the secret itself."""
        with self._lock:
            if self._value is None:
                assert self._fetch is not None
                self._value = self._fetch()
            return self._value

    def __repr__(self) -> str:
        return "Secret(********)"

    def __reduce__(self) -> str:
        raise TypeError("a secret is not pickled")


def usable_secret(text: str, what: str, error: type[ProxyctlError]) -> str:
    """Return ``text`` without its line end; raise ``error`` where that is no secret that can be sent."""
    value = text.strip(" \t\r\n")
    if not value:
        raise error(f"{what} is empty.")
    if not (value.isascii() and value.isprintable()) or " " in value:
        raise error(f"{what} is not a single word of plain ASCII text, so not a secret that can be sent.")
    return value
