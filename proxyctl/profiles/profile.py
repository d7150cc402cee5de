"""A profile: whose account a command works on, with what credentials, and at which server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from proxyctl.errors import ProxyctlError

SANDBOX = "sandbox"
MASK = "********"  # of fixed length, and never with a character of the secret


@dataclass(frozen=True)
class Profile:
    """The account, the credentials and the server of one command.

    ``source`` says what chose it: ``--sandbox``, ``--profile``, ``PROXYCTL_PROFILE``, ``environment`` or
    ``default_profile``. ``username`` is the API key's SID or, with an auth token, the account's.
    ``secret`` returns the secret, which is in no representation of this object; a profile's command is run by the
    first call: AuthenticationError if it fails, ConfigError if it can't be run at all. ``notes`` are for stderr.
    """

    name: str
    source: str
    account_sid: str
    username: str
    secret: Callable[[], str] = field(repr=False, compare=False)
    base_url: str | None = None
    region: str | None = None
    edge: str | None = None
    protected: bool = False
    is_sandbox: bool = False
    notes: tuple[str, ...] = ()

    @property
    def uses_api_key(self) -> bool:
        """True where an API key signs in, false for the account's auth token."""
        return self.username != self.account_sid


def sandbox_profile(source: str) -> Profile:
    """Return the profile that always exists and opens no socket; its credentials are fixed and no secret."""
    from proxyctl.sandbox.context import ACCOUNT_SID, AUTH_TOKEN

    return Profile(
        name=SANDBOX,
        source=source,
        account_sid=ACCOUNT_SID,
        username=ACCOUNT_SID,
        secret=lambda: AUTH_TOKEN,
        is_sandbox=True,
    )


def usable_secret(text: str, what: str, error: type[ProxyctlError]) -> str:
    """Return ``text`` without its line end; raise ``error`` where that is no secret that can be sent."""
    value = text.strip(" \t\r\n")
    if not value:
        raise error(f"{what} is empty.")
    if not (value.isascii() and value.isprintable()) or " " in value:
        raise error(f"{what} is not a single word of plain ASCII text, so not a secret that can be sent.")
    return value
