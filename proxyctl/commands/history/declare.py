"""`proxyctl history`: what was changed, by whom and when, and how to take it back."""

from typing import Annotated

import typer

from proxyctl.commands.options import (
    CALLS,
    DATA,
    PACING,
    THROUGH,
    WRITES,
    YES,
    Limit,
    argument,
    duration,
    option,
    shared,
)

app = typer.Typer(
    epilog="""Examples:
  proxyctl history list --since 2d
  proxyctl history show 20261122-0930
  proxyctl history undo 20261122-093015-123
"""
)

RunId = Annotated[str, argument("ID", "A run's id, or the beginning of one.")]


@app.command("list")
@shared(*CALLS, DATA)
def list_runs(
    ctx: typer.Context,
    since: Annotated[
        float | None,
        option("--since DURATION", "Only the last 90m, 12h, 7d.", parser=duration),
    ] = None,
    limit: Limit = None,
) -> None:
    """List the runs that wrote something, newest first."""
    from proxyctl.commands.history import show as runs

    runs.show_runs(ctx.obj, since, limit)


@app.command("show")
@shared(*CALLS, DATA)
def show_run(ctx: typer.Context, run_id: RunId) -> None:
    """Show what a run did, item by item."""
    from proxyctl.commands.history import show as runs

    runs.show_items(ctx.obj, run_id)


@app.command("undo")
@shared(*CALLS, DATA, WRITES, PACING, THROUGH)
def undo_run(ctx: typer.Context, run_id: RunId) -> None:
    """Take back what a run did: to a pool, to webhooks, or to the settings of a Service.

    Numbers that have changed since are refused, and named.
    """
    from proxyctl.commands.history.undo import undo

    undo(ctx.obj, run_id)


@app.command("prune")
@shared(*CALLS, YES)
def prune_runs(
    ctx: typer.Context,
    older_than: Annotated[
        float,
        option("--older-than DURATION", "30d, 12h.", parser=duration),
    ],
) -> None:
    """Forget the runs that began longer ago; it also happens by itself after 90 days or at 50 MB."""
    from proxyctl.commands.history import show as runs

    runs.prune(ctx.obj, older_than)
