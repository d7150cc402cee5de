"""`proxyctl profile`: list, choose and remove the profiles of the config file."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from proxyctl.commands.options import DATA, DRY_RUN, MESSAGES, argument, shared
from proxyctl.runtime import Runtime

app = typer.Typer(
    epilog="""Examples:
  proxyctl profile list
  proxyctl profile use prod
"""
)

NameArgument = Annotated[str, argument("NAME", "The name of a profile.")]


@app.command("list")
@shared(MESSAGES, DATA)
def list_profiles(ctx: typer.Context) -> None:
    """List the profiles of the config file, and the sandbox, which always exists."""
    from proxyctl.profiles import SANDBOX, sandbox_profile
    from proxyctl.render.shapes import PROFILE

    runtime: Runtime = ctx.obj
    store = runtime.store
    default = store.get_value("default_profile")
    rows = [profile_row(name, table, default == name) for name, table in store.profiles().items()]
    sandbox = {"account_sid": sandbox_profile("").account_sid}
    rows.append(profile_row(SANDBOX, sandbox, default == SANDBOX))
    runtime.out.rows(PROFILE, [rows])


def profile_row(name: str, table: Mapping[str, Any], default: bool) -> dict[str, Any]:
    """Return what may be shown of a profile: everything but its secret, and the command that prints it."""
    return {
        "name": name,
        "default": default,
        "account_sid": table.get("account_sid"),
        "auth": how_it_signs_in(table),
        **{key: table.get(key) for key in ("base_url", "region", "edge")},
        "protected": table.get("protected", False),
    }


def how_it_signs_in(table: Mapping[str, Any]) -> str | None:
    """Return ``api_key`` or ``auth_token``, with ``(command)`` where a command prints the secret."""
    auth, secret = ("api_key", "api_secret") if table.get("api_key") else ("auth_token", "auth_token")
    if table.get(secret):
        return auth
    return f"{auth} (command)" if table.get(f"{secret}_command") else None


@app.command("use")
@shared(MESSAGES)
def use_profile(ctx: typer.Context, name: NameArgument) -> None:
    """Make a profile the one that is used where neither an option nor the environment says otherwise."""
    runtime: Runtime = ctx.obj
    runtime.store.set_value("default_profile", name)
    runtime.note(f"The default profile is now {name!r}.")


@app.command("remove")
@shared(MESSAGES, DRY_RUN)
def remove_profile(ctx: typer.Context, name: NameArgument) -> None:
    """Remove a profile and its credentials from the config file; nothing changes at Twilio."""
    from proxyctl.commands.auth import login

    login.remove_profile(ctx.obj, name)
