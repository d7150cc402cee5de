"""`proxyctl history`: the runs that wrote, and their undo.

Examples:
  proxyctl history list --since 2d
  proxyctl history show 20261122-0930
  proxyctl history undo last
"""

from proxyctl.commands import options
from proxyctl.commands.options import DATA, argument, command, duration, option

RUN = argument("ID", "ID of a run, or its beginning.")
UNDONE_RUN = argument(
    "ID", "ID of a run, its beginning, or 'last': the account's last run that changed something."
)


@command("list", "history.show:show_runs", DATA, options.LIMIT)
def list_runs(
    since: float | None = option(
        "--since DURATION", "Print only runs of the last 90m, 12h, 7d.", parser=duration
    ),
    service: str | None = option("--service SERVICE", "Print only runs on this Service, by its name or SID."),
    failed: bool = option("--failed", "Print only runs that failed or broke off."),
    all_runs: bool = option("-A --all", "At a terminal, include runs that succeeded and changed nothing."),
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
def show_run(run_id: str = RUN) -> None:
    """Show the items of a run.

    Examples:
      proxyctl history show 20261122-0930
    """


@command("undo", "history.undo:undo", DATA, options.WRITES, options.PACING, options.THROUGH)
def undo_run(run_id: str = UNDONE_RUN) -> None:
    """Undo a run: restore pools, webhooks and settings of a Service.

    Numbers that have changed since the run are refused.

    Examples:
      proxyctl history undo last --dry-run
      proxyctl history undo 20261122-093015-123
    """


@command("prune", "history.show:prune", options.YES)
def prune_runs(
    older_than: float = option(
        "--older-than DURATION", "Delete records older than this: 30d, 12h.", parser=duration, default=...
    ),
) -> None:
    """Delete the records of old runs.

    Records are also deleted automatically after 90 days, or when they exceed 50 MB.

    Examples:
      proxyctl history prune --older-than 30d
    """
