"""`proxyctl doctor`: check the setup, and print how to fix it."""

import typer

from proxyctl.commands.options import CALLS, DATA, shared

app = typer.Typer()


@app.command("doctor")
@shared(*CALLS, DATA)
def doctor(ctx: typer.Context) -> None:
    """Check config, credentials, state, network and terminal.

    Each check is ok, warning or fail, with a hint how to fix it. At most one request is sent, nothing is changed, and
    no secret is shown. The exit code is that of the worst failure. Warnings do not count.

    Examples:
      proxyctl doctor
      proxyctl doctor --profile prod
      proxyctl doctor -o json
    """
    from proxyctl.doctor.report import report

    report(ctx.obj)
