"""`proxyctl auth`: save, check and remove credentials."""

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
    base_url=typed(str | None, "--base-url URL", "Send requests to this server."),
    region=typed(str | None, "--region NAME", "Use this region of Twilio, for example ie1."),
    edge=typed(str | None, "--edge NAME", "Use this edge of Twilio, for example dublin."),
)


@app.command("login")
@shared(*CALLS, SAVED_AS, YES)
@gathered("settings", SERVER)
def log_in(
    ctx: typer.Context,
    settings: dict[str, str],
    account_sid: Annotated[str | None, option("--account-sid AC", "SID of the account.")] = None,
    api_key: Annotated[
        str | None,
        option("--api-key SK", "SID of an API key, which is used in place of the auth token."),
    ] = None,
    secret_stdin: Annotated[
        bool,
        option("--secret-stdin", "Read the secret of the API key, or the auth token, from stdin."),
    ] = False,
    no_verify: Annotated[bool, option("--no-verify", "Save the credentials without checking them.")] = False,
) -> None:
    """Check credentials with one request, and save them as a profile.

    Missing values are prompted for. The secret is typed without echo or read from stdin. No option accepts it, because
    other users can see the options of a running command. The first profile becomes the default. The profile also
    saves the server of --base-url or PROXYCTL_BASE_URL.

    Examples:
      proxyctl auth login --profile prod
      pass twilio/prod | proxyctl auth login --profile prod --account-sid AC… --api-key SK… --secret-stdin
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
    """Show which credentials are used, where they come from, and whether they work.

    One request checks each profile.

    Examples:
      proxyctl auth status
      proxyctl auth status --all
    """
    from proxyctl.commands.auth import status

    if all_profiles:
        status.show_all(ctx.obj)
    else:
        status.show_used(ctx.obj)


@app.command("logout")
@shared(*CALLS, DRY_RUN)
def log_out(ctx: typer.Context) -> None:
    """Remove a profile's secret from the config file. Its other settings stay.

    Nothing changes at Twilio.

    Examples:
      proxyctl auth logout --profile prod
    """
    from proxyctl.commands.auth import login

    login.log_out(ctx.obj)
