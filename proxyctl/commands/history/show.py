"""What the commands of `history` do with the record of runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from proxyctl.commands.listing import in_pages, show_list
from proxyctl.render.shapes import HISTORY, HISTORY_ITEM
from proxyctl.runtime import Runtime
from proxyctl.state.record import ItemRecord, RunDetail, RunSummary
from proxyctl.text import COUNTED_GOOD


def show_runs(runtime: Runtime, since: float | None, limit: int | None) -> None:
    """Print a row for each run, newest first."""
    begun = runtime.clock.now() - since if since is not None else None
    show_list(runtime, HISTORY, in_pages(run_rows(runtime, begun)), limit=limit)


def run_rows(runtime: Runtime, begun: float | None) -> Iterator[dict[str, Any]]:
    """Yield the rows; say which records are damaged, and go on."""
    for run in runtime.history.runs(begun):
        if run.warning is not None:
            runtime.warn(f"run {run.id}: {run.warning}")
        row = run_row(run)
        if runtime.out.format == "table" and run.command:  # the same word in each row tells nothing
            row["command"] = run.command.removeprefix("proxyctl ")
        yield row


def run_row(run: RunSummary) -> dict[str, Any]:
    """Return the row of one run."""
    counts = {name: count for name, count in run.summary.items() if isinstance(count, int)}
    done = sum(count for name, count in counts.items() if name in COUNTED_GOOD)
    outcome = f"exit {run.exit_code}" if run.exit_code is not None else run.status
    return {
        "id": run.id,
        "time": run.begun_at,
        "command": run.command,
        "profile": run.profile,
        "account_sid": run.account_sid,
        "service": run.service_name or run.service_sid,
        "items": sum(counts.values()) if counts else None,
        "done": done if counts else None,
        "failed": sum(counts.values()) - done if counts else None,
        "outcome": outcome if run.exit_code != 0 else "done",
    }


def show_items(runtime: Runtime, run_id: str) -> None:
    """Print the items of a run; who ran what goes to stderr."""
    detail = load(runtime, run_id)
    run = detail.run
    who = f"{run.user or 'somebody'}@{run.host or 'somewhere'}"
    runtime.note(f"run {run.id} by {who} ({run.status}): {run.command}")
    runtime.out.rows(HISTORY_ITEM, [[item_row(item) for item in detail.items]])


def prune(runtime: Runtime, older_than: float) -> None:
    """Forget the runs that began longer ago."""
    count = runtime.history.prune(runtime.clock.now() - older_than)
    runtime.note(f"forgot {HISTORY.count(count)}.")


def load(runtime: Runtime, run_id: str) -> RunDetail:
    """Read the record of a run; say what of it is damaged."""
    detail = runtime.history.show(run_id)
    for warning in (detail.run.warning, *detail.warnings):
        if warning is not None:
            runtime.warn(warning if run_id in warning else f"run {detail.run.id}: {warning}")
    return detail


def item_row(item: ItemRecord) -> dict[str, Any]:
    """Return the row of one item: what was about to be done, and what came of it."""
    outcome = item.outcome
    return {
        "index": item.index,
        "action": item.intent.action,
        "input": item.intent.input,
        "sid": item.sid or (outcome.service_sid if outcome else None),
        "phone_number": item.phone_number,
        "before": item.intent.before,
        "after": item.after,
        "state": item.end,
        "at": (outcome and outcome.at) or item.intent.at,
        "request_id": outcome and outcome.request_id,
        "code": outcome and outcome.code,
        "message": outcome and outcome.message,
    }
