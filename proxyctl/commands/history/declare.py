"""`proxyctl history`: what was changed, by whom and when, and how to take it back."""

from typing import Annotated

import typer

from proxyctl.commands.options import BULK, CALLS, DATA, MESSAGES, WRITES, YES, duration, shared
from proxyctl.runtime import Runtime

app = typer.Typer(
    epilog="""Examples:
  proxyctl history list --since 2d
  proxyctl history show 20261122-0930
  proxyctl history undo 20261122-093015-123
"""
)

RunId = Annotated[
    str, typer.Argument(metavar="ID", help="A run's id, or the beginning of one.", show_default=False)
]


@app.command("list")
@shared(MESSAGES, DATA)
def list_runs(
    ctx: typer.Context,
    since: Annotated[
        float | None,
        typer.Option(
            "--since",
            metavar="DURATION",
            parser=duration,
            help="Only the last 90m, 12h, 7d.",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", metavar="N", min=1, help="At most N rows.")] = None,
) -> None:
    """List the runs that wrote something, newest first."""
    from proxyctl.commands.history import show as runs

    runs.show_runs(ctx.obj, since, limit)


@app.command("show")
@shared(MESSAGES, DATA)
def show_run(ctx: typer.Context, run_id: RunId) -> None:
    """Show what a run did, item by item."""
    from proxyctl.commands.history import show as runs

    runs.show_items(ctx.obj, run_id)


@app.command("undo")
@shared(*CALLS, DATA, WRITES, {name: BULK[name] for name in BULK if name != "default_country"})
def undo_run(ctx: typer.Context, run_id: RunId) -> None:
    """Take back what a run did to a pool: reserve and release, add and remove.

    Numbers that have changed since are refused, and named.
    """
    from proxyctl.commands.history.undo import undo

    undo(ctx.obj, run_id)


@app.command("prune")
@shared(MESSAGES, YES)
def prune_runs(
    ctx: typer.Context,
    older_than: Annotated[
        float,
        typer.Option(
            "--older-than", metavar="DURATION", parser=duration, help="30d, 12h.", show_default=False
        ),
    ],
) -> None:
    """Forget the runs that began longer ago; it also happens by itself after 90 days or at 50 MB."""
    from proxyctl.render.shapes import HISTORY

    runtime: Runtime = ctx.obj
    count = runtime.history.prune(runtime.clock.now() - older_than)
    runtime.note(f"forgot {HISTORY.count(count)}.")
