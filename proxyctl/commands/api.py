"""`proxyctl api`: any other request, with the same auth, retries and output."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from proxyctl.commands.options import CALLS, DATA, WRITES, shared
from proxyctl.commands.tree import ProxyctlCommand
from proxyctl.errors import UsageError
from proxyctl.runtime import Runtime

app = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)

EPILOG = """Examples:
  proxyctl api GET /v1/Services
  proxyctl api GET /v1/Services/KS…/Sessions --paginate
  proxyctl api POST /v1/Services/KS… -d DefaultTtl=3600
"""


@app.command("api", cls=ProxyctlCommand, epilog=EPILOG)
@shared(*CALLS, DATA, WRITES)
def api_request(
    ctx: typer.Context,
    method: Annotated[str, typer.Argument(metavar="METHOD", help="GET, POST or DELETE.")],
    path: Annotated[
        str, typer.Argument(metavar="PATH", help="/v1/…, /messaging/v1/… or /2010-04-01/…; never a host.")
    ],
    data: Annotated[
        list[str] | None,
        typer.Option("-d", "--data", metavar="KEY=VALUE", help="A form field; for GET, a query parameter."),
    ] = None,
    paginate: Annotated[
        bool, typer.Option("--paginate", help="Follow the pages of a list, and print one array of its items.")
    ] = False,
) -> None:
    """Send a request that has no command of its own, and print the answer as JSON."""
    from proxyctl.api.calls import Call
    from proxyctl.commands.writing import recorded, show_calls

    runtime: Runtime = ctx.obj
    call = Call.parse(method, path, [pair(text) for text in data or ()])
    if paginate and call.writes:
        raise UsageError("--paginate goes with GET only.")
    if call.writes:
        runtime.guard_writes()
        if runtime.options.dry_run:
            show_calls(runtime, [call])
            return
    if paginate:
        print_items(runtime, call)
        return
    with recorded(runtime, f"api {call}", before=None, when=call.writes) as record:
        answer = runtime.client.request(call)
        record.done(answer.body if isinstance(answer.body, dict) else None, request_id=answer.request_id)
    if answer.body is not None:
        runtime.out.value(answer.body)


def pair(text: str) -> tuple[str, str]:
    """Split KEY=VALUE."""
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise UsageError(f"-d {text!r} is not KEY=VALUE.", hint="Write -d IsReserved=true.")
    return key, value


def print_items(runtime: Runtime, call: Any) -> None:
    """Print the items of all pages as one array, as the pages arrive."""
    from proxyctl.api.pages import pages
    from proxyctl.render.output import Output
    from proxyctl.render.shapes import Shape

    items: Iterator[list[Any]] = (page.items for page in pages(runtime.client, call))
    shown = runtime.options.output if runtime.options.output in ("jsonl", "csv", "tsv", "ids") else "json"
    shape = Shape.generic("item", ("sid",))
    Output(shown, fields=runtime.out.fields, stdout=runtime.stdout).rows(shape, items)
