"""`proxyctl auth`: save credentials, see which ones win and whether they work, and remove them."""

from typing import Annotated

import typer

from proxyctl.commands.options import (
    CALLS,
    DATA,
    DRY_RUN,
    YES,
    gathered,
    group,
    option,
    shared,
    typed,
)

app = typer.Typer(
    epilog="""Examples:
  proxyctl auth login --profile prod
  pass twilio/prod | proxyctl auth login --profile prod --account-sid AC… --api-key SK… --secret-stdin
  proxyctl auth status --all
"""
)

SAVED_AS = group(
    None,
    profile=typed(
        str | None,
        "-p --profile NAME",
        "Save the credentials as this profile.",
        show_default="PROXYCTL_PROFILE, or 'default'",
    ),
)
SERVER = group(
    None,
    base_url=typed(str | None, "--base-url URL", "Another server than Twilio's."),
    region=typed(str | None, "--region NAME", "Twilio's region, for example ie1."),
    edge=typed(str | None, "--edge NAME", "Twilio's edge, for example dublin."),
)


@app.command("login")
@shared(*CALLS, SAVED_AS, YES)
@gathered("settings", SERVER)
def log_in(
    ctx: typer.Context,
    settings: dict[str, str],
    account_sid: Annotated[str | None, option("--account-sid AC", "The account's SID.")] = None,
    api_key: Annotated[
        str | None,
        option("--api-key SK", "An API key's SID, to use it and not the auth token."),
    ] = None,
    secret_stdin: Annotated[
        bool,
        option("--secret-stdin", "Read the API key's secret, or the auth token, from stdin."),
    ] = False,
    no_verify: Annotated[
        bool, option("--no-verify", "Save without trying whether the credentials work.")
    ] = False,
) -> None:
    """Save credentials as a profile, after one request has shown that they work.

    Asks for what is not given. The secret is typed without echo or read from stdin; no option takes it, because
    other users can see the options of a running command. The first profile becomes the default. The server
    that was tried is saved too: that of --base-url, or else of PROXYCTL_BASE_URL.
    """
    from proxyctl.commands.auth import login

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
    all_profiles: Annotated[bool, option("-A --all", "Include all profiles.")] = False,
) -> None:
    """Show whose credentials are used, where they come from, and whether they work (one request each)."""
    from proxyctl.commands.auth import status

    if all_profiles:
        status.show_all(ctx.obj)
    else:
        status.show_used(ctx.obj)


@app.command("logout")
@shared(*CALLS, DRY_RUN)
def log_out(ctx: typer.Context) -> None:
    """Remove a profile's secret from the config file; its other settings stay. Nothing changes at Twilio."""
    from proxyctl.commands.auth import login

    login.log_out(ctx.obj)
