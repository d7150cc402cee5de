"""`proxyctl pool`: a Service's pool seen, declared in a file, and kept as one thing."""

from typing import Annotated

import typer

from proxyctl.commands.options import (
    ALLOW,
    BULK,
    CALLS,
    COUNTRY,
    DATA,
    THROUGH,
    WRITES,
    AllServices,
    Services,
    argument,
    option,
    shared,
)

app = typer.Typer(
    epilog="""Examples:
  proxyctl pool status --all --fail-above 85 --fail-below 20
  proxyctl pool export --all --numbers-to . > pool.toml
  proxyctl pool plan pool.toml --exit-code
  proxyctl pool apply pool.toml
  proxyctl pool audit --all -o json
"""
)

PoolFileArgument = Annotated[str, argument("FILE", "A pool file (TOML); '-': stdin.")]
Prune = Annotated[
    bool, option("--prune", "Remove numbers that the file does not name from the Services it names.")
]


@app.command("status")
@shared(*CALLS, DATA)
def show_status(
    ctx: typer.Context,
    services: Services = None,
    all_services: AllServices = False,
    fail_above: Annotated[
        float | None,
        option(
            "--fail-above PERCENT",
            "Exit 8 when a pool is fuller than this, reserved or unreserved.",
            min=0,
            max=100,
        ),
    ] = None,
    fail_below: Annotated[
        int | None,
        option("--fail-below N", "Exit 8 when a Service has fewer unreserved numbers than this.", min=0),
    ] = None,
) -> None:
    """Show how full and how busy pools are: reserved, unreserved, in use, by country and capability."""
    from proxyctl.commands.pool.status import show

    show(ctx.obj, services or [], all_services=all_services, fail_above=fail_above, fail_below=fail_below)


@app.command("export")
@shared(*CALLS)
def export_pools(
    ctx: typer.Context,
    services: Services = None,
    all_services: AllServices = False,
    numbers_to: Annotated[
        str | None,
        option("--numbers-to DIR", "Write the numbers to CSV files here; the pool file names them."),
    ] = None,
    portable: Annotated[
        bool,
        option("--portable", "Export settings only, for any account: no SIDs, no numbers."),
    ] = False,
) -> None:
    """Print a pool file that says all about Services and their numbers.

    It goes to stdout. Redirect it to a file beside the CSV files of --numbers-to. Applying it again changes nothing.
    The file is bound to its account and Services by their SIDs, unless --portable.
    """
    from proxyctl.commands.pool.export import export

    export(ctx.obj, services or [], all_services=all_services, numbers_to=numbers_to, portable=portable)


@app.command("plan")
@shared(*CALLS, DATA, COUNTRY, ALLOW, THROUGH)
def plan_pools(
    ctx: typer.Context,
    file: PoolFileArgument,
    prune: Prune = False,
    exit_code: Annotated[bool, option("--exit-code", "Exit 8 when something would change.")] = False,
) -> None:
    """Print what 'pool apply' would change: the difference between a pool file and the account."""
    from proxyctl.commands.pool.plan import plan

    plan(ctx.obj, file, prune=prune, exit_code=exit_code)


@app.command("apply")
@shared(*CALLS, DATA, WRITES, BULK, THROUGH)
def apply_pools(
    ctx: typer.Context,
    file: PoolFileArgument,
    prune: Prune = False,
) -> None:
    """Change the account to what a pool file says, in an order that never breaks a pool's limits.

    Only what the file names is managed: a field or number that it leaves out is left alone, unless --prune. A number
    in use is never removed. Killed half-way, the same command again continues.
    """
    from proxyctl.commands.pool.apply import apply

    apply(ctx.obj, file, prune=prune)


@app.command("audit")
@shared(*CALLS, DATA)
def audit_pools(ctx: typer.Context, services: Services = None, all_services: AllServices = False) -> None:
    """Look for what is wrong or risky: limits, callback URLs, webhooks; exit 8 when there is something.

    Each finding has a severity (error, warning, info), the object, and the command that mends it. With --all, the
    account's numbers that are in no pool are looked at too.
    """
    from proxyctl.commands.pool.audit import audit

    audit(ctx.obj, services or [], all_services=all_services)
