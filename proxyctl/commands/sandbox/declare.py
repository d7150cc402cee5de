"""`proxyctl sandbox`: the emulated Proxy, its account's numbers, and a server for other programs."""

from typing import Annotated

import typer

from proxyctl.commands.options import DATA, DRY_RUN, MESSAGES, milliseconds, shared
from proxyctl.runtime import Runtime

app = typer.Typer(
    epilog="""Examples:
  proxyctl sandbox demo
  proxyctl sandbox seed --numbers 500 -o csv > numbers.csv
  proxyctl sandbox serve --port 0 --fault 500-after=0.05 --seed 7
"""
)

Host = Annotated[str, typer.Option("--host", metavar="ADDRESS", help="A loopback address.")]
Port = Annotated[int, typer.Option("--port", metavar="N", min=0, max=65535, help="0 takes a free port.")]
ServedPort = Annotated[int, typer.Option("--port", metavar="N", min=1, max=65535, help="The server's port.")]


@app.command("seed")
@shared(MESSAGES, DATA)
def seed(
    ctx: typer.Context,
    numbers: Annotated[
        int | None, typer.Option("--numbers", metavar="N", min=0, help="How many; 10 unless told.")
    ] = None,
    country: Annotated[
        str | None, typer.Option("--country", metavar="CC", help="Their country; US unless told.")
    ] = None,
    scenario: Annotated[
        str | None,
        typer.Option("--scenario", metavar="NAME", help="A whole account worth looking at: agency or fleet."),
    ] = None,
    seed_number: Annotated[
        int | None, typer.Option("--seed", metavar="N", help="The same seed gives the same numbers.")
    ] = None,
) -> None:
    """Put phone numbers into the sandbox account, and print them."""
    from dataclasses import replace

    from proxyctl.errors import UsageError
    from proxyctl.render.shapes import PHONE_NUMBER, Shape
    from proxyctl.sandbox.world.scenarios import seed_scenario
    from proxyctl.sandbox.world.seed import seed_numbers

    runtime: Runtime = ctx.obj
    for name, value in (("--numbers", numbers), ("--country", country)):
        if scenario is not None and value is not None:
            raise UsageError(f"--scenario and {name} exclude each other.", hint="A scenario brings its own.")
    fields = ("sid", "phone_number", "friendly_name", "iso_country", "type", "capabilities")
    shape = Shape.generic("number", (*fields, "service_sid") if scenario is not None else fields)
    shape = replace(shape, maps=PHONE_NUMBER.maps)
    runtime.out.check(shape)
    store = runtime.sandbox_store
    if scenario is not None:
        rows = seed_scenario(store, scenario, seed_number)
    else:
        rows = seed_numbers(store, 10 if numbers is None else numbers, country or "US", seed_number)
    runtime.out.rows(shape, [rows])


@app.command("serve")
@shared(MESSAGES)
def serve(
    ctx: typer.Context,
    host: Host = "127.0.0.1",
    port: Port = 8181,
    database: Annotated[
        str | None,
        typer.Option("--database", metavar="FILE", help="Another database than the one of --sandbox."),
    ] = None,
    latency: Annotated[
        float,
        typer.Option(
            "--latency", metavar="MS", parser=milliseconds, show_default=False, help="Answer this much later."
        ),
    ] = "0",  # type: ignore[assignment]  # what the parser gets
    rate_limit: Annotated[
        bool, typer.Option("--rate-limit/--no-rate-limit", help="Answer 429 as the real API does.")
    ] = True,
    fault: Annotated[
        list[str] | None,
        typer.Option("--fault", metavar="NAME=PROBABILITY", help="Go wrong now and then; may be repeated."),
    ] = None,
    seed_number: Annotated[
        int | None, typer.Option("--seed", metavar="N", help="The same seed gives the same faults.")
    ] = None,
    not_found: Annotated[
        str, typer.Option("--not-found", metavar="404|400", help="How to answer for what does not exist.")
    ] = "404",
    max_page_size: Annotated[
        int,
        typer.Option(
            "--max-page-size", metavar="N", min=1, max=1000, help="Rows a page at most, whatever was asked."
        ),
    ] = 100,
) -> None:
    """Serve the sandbox over HTTP on a loopback address; prints its URL when it is ready."""
    from proxyctl.commands.sandbox.serving import Serving, run_server

    serving = Serving(
        host=host,
        port=port,
        database=database,
        latency_ms=latency,
        rate_limit=rate_limit,
        faults=tuple(fault or ()),
        seed=seed_number,
        not_found=not_found,
        max_page_size=max_page_size,
    )
    run_server(ctx.obj, serving)


@app.command("busy")
@shared(MESSAGES, DATA)
def busy(
    ctx: typer.Context,
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="A PN SID, or E.164.", show_default=False)],
    sessions: Annotated[
        int,
        typer.Argument(metavar="SESSIONS", min=0, help="Open Sessions; 0 makes it idle.", show_default=False),
    ],
) -> None:
    """Make a sandbox number busy or idle, to rehearse drain and remove."""
    from proxyctl.identifiers import require_number
    from proxyctl.render.shapes import Shape

    runtime: Runtime = ctx.obj
    shape = Shape.generic("number", ("sid", "phone_number", "service_sid", "is_reserved", "in_use"))
    runtime.out.check(shape)
    reference = require_number(number)
    name = reference.sid or reference.phone_number or number
    runtime.out.one(shape, runtime.sandbox_store.set_in_use(name, sessions))


@app.command("status")
@shared(MESSAGES, DATA)
def status(ctx: typer.Context) -> None:
    """Show what the sandbox holds, and where."""
    from dataclasses import asdict

    from proxyctl.render.shapes import Shape

    runtime: Runtime = ctx.obj
    row = asdict(runtime.sandbox_store.status())
    runtime.out.one(Shape.generic("sandbox", tuple(row), plural="sandboxes", id_field="database"), row)


@app.command("reset")
@shared(MESSAGES, DRY_RUN)
def reset(ctx: typer.Context) -> None:
    """Forget everything in the sandbox: Services, numbers, Messaging Services."""
    runtime: Runtime = ctx.obj
    held = runtime.sandbox_store.status()
    what = f"everything in the sandbox {held.database} (Services: {held.services}, numbers: {held.numbers})"
    if runtime.options.dry_run:
        runtime.note(f"dry run: would delete {what}; nothing was deleted.")
        return
    runtime.confirm(f"This deletes {what}.")
    runtime.sandbox_store.reset()
    runtime.note("the sandbox is empty.")


@app.command("env")
@shared(MESSAGES)
def env(ctx: typer.Context, host: Host = "127.0.0.1", port: ServedPort = 8181) -> None:
    """Print the exports with which proxyctl and Twilio's own libraries reach a served sandbox."""
    from proxyctl.commands.sandbox.serving import require_loopback
    from proxyctl.sandbox.context import ACCOUNT_SID, AUTH_TOKEN

    runtime: Runtime = ctx.obj
    address = require_loopback(host)
    variables = {
        "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
        "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
        "PROXYCTL_BASE_URL": f"http://{address}:{port}",
    }
    runtime.out.text("\n".join(f"export {name}={value}" for name, value in variables.items()))


@app.command("demo")
@shared(MESSAGES)
def demo(ctx: typer.Context) -> None:
    """Take a short tour of the main job, on a sandbox of its own that is gone afterwards."""
    from proxyctl.commands.sandbox.demo import run_demo

    run_demo(ctx.obj)
