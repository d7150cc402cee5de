"""`proxyctl history`: the runs that wrote, and their undo.

Examples:
  proxyctl history list --since 2d
  proxyctl history show 20261122-0930
  proxyctl history undo last
"""

from typing import Annotated

from proxyctl.commands.options import (
    DATA,
    PACING,
    THROUGH,
    WRITES,
    YES,
    Limit,
    argument,
    command,
    duration,
    option,
)

RunId = Annotated[str, argument("ID", "ID of a run, or its beginning.")]
UndoneRun = Annotated[
    str,
    argument("ID", "ID of a run, its beginning, or 'last': the account's last run that changed something."),
]


@command("list", "history.show:show_runs", DATA)
def list_runs(
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


@command("show", "history.show:show_items", DATA)
def show_run(run_id: RunId) -> None:
    """Show the items of a run.

    Examples:
      proxyctl history show 20261122-0930
    """


@command("undo", "history.undo:undo", DATA, WRITES, PACING, THROUGH)
def undo_run(run_id: UndoneRun) -> None:
    """Undo a run: restore pools, webhooks and settings of a Service.

    Numbers that have changed since the run are refused.

    Examples:
      proxyctl history undo last --dry-run
      proxyctl history undo 20261122-093015-123
    """


@command("prune", "history.show:prune", YES)
def prune_runs(
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
