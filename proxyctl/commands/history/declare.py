"""`proxyctl history`: the runs that wrote, and their undo."""

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

RunId = Annotated[str, argument("ID", "ID of a run, or its beginning.")]


@app.command("list")
@shared(*CALLS, DATA)
def list_runs(
    ctx: typer.Context,
    since: Annotated[
        float | None,
        option("--since DURATION", "Print only runs of the last 90m, 12h, 7d.", parser=duration),
    ] = None,
    limit: Limit = None,
) -> None:
    """List runs, newest first.

    Examples:
      proxyctl history list
      proxyctl history list --since 2d -o json
    """
    from proxyctl.commands.history import show as runs

    runs.show_runs(ctx.obj, since, limit)


@app.command("show")
@shared(*CALLS, DATA)
def show_run(ctx: typer.Context, run_id: RunId) -> None:
    """Show the items of a run.

    Examples:
      proxyctl history show 20261122-0930
    """
    from proxyctl.commands.history import show as runs

    runs.show_items(ctx.obj, run_id)


@app.command("undo")
@shared(*CALLS, DATA, WRITES, PACING, THROUGH)
def undo_run(ctx: typer.Context, run_id: RunId) -> None:
    """Undo a run: restore pools, webhooks and settings of a Service.

    Numbers that have changed since the run are refused.

    Examples:
      proxyctl history undo 20261122-093015-123 --dry-run
    """
    from proxyctl.commands.history.undo import undo

    undo(ctx.obj, run_id)


@app.command("prune")
@shared(*CALLS, YES)
def prune_runs(
    ctx: typer.Context,
    older_than: Annotated[
        float,
        option("--older-than DURATION", "Delete records older than this: 30d, 12h.", parser=duration),
    ],
) -> None:
    """Delete the records of old runs.

    Records are also deleted automatically after 90 days, or when they exceed 50 MB.

    Examples:
      proxyctl history prune --older-than 30d
    """
    from proxyctl.commands.history import show as runs

    runs.prune(ctx.obj, older_than)
