"""`proxyctl api`: any other request, with the same auth, retries and output."""

import json
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
    from proxyctl.commands.run import Job, carry_out
    from proxyctl.input.items import Item
    from proxyctl.writes.plan import Chain, Plan, Step
    from proxyctl.writes.requests import raw_request

    runtime: Runtime = ctx.obj
    fields = runtime.out.fields
    call = Call.parse(method, path, [pair(text) for text in data or ()])
    if paginate and call.writes:
        raise UsageError("--paginate goes with GET only.")
    if paginate:
        print_items(runtime, call)
        return
    if not call.writes:
        print_body(runtime, runtime.reader.request(call).body, fields, sent=False)
        return
    runtime.guard_writes()
    plan = Plan((Chain(Item(str(call), None, None), (Step(raw_request(call)),)),))
    report = carry_out(runtime, Job([], lambda: plan, "sent", single=True))
    if report is None:
        return
    error = report.error()
    if error is not None:
        raise error
    body = report.ends[0].seen
    if body is not None:
        print_body(runtime, body, fields, sent=True)


def pair(text: str) -> tuple[str, str]:
    """Split KEY=VALUE."""
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise UsageError(f"-d {text!r} is not KEY=VALUE.", hint="Write -d IsReserved=true.")
    return key, value


def print_body(runtime: Runtime, body: Any, fields: tuple[str, ...] | None, *, sent: bool) -> None:
    """Print the answer as JSON: on one line where jsonl was asked for, and of it only ``fields``.

    An unknown field is an error, unless something was written: then the rest is printed, with a warning.
    """
    from proxyctl.render.fields import Selection, check_fields
    from proxyctl.render.shapes import Shape

    if fields is not None and isinstance(body, dict):
        try:
            check_fields(fields, Shape.generic("answer", ()), [body])
        except UsageError as error:
            if not sent:
                raise
            runtime.warn(error.message)
        body = Selection.of(fields).pick(body)
    if runtime.format == "jsonl":
        runtime.out.text(json.dumps(body, separators=(",", ":")))
    else:
        runtime.out.value(body)


def print_items(runtime: Runtime, call: Any) -> None:
    """Print the items of all pages as one array, as the pages arrive."""
    from proxyctl.render.output import Output
    from proxyctl.render.shapes import Shape

    items: Iterator[list[Any]] = (page.items for page in runtime.reader.pages(call))
    shown = runtime.options.output if runtime.options.output in ("jsonl", "csv", "tsv", "ids") else "json"
    shape = Shape.generic("item", ("sid",))
    header = not runtime.options.no_header
    Output(shown, fields=runtime.out.fields, header=header, stdout=runtime.stdout).rows(shape, items)
