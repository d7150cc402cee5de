"""A profile: whose account a command works on, with what credentials, and at which server."""

from __future__ import annotations

from dataclasses import dataclass, field

from proxyctl.profiles.secret import Secret

SANDBOX = "sandbox"
MASK = "********"  # of fixed length, and never with a character of the secret


@dataclass(frozen=True)
class Profile:
    """The account, the credentials and the server of one command.

    ``source`` says what chose it: ``--sandbox``, ``--profile``, ``PROXYCTL_PROFILE``, ``environment`` or
    ``default_profile``. ``username`` is the API key's SID or, with an auth token, the account's.
    ``notes`` are lines for stderr. The secret is in no representation of this object.
    """

    name: str
    source: str
    account_sid: str
    username: str
    stored_secret: Secret = field(repr=False, compare=False)
    base_url: str | None = None
    region: str | None = None
    edge: str | None = None
    protected: bool = False
    is_sandbox: bool = False
    notes: tuple[str, ...] = ()

    def secret(self) -> str:
        """Return the secret; a profile's command is run on first use.

        Raises AuthenticationError if the command fails, ConfigError if it can't be run at all.
        """
        return self.stored_secret.reveal()

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
        stored_secret=Secret(AUTH_TOKEN),
        is_sandbox=True,
    )
