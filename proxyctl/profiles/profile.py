"""A profile: whose account a command works on, with what credentials, and at which server; the rules of precedence, and
what to say where there are no credentials.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from proxyctl.errors import AuthenticationError, ConfigError, UsageError
from proxyctl.profiles.config_file import SANDBOX, checked, refuse_quotes, secret_key, usable_secret
from proxyctl.profiles.store import ProfileStore
from proxyctl.text import Lines, command_line, shown_url, visible

MASK = "********"  # of fixed length, and never with a character of the secret

ENVIRONMENT = "environment"
VARIABLES = ("account_sid", "api_key", "api_secret", "auth_token", "region", "edge")  # TWILIO_…
BASE_URL = "PROXYCTL_BASE_URL"
# Names that Twilio's own pages and other tools use, and proxyctl does not read.
OTHER_NAMES = {"TWILIO_API_KEY_SECRET": "TWILIO_API_SECRET", "TWILIO_API_KEY_SID": "TWILIO_API_KEY"}
NO_CREDENTIALS_HINT = Lines(
    "Run 'proxyctl auth login' to save a profile.",
    "Or set TWILIO_ACCOUNT_SID with TWILIO_API_KEY and TWILIO_API_SECRET (or TWILIO_AUTH_TOKEN).",
    "Or add --sandbox to use the embedded sandbox.",
)


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
    is_sandbox: bool = False
    notes: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """What people call it: the environment, or the profile by its name."""
        return ENVIRONMENT if self.source == ENVIRONMENT else f"profile {self.name}"

    @property
    def comment(self) -> str:
        """What stands behind a printed command, since no option names the environment's account; '' elsewhere."""
        return f"# account {self.account_sid}" if self.source == ENVIRONMENT else ""

    @property
    def uses_api_key(self) -> bool:
        """True where an API key signs in, false for the account's auth token."""
        return self.username != self.account_sid


def sandbox_profile(source: str) -> Profile:
    """Return the profile that always exists and opens no socket; its credentials are fixed and no secret."""
    from proxyctl.sandbox.context import ACCOUNT_SID, AUTH_TOKEN

    return Profile(SANDBOX, source, ACCOUNT_SID, ACCOUNT_SID, lambda: AUTH_TOKEN, is_sandbox=True)


def resolve_profile(
    *, option: str | None, sandbox: bool, environ: Mapping[str, str], store: ProfileStore
) -> Profile:
    """Return the profile of a command; the config file is read only where it decides.

    Order: ``--sandbox`` and ``--profile``, PROXYCTL_PROFILE, the TWILIO_* variables, the config's
    default_profile. Raises UsageError for an unknown profile and half a set of variables, ConfigError for a
    wrong config file, AuthenticationError where there are no credentials.
    """
    if sandbox and option not in (None, SANDBOX):
        what = f"--sandbox and --profile {visible(option or '')} exclude each other."
        raise UsageError(what, hint="Leave one of them out.")
    choices = {
        "--sandbox": SANDBOX if sandbox else None,
        "--profile": option,
        "PROXYCTL_PROFILE": environ.get("PROXYCTL_PROFILE", "").strip(),
    }
    for source, name in choices.items():
        if name:
            refuse_quotes(name, source, UsageError)
            return named_profile(name, source, environ=environ, store=store)
    found = environment_profile(environ)
    if found is not None:
        return found
    name = store.default_profile()
    if name is not None:
        return named_profile(name, "default_profile", environ=environ, store=store)
    hint = NO_CREDENTIALS_HINT
    if store.profiles():
        hint = Lines("Choose a profile with --profile NAME or 'proxyctl profile use NAME'.", hint)
    raise AuthenticationError("there are no credentials.", hint=Lines(*misnamed(environ), hint))


def named_profile(name: str, source: str, *, environ: Mapping[str, str], store: ProfileStore) -> Profile:
    """Return the sandbox or a profile of the config file; UsageError where there is no such profile."""
    if name == SANDBOX:
        return sandbox_profile(source)
    table, where, shown = store.get(name), store.where("profiles", name), visible(name)
    if not table.get("account_sid"):
        raise ConfigError(
            f"{where}: profile {shown!r} has no account_sid.",
            hint=f"Run '{command_line('auth', 'login', '--profile', name)}'.",
        )
    secret = secret_key(table)
    if table.get(secret) and table.get(f"{secret}_command"):
        what = f"{where}: profile {shown!r} has both {secret} and {secret}_command."
        raise ConfigError(what, hint="Keep one of them.")
    return _profile(name, source, table, lambda key: f"{where}: {key}", ConfigError, environ)


