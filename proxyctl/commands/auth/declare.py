"""`proxyctl auth`: save credentials, see which ones win and whether they work, and remove them."""

from typing import Annotated

import typer

from proxyctl.commands.options import (
    CALLS,
    CONNECTION,
    DATA,
    DRY_RUN,
    MESSAGES,
    PROFILE,
    YES,
    Group,
    option,
    shared,
)
from proxyctl.runtime import Runtime

app = typer.Typer(
    epilog="""Examples:
  proxyctl auth login --profile prod
  pass twilio/prod | proxyctl auth login --profile prod --account-sid AC… --api-key SK… --secret-stdin
  proxyctl auth status --all
"""
)

SAVED_AS: Group = {
    "profile": option(
        str | None,
        "-p",
        "--profile",
        metavar="NAME",
        panel=CONNECTION,
        help="Save the credentials as this profile. [default: PROXYCTL_PROFILE, or else 'default']",
    ),
}


@app.command("login")
@shared(*CALLS, SAVED_AS, YES)
def log_in(
    ctx: typer.Context,
    account_sid: Annotated[
        str | None, typer.Option("--account-sid", metavar="AC", help="The account's SID.")
    ] = None,
    api_key: Annotated[
        str | None,
        typer.Option("--api-key", metavar="SK", help="An API key's SID, to use it and not the auth token."),
    ] = None,
    secret_stdin: Annotated[
        bool,
        typer.Option("--secret-stdin", help="Read the API key's secret, or the auth token, from stdin."),
    ] = False,
    no_verify: Annotated[
        bool, typer.Option("--no-verify", help="Save without trying whether the credentials work.")
    ] = False,
    base_url: Annotated[
        str | None, typer.Option("--base-url", metavar="URL", help="Another server than Twilio's.")
    ] = None,
    region: Annotated[
        str | None, typer.Option("--region", metavar="NAME", help="Twilio's region, for example ie1.")
    ] = None,
    edge: Annotated[
        str | None, typer.Option("--edge", metavar="NAME", help="Twilio's edge, for example dublin.")
    ] = None,
) -> None:
    """Save credentials as a profile, after one request has shown that they work.

    Asks for what is not given. The secret is typed without echo or read from stdin; no option takes it, because
    other users can see the options of a running command. The first profile becomes the default. The server
    that was tried is saved too: that of --base-url, or else of PROXYCTL_BASE_URL.
    """
    from proxyctl.commands.auth import login

    settings = {"base_url": base_url, "region": region, "edge": edge}
    login.log_in(
        ctx.obj,
        account_sid=account_sid,
        api_key=api_key,
        secret_stdin=secret_stdin,
        verify=not no_verify,
        settings={name: value for name, value in settings.items() if value},
    )


@app.command("status")
@shared(*CALLS, DATA)
def show_status(
    ctx: typer.Context,
    all_profiles: Annotated[
        bool, typer.Option("--all", help="Every profile, not only the one that is used.")
    ] = False,
) -> None:
    """Show whose credentials are used, where they come from, and whether they work (one request each)."""
    from proxyctl.commands.auth import status

    if all_profiles:
        status.show_all(ctx.obj)
    else:
        status.show_used(ctx.obj)


@app.command("logout")
@shared(PROFILE, MESSAGES, DRY_RUN)
def log_out(ctx: typer.Context) -> None:
    """Remove a profile's secret from the config file; its other settings stay. Nothing changes at Twilio."""
    from proxyctl.commands.auth import login

    runtime: Runtime = ctx.obj
    login.log_out(runtime)
