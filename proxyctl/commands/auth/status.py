"""What `auth status` and `profile list` do: whose credentials there are, which are used, and whether they work."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import Any

from proxyctl.api.resources import SERVICES
from proxyctl.bulk.gates import Gates
from proxyctl.errors import ProxyctlError, TemporaryError, UsageError
from proxyctl.profiles.config_file import SANDBOX, secret_key
from proxyctl.profiles.profile import MASK, Profile, environment_profile, named_profile, sandbox_profile
from proxyctl.profiles.store import shown_value
from proxyctl.render.shapes import CREDENTIALS, PROFILE
from proxyctl.roles import Role, line
from proxyctl.runtime import Runtime
from proxyctl.writes.reading import Reader

OF_PROFILE = ("source", "account_sid", "username", "secret", "base_url", "region", "edge")


def show_status(runtime: Runtime, *, all_profiles: bool) -> None:
    """Print the profile that commands use here, or all, and whether they work; raises the error where one does not."""
    if all_profiles:
        show_all(runtime)
        return
    profile = runtime.profile
    error = failure(runtime, profile)
    sign = Role.BAD("✗ fails") if error else Role.GOOD("✓ works")
    verdict = line(sign, "  profile ", Role.NAME(profile.name), Role.FAINT(f"  {profile.account_sid}"))
    row = status_row(runtime, profile.name, profile, error)
    runtime.out.one(CREDENTIALS, row, verdict=verdict, said=("profile", "account_sid", "works", "problem"))
    if error is not None:
        raise error


def show_all(runtime: Runtime) -> None:
    """Print a row for each profile; raises the first error of those that do not work."""
    rows, errors = [], []
    for name, found in every_profile(runtime):
        if isinstance(found, ProxyctlError):
            error: ProxyctlError | None = found
        else:
            error = None if found.is_sandbox else failure(runtime, found)
        rows.append(status_row(runtime, name, found, error))
        errors += [] if error is None else [error]
    if runtime.format == "table" and runtime.console.terminal.stdout:
        rows = [{**row, "works": line(Role.GOOD("✓") if row["works"] else Role.BAD("✗"))} for row in rows]
    runtime.out.rows(CREDENTIALS, [rows])
    # Credentials that are refused matter more than a server that could not be asked.
    errors.sort(key=lambda error: isinstance(error, TemporaryError))
    if errors:
        raise errors[0]


def every_profile(runtime: Runtime) -> Iterator[tuple[str, Profile | ProxyctlError]]:
    """Yield the environment's credentials, the profiles and the sandbox, or why one can't be used."""
    environ, store = runtime.environ, runtime.store
    try:
        found = environment_profile(environ)
        if found is not None:
            yield found.name, found
    except UsageError as error:
        yield "environment", error
    for name in store.profiles():
        try:
            yield name, named_profile(name, "config", environ=environ, store=store)
        except ProxyctlError as error:
            yield name, error
    yield SANDBOX, sandbox_profile("built in")


def failure(runtime: Runtime, profile: Profile) -> ProxyctlError | None:
    """Return why the profile's credentials do not work, None where they do."""
    try:
        try_out(runtime, profile)
    except ProxyctlError as error:
        return error
    return None


def status_row(
    runtime: Runtime, name: str, found: Profile | ProxyctlError, error: ProxyctlError | None
) -> dict[str, Any]:
    """Return what may be shown of a profile, or of one that can't be used: of its secret, only that there is one."""
    row: dict[str, Any] = dict.fromkeys(CREDENTIALS.fields)
    if isinstance(found, Profile):
        row |= {field: shown_value(field, getattr(found, field)) for field in OF_PROFILE} | {"secret": MASK}
        row["protected"] = bool(runtime.protecting(found, found.account_sid))
    return row | {
        "profile": name,
        "works": error is None,
        "problem": None if error is None else error.message,
    }


def try_out(runtime: Runtime, profile: Profile) -> None:
    """List one Service: the cheapest request that needs working credentials."""
    with runtime.access.client_for(profile) as client:
        gates = Gates(
            0.0, random=random.random, clock=runtime.clock
        )  # next to nothing is sent, so without limits
        Reader(client, gates).request(SERVICES.list(page_size=1))


def list_profiles(runtime: Runtime) -> None:
    """Print the profiles of the config file, and the sandbox."""
    store = runtime.store
    default = store.get_value("default_profile")
    tables = {**store.profiles(), SANDBOX: {"account_sid": sandbox_profile("").account_sid}}
    runtime.out.rows(PROFILE, [[profile_row(name, tables[name], name == default) for name in tables]])


def profile_row(name: str, table: Mapping[str, Any], default: bool) -> dict[str, Any]:
    """Return what may be shown of a profile: everything but its secret, and the command that prints it.

    ``auth`` is what signs in, with ``(command)`` where a command prints the secret.
    """
    key = secret_key(table)
    auth = "api_key" if table.get("api_key") else "auth_token"
    if not table.get(key):
        auth = f"{auth} (command)" if table.get(f"{key}_command") else ""
    return {
        "name": name,
        "default": default,
        "account_sid": table.get("account_sid"),
        "auth": auth or None,
        **{key: shown_value(key, table.get(key)) for key in ("base_url", "region", "edge")},
        "protected": table.get("protected", False),
    }
