"""`proxyctl sandbox`: the emulated Proxy, its account's numbers, and a server for other programs."""

from typing import Annotated

import typer

from proxyctl.commands.options import (
    CALLS,
    DATA,
    DRY_RUN,
    NumberArgument,
    argument,
    option,
    shared,
    within,
)

app = typer.Typer(
    epilog="""Examples:
  proxyctl sandbox demo
  proxyctl sandbox seed --numbers 500 -o csv > numbers.csv
  proxyctl sandbox serve --port 0 --fault 500-after=0.05 --seed 7
"""
)

Host = Annotated[str, option("--host ADDRESS", "A loopback address.")]
Port = Annotated[int, option("--port N", "0 takes a free port.", min=0, max=65535)]
ServedPort = Annotated[int, option("--port N", "The server's port.", min=1, max=65535)]
Database = Annotated[str | None, option("--database FILE", "Another database than the one of --sandbox.")]
Latency = Annotated[
    float,
    option(
        "--latency MS",
        "Answer this much later.",
        parser=within(0.0, 60_000.0, "milliseconds, for example 150"),
        show_default=False,
    ),
]
Faults = Annotated[
    list[str] | None, option("--fault NAME=PROBABILITY", "Go wrong now and then; may be repeated.")
]
PageSize = Annotated[
    int, option("--max-page-size N", "Rows a page at most, whatever was asked.", min=1, max=1000)
]


@app.command("seed")
@shared(*CALLS, DATA)
def seed(
    ctx: typer.Context,
    numbers: Annotated[int | None, option("--numbers N", "How many; 10 unless told.", min=0)] = None,
    country: Annotated[str | None, option("--country CC", "Their country; US unless told.")] = None,
    scenario: Annotated[
        str | None, option("--scenario NAME", "A whole account worth looking at: agency or fleet.")
    ] = None,
    seed_number: Annotated[int | None, option("--seed N", "The same seed gives the same numbers.")] = None,
) -> None:
    """Put phone numbers into the sandbox account, and print them."""
    from proxyctl.commands.sandbox import contents

    contents.seed(ctx.obj, numbers, country, scenario, seed_number)


@app.command("serve")
@shared(*CALLS)
def serve(
    ctx: typer.Context,
    host: Host = "127.0.0.1",
    port: Port = 8181,
    database: Database = None,
    latency: Latency = "0",  # type: ignore[assignment]  # what the parser gets
    rate_limit: Annotated[
        bool, option("--rate-limit/--no-rate-limit", "Answer 429 as the real API does.")
    ] = True,
    fault: Faults = None,
    seed_number: Annotated[int | None, option("--seed N", "The same seed gives the same faults.")] = None,
    not_found: Annotated[
        str, option("--not-found 404|400", "How to answer for what does not exist.")
    ] = "404",
    max_page_size: PageSize = 100,
) -> None:
    """Serve the sandbox over HTTP on a loopback address; prints its URL when it is ready."""
    from proxyctl.commands.sandbox.serving import Serving, run_server

    faults = tuple(fault or ())
    run_server(
        ctx.obj,
        Serving(host, port, database, latency, rate_limit, faults, seed_number, not_found, max_page_size),
    )


@app.command("busy")
@shared(*CALLS, DATA)
def busy(
    ctx: typer.Context,
    number: NumberArgument,
    sessions: Annotated[int, argument("SESSIONS", "Open Sessions; 0 makes it idle.", min=0)],
) -> None:
    """Make a sandbox number busy or idle, to rehearse drain and remove."""
    from proxyctl.commands.sandbox import contents

    contents.make_busy(ctx.obj, number, sessions)


@app.command("status")
@shared(*CALLS, DATA)
def status(ctx: typer.Context) -> None:
    """Show what the sandbox holds, and where."""
    from proxyctl.commands.sandbox import contents

    contents.show_status(ctx.obj)


@app.command("reset")
@shared(*CALLS, DRY_RUN)
def reset(ctx: typer.Context) -> None:
    """Forget everything in the sandbox: Services, numbers, Messaging Services."""
    from proxyctl.commands.sandbox import contents

    contents.reset(ctx.obj)


@app.command("env")
@shared(*CALLS)
def env(ctx: typer.Context, host: Host = "127.0.0.1", port: ServedPort = 8181) -> None:
    """Print the exports with which proxyctl and Twilio's own libraries reach a served sandbox."""
    from proxyctl.commands.sandbox import contents

    contents.show_exports(ctx.obj, host, port)


@app.command("demo")
@shared(*CALLS)
def demo(ctx: typer.Context) -> None:
    """Take a short tour of the main job, on a sandbox of its own that is gone afterwards."""
    from proxyctl.commands.sandbox.demo import run_demo

    run_demo(ctx.obj)
