"""Which credentials win: the rules of precedence, and what to say where there are none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from proxyctl.errors import AuthenticationError, ConfigError, UsageError
from proxyctl.profiles.profile import SANDBOX, Profile, sandbox_profile, usable_secret
from proxyctl.profiles.schema import checked
from proxyctl.profiles.store import ProfileStore
from proxyctl.visible import visible

ENVIRONMENT = "environment"
BASE_URL = "PROXYCTL_BASE_URL"
NO_CREDENTIALS_HINT = (
    "Run 'proxyctl auth login' to save a profile.\n"
    "Or set TWILIO_ACCOUNT_SID with TWILIO_API_KEY and TWILIO_API_SECRET (or TWILIO_AUTH_TOKEN).\n"
    "Or add --sandbox to use the embedded sandbox."
)


def resolve_profile(
    *, option: str | None, sandbox: bool, environ: Mapping[str, str], store: ProfileStore
) -> Profile:
    """Return the profile of a command; the config file is read only where it decides.

    Order: ``--sandbox`` and ``--profile``, PROXYCTL_PROFILE, the TWILIO_* variables, the config's
    default_profile. Raises UsageError for an unknown profile and half a set of variables, ConfigError for a
    wrong config file, AuthenticationError where there are no credentials.
    """
    if sandbox and option not in (None, SANDBOX):
        raise UsageError(
            f"--sandbox and --profile {visible(option or '')} exclude each other.",
            hint="Leave one of them out.",
        )
    variables = _without_empty(environ)
    choices = {
        "--sandbox": SANDBOX if sandbox else None,
        "--profile": option,
        "PROXYCTL_PROFILE": variables.get("PROXYCTL_PROFILE"),
    }
    for source, name in choices.items():
        if name:
            return named_profile(name, source, environ=environ, store=store)
    found = environment_profile(environ)
    if found is not None:
        return found
    name = store.default_profile()
    if name is None:
        raise _no_credentials(store)
    return named_profile(name, "default_profile", environ=environ, store=store)


def named_profile(name: str, source: str, *, environ: Mapping[str, str], store: ProfileStore) -> Profile:
    """Return the sandbox or a profile of the config file; UsageError where there is no such profile."""
    if name == SANDBOX:
        return sandbox_profile(source)
    table = store.get(name)
    where = store.where("profiles", name)
    sid = _value(table, "account_sid", where)
    if not sid:
        raise ConfigError(
            f"{where}: profile {visible(name)!r} has no account_sid.",
            hint=f"Run 'proxyctl auth login --profile {visible(name)}'.",
        )
    username, secret = _stored_credentials(name, table, where, sid, environ)
    profile = Profile(
        name=name,
        source=source,
        account_sid=sid,
        username=username,
        secret=secret,
        base_url=table.get("base_url") or None,
        region=_value(table, "region", where),
        edge=_value(table, "edge", where),
        protected=table.get("protected", False),
    )
    return at_base_url(profile, environ)


def _stored_credentials(
    name: str, table: Mapping[str, Any], where: str, account_sid: str, environ: Mapping[str, str]
) -> tuple[str, Callable[[], str]]:
    """Return user name and secret; the key pair is preferred over the token, as Twilio's own tools do."""
    key = _value(table, "api_key", where)
    username, field = (key, "api_secret") if key else (account_sid, "auth_token")
    value, command = table.get(field), table.get(f"{field}_command")
    shown = visible(name)
    if value and command:
        raise ConfigError(
            f"{where}: profile {shown!r} has both {field} and {field}_command.", hint="Keep one of them."
        )
    if value:
        secret = usable_secret(value, f"{where}: {field}", ConfigError)
        return username, lambda: secret
    if command:
        what = f"profile {shown!r}: {field}_command"
        return username, cache(lambda: _run(command, what, environ))
    missing = "api_secret for its api_key" if key else "auth_token, and no api_key with api_secret"
    raise AuthenticationError(
        f"profile {shown!r} has no {missing}.", hint=f"Run 'proxyctl auth login --profile {shown}'."
    )


def _run(command: str, what: str, environ: Mapping[str, str]) -> str:
    from proxyctl.profiles.secret_command import secret_from_command

    return secret_from_command(command, what, environ)


def _value(table: Mapping[str, Any], field: str, where: str) -> str | None:
    return checked(table.get(field) or None, field, f"{where}: {field}", ConfigError)


def environment_profile(environ: Mapping[str, str]) -> Profile | None:
    """Return the profile that the TWILIO_* variables make, None where none of them is set.

    Empty variables count as not set. Raises UsageError for half a set and for malformed values, which are not
    repeated: one of them may be a secret in the wrong place.
    """
    variables = _without_empty(environ)
    sid, key, secret, token = (
        variables.get(f"TWILIO_{name}") for name in ("ACCOUNT_SID", "API_KEY", "API_SECRET", "AUTH_TOKEN")
    )
    if not (sid or key or secret or token):
        return None
    missing = _missing(sid, key, secret, token)
    if missing:
        raise UsageError(
            f"the environment has half a set of credentials: {missing} is not set.",
            hint="Set it, or unset the other TWILIO_ variables, or choose a profile with --profile.",
        )
    assert sid is not None
    what = "TWILIO_API_SECRET" if key else "TWILIO_AUTH_TOKEN"
    usable = usable_secret(variables[what], what, UsageError)
    profile = Profile(
        name=ENVIRONMENT,
        source=ENVIRONMENT,
        account_sid=_variable(variables, "account_sid") or sid,
        username=_variable(variables, "api_key") or sid,
        secret=lambda: usable,
        region=_variable(variables, "region"),
        edge=_variable(variables, "edge"),
    )
    return at_base_url(profile, environ)


def _missing(sid: str | None, key: str | None, secret: str | None, token: str | None) -> str | None:
    if not sid:
        return "TWILIO_ACCOUNT_SID"
    if key and not secret:
        return "TWILIO_API_SECRET"
    if secret and not key:
        return "TWILIO_API_KEY"
    return None if key or token else "TWILIO_API_KEY with TWILIO_API_SECRET, or TWILIO_AUTH_TOKEN,"


def _variable(variables: Mapping[str, str], field: str) -> str | None:
    name = f"TWILIO_{field.upper()}"
    return checked(variables.get(name), field, name, UsageError)


def _without_empty(environ: Mapping[str, str]) -> dict[str, str]:
    known = ("PROXYCTL_PROFILE", BASE_URL, *(name for name in environ if name.startswith("TWILIO_")))
    return {name: value for name in known if (value := environ.get(name, "").strip())}


def at_base_url(profile: Profile, environ: Mapping[str, str]) -> Profile:
    """Let PROXYCTL_BASE_URL win over the profile's own server, and say so where that is another."""
    url = environ.get(BASE_URL, "").strip()
    if not url:
        return profile
    notes = profile.notes
    if profile.base_url and profile.base_url.rstrip("/") != url.rstrip("/"):
        notes += (f"{BASE_URL} is used instead of the base_url of profile {visible(profile.name)!r}.",)
    return replace(profile, base_url=url, notes=notes)


def _no_credentials(store: ProfileStore) -> AuthenticationError:
    hint = NO_CREDENTIALS_HINT
    saved = list(store.profiles())
    if saved:
        hint = f"Choose a profile with --profile NAME or 'proxyctl profile use NAME'.\n{hint}"
    return AuthenticationError("there are no credentials.", hint=hint)
