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
  proxyctl history undo last
"""
)

RunId = Annotated[str, argument("ID", "ID of a run, or its beginning.")]
UndoneRun = Annotated[
    str,
    argument("ID", "ID of a run, its beginning, or 'last': the account's last run that changed something."),
]


@app.command("list")
@shared(*CALLS, DATA)
def list_runs(
    ctx: typer.Context,
    since: Annotated[
        float | None,
        option("--since DURATION", "Print only runs of the last 90m, 12h, 7d.", parser=duration),
    ] = None,
    service: Annotated[
        str | None, option("--service SERVICE", "Print only runs on this Service, by its name or SID.")
    ] = None,
    failed: Annotated[bool, option("--failed", "Print only runs that failed or broke off.")] = False,
    all_runs: Annotated[
        bool, option("-A --all", "At a terminal, include runs that succeeded and changed nothing.")
    ] = False,
    limit: Limit = None,
) -> None:
    """List runs, newest first.

    The ID is the time in UTC. A run without an end has no exit code. At a terminal, a question mark stands before
    it. Runs that succeeded and changed nothing are only counted there. With --profile or --sandbox, only the runs of
    that profile are listed.

    Examples:
      proxyctl history list --failed --since 2d
      proxyctl history list --service masking-prod --all
      proxyctl history list -o json
    """
    from proxyctl.commands.history.show import Wanted, show_runs

    show_runs(ctx.obj, Wanted(since, service, failed, all_runs), limit)


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
def undo_run(ctx: typer.Context, run_id: UndoneRun) -> None:
    """Undo a run: restore pools, webhooks and settings of a Service.

    Numbers that have changed since the run are refused.

    Examples:
      proxyctl history undo last --dry-run
      proxyctl history undo 20261122-093015-123
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
