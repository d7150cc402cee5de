"""`proxyctl api`: any other request, with the same auth, retries and output."""

from typing import Annotated

import typer

from proxyctl.commands.options import CALLS, DATA, RECORDED, argument, option, shared

app = typer.Typer(
    epilog="""Examples:
  proxyctl api GET /v1/Services
  proxyctl api GET /v1/Services/KS…/Sessions --paginate
  proxyctl api POST /v1/Services/KS… -d DefaultTtl=3600
"""
)


@app.command("api")
@shared(*CALLS, DATA, RECORDED)
def api_request(
    ctx: typer.Context,
    method: Annotated[str, argument("METHOD", "GET, POST or DELETE.")],
    path: Annotated[str, argument("PATH", "/v1/…, /messaging/v1/… or /2010-04-01/…; never a host.")],
    data: Annotated[
        list[str] | None,
        option("-d --data KEY=VALUE", "A form field; for GET, a query parameter."),
    ] = None,
    paginate: Annotated[
        bool, option("--paginate", "Follow the pages of a list, and print one array of its items.")
    ] = False,
) -> None:
    """Send a request that has no command of its own, and print the answer as JSON."""
    from proxyctl.commands.api import request

    request.send(ctx.obj, method, path, data or [], paginate=paginate)
