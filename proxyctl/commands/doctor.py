"""`proxyctl doctor`: is everything here as commands need it, and if not, what to type."""

import typer

from proxyctl.commands.options import CALLS, DATA, shared

app = typer.Typer(
    epilog="""Examples:
  proxyctl doctor
  proxyctl doctor --profile prod
  proxyctl doctor -o json
"""
)


@app.command("doctor")
@shared(*CALLS, DATA)
def doctor(ctx: typer.Context) -> None:
    """Check config, credentials, state, the way to Twilio, and the terminal.

    Prints a row for each check: good, warning or bad, what was found, and how to fix it. Sends one request at most,
    changes nothing, and never shows a secret. Exits with the code of the worst; warnings don't count.
    """
    from proxyctl.doctor.report import report

    report(ctx.obj)
