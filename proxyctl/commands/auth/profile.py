"""`proxyctl profile`: list, choose and remove the profiles of the config file."""

from typing import Annotated

import typer

from proxyctl.commands.options import CALLS, DATA, DRY_RUN, argument, shared
from proxyctl.runtime import Runtime

app = typer.Typer(
    epilog="""Examples:
  proxyctl profile list
  proxyctl profile use prod
"""
)

NameArgument = Annotated[str, argument("NAME", "Name of a profile.")]


@app.command("list")
@shared(*CALLS, DATA)
def list_profiles(ctx: typer.Context) -> None:
    """List the profiles of the config file, and the sandbox.

    Examples:
      proxyctl profile list
    """
    from proxyctl.commands.auth import status

    status.list_profiles(ctx.obj)


@app.command("use")
@shared(*CALLS)
def use_profile(ctx: typer.Context, name: NameArgument) -> None:
    """Set the default profile. Options and environment variables override it.

    Examples:
      proxyctl profile use prod
    """
    runtime: Runtime = ctx.obj
    runtime.store.set_value("default_profile", name)
    runtime.note(f"The default profile is now {name!r}.")


@app.command("remove")
@shared(*CALLS, DRY_RUN)
def remove_profile(ctx: typer.Context, name: NameArgument) -> None:
    """Remove a profile and its credentials from the config file.

    Nothing changes at Twilio.

    Examples:
      proxyctl profile remove prod
    """
    from proxyctl.commands.auth import login

    login.remove_profile(ctx.obj, name)