def environment_profile(environ: Mapping[str, str]) -> Profile | None:
    """Return the profile that the TWILIO_* variables make, None where none of them is set.

    Empty variables count as not set. Raises UsageError for half a set and for malformed values, which are not
    repeated: one of them may be a secret in the wrong place.
    """
    table = {key: value for key in VARIABLES if (value := environ.get(variable(key), "").strip())}
    if not table.keys() & {"account_sid", "api_key", "api_secret", "auth_token"}:
        return None
    missing = _missing(table)
    if missing:
        hint = "Set it, or unset the other TWILIO_ variables, or choose a profile with --profile."
        raise UsageError(
            f"the environment has half a set of credentials: {missing} is not set.",
            hint=Lines(*misnamed(environ), hint),
        )
    return _profile(ENVIRONMENT, ENVIRONMENT, table, variable, UsageError, environ)


def misnamed(environ: Mapping[str, str]) -> list[str]:
    """Return a sentence on each variable that is set under a name which proxyctl does not read."""
    unread = [other for other, name in OTHER_NAMES.items() if environ.get(other) and not environ.get(name)]
    return [f"proxyctl reads {OTHER_NAMES[other]}. {other} is set, and is not read." for other in unread]


def variable(key: str) -> str:
    """Return the variable that stands for a key of a profile."""
    return f"TWILIO_{key.upper()}"


def _missing(table: Mapping[str, str]) -> str | None:
    """Return the variables that half a set lacks."""
    if "account_sid" not in table:
        return "TWILIO_ACCOUNT_SID"
    if ("api_key" in table) != ("api_secret" in table):
        return "TWILIO_API_SECRET" if "api_key" in table else "TWILIO_API_KEY"
    if "api_key" in table or "auth_token" in table:
        return None
    return "TWILIO_API_KEY with TWILIO_API_SECRET, or TWILIO_AUTH_TOKEN,"


def _profile(
    name: str,
    source: str,
    table: Mapping[str, Any],
    label: Callable[[str], str],
    error: type[UsageError],
    environ: Mapping[str, str],
) -> Profile:
    """Make a profile of a table that is whole; ``error`` names a malformed value by its ``label``.

    PROXYCTL_BASE_URL is used instead of the profile's own server.
    """

    def value(key: str) -> str | None:
        return checked(table.get(key) or None, key, label(key), error)

    own_url, url = table.get("base_url") or None, environ.get(BASE_URL, "").strip()
    elsewhere = url and source != ENVIRONMENT and url.rstrip("/") != (own_url or "").rstrip("/")
    if elsewhere:
        refuse_leftover(url, name)
    account_sid = value("account_sid") or ""
    note = f"The credentials of profile {visible(name)!r} are sent to {shown_url(url)} ({BASE_URL})."
    return Profile(
        name=name,
        source=source,
        account_sid=account_sid,
        username=value("api_key") or account_sid,
        secret=_secret_of(name, table, label, error, environ),
        base_url=url or own_url,
        region=value("region"),
        edge=value("edge"),
        notes=(note,) if elsewhere else (),
    )


def refuse_leftover(url: str, name: str) -> None:
    """Raise UsageError where a saved profile would go to an http:// server that the environment names.

    That may be left over from 'sandbox env', and whoever serves there now is unknown.
    """
    if url.lower().startswith("http:"):
        unset = f"Unset {BASE_URL}, or add --sandbox to use the embedded sandbox."
        save = "If the profile is for that server, 'proxyctl auth login' saves its base_url."
        where = f"{BASE_URL} is {shown_url(url)}."
        what = f"{where} The credentials of profile {visible(name)!r} are not sent there."
        raise UsageError(what, hint=Lines(unset, save))


def _secret_of(
    name: str,
    table: Mapping[str, Any],
    label: Callable[[str], str],
    error: type[UsageError],
    environ: Mapping[str, str],
) -> Callable[[], str]:
    """Return what returns the secret: the stored one, or that of the command, which is run once."""
    key = secret_key(table)
    shown = visible(name)
    if table.get(key):
        usable = usable_secret(table[key], label(key), error)
        return lambda: usable

    command = table.get(f"{key}_command")
    if not command:
        raise AuthenticationError(
            f"profile {shown!r} has no {key}.",
            hint=f"Run '{command_line('auth', 'login', '--profile', name)}'.",
        )

    def fetch() -> str:
        from proxyctl.profiles.secret_command import secret_from_command

        return secret_from_command(command, f"profile {shown!r}: {key}_command", environ)

    return cache(fetch)
