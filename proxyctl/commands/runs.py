"""What the commands of `history` do with the record of runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from proxyctl.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from proxyctl.commands.bulk import PoolRun
    from proxyctl.pools.changes import Decision
    from proxyctl.runtime import Runtime
    from proxyctl.state.record import ItemRecord, RunDetail, RunSummary

GOOD = ("created", "updated", "added", "reserved", "released", "removed", "moved", "unchanged", "done")
PAGE = 100
SHOWN_COMMAND = 120  # characters of a command in a question


def show_runs(runtime: Runtime, since: float | None, limit: int | None) -> None:
    """Print a row for each run, newest first."""
    from proxyctl.commands.listing import show_list
    from proxyctl.render.shapes import HISTORY

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


def in_pages(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Gather rows into pages, so that a long history streams."""
    page: list[dict[str, Any]] = []
    for row in rows:
        page.append(row)
        if len(page) == PAGE:
            yield page
            page = []
    if page:
        yield page


def run_row(run: RunSummary) -> dict[str, Any]:
    """Return the row of one run."""
    counts = {name: count for name, count in run.summary.items() if isinstance(count, int)}
    done = sum(count for name, count in counts.items() if name in GOOD)
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
    from proxyctl.render.shapes import HISTORY_ITEM

    detail = load(runtime, run_id)
    run = detail.run
    who = f"{run.user or 'somebody'}@{run.host or 'somewhere'}"
    runtime.note(f"run {run.id} by {who} ({run.status}): {run.command}")
    runtime.out.rows(HISTORY_ITEM, [[item_row(item) for item in detail.items]])


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


def undo(runtime: Runtime, run_id: str) -> None:
    """Compute the inverse of a run, show it, and carry it out."""
    from proxyctl.commands import account_undo
    from proxyctl.commands.bulk import check_failed_to
    from proxyctl.commands.webhooks import RestoringRun
    from proxyctl.pools.pool import look_at_pool
    from proxyctl.pools.undo import undo_all
    from proxyctl.pools.webhooks import kept_by
    from proxyctl.render.shapes import RESULT

    runtime.out.check(RESULT)
    detail = load(runtime, run_id)
    failed_to = check_failed_to(runtime.options.failed_to)
    service_sid = undoable(runtime, detail)
    runtime.guard_writes()
    if service_sid is None:
        account_undo.undo(runtime, detail, what_is_undone(detail), failed_to)
        return
    service = runtime.client.services.fetch(service_sid)
    run = RestoringRun(runtime, service, "unchanged", single=False)
    run.kept = kept_by(detail.items)
    with runtime.lock(service.sid):
        pool = look_at_pool(runtime.client, service.sid)
        run.take(pool, without_captives(runtime, undo_all(detail.items, pool)))
        run.single = len(run.decisions) == 1
        if run.changes:
            run.done = run.changes[0].kind.done
        if runtime.options.dry_run:
            run.show_requests()
            return
        run.carry_out(inverse_text(runtime, detail, run))
    run.report(failed_to)


def without_captives(runtime: Runtime, decisions: Sequence[Decision]) -> Sequence[Decision]:
    """Refuse what a Messaging Service forbids, among numbers that would leave their pool or come back to it."""
    from proxyctl.pools import undo
    from proxyctl.pools.captives import find_captives
    from proxyctl.pools.changes import Change, Kind

    changes = [decision for decision in decisions if isinstance(decision, Change)]
    asked = {change.sid for change in changes if change.sid and change.kind in (Kind.ADD, Kind.REMOVE)}
    return undo.without_captives(decisions, find_captives(runtime.client, asked))


def undoable(runtime: Runtime, detail: RunDetail) -> str | None:
    """Return the SID of the Service whose pool the run changed, None where its items name theirs; refuse a run that
    can't be undone from here.
    """
    from proxyctl.pools.account_undo import services_of
    from proxyctl.pools.undo import meant

    run = detail.run
    if run.account_sid is None:
        raise RefusedError(
            f"run {run.id} can't be undone: its record does not say on which account it was made."
        )
    if run.account_sid != runtime.profile.account_sid:
        raise UsageError(
            f"run {run.id} was made on account {run.account_sid}, not on {runtime.profile.account_sid}.",
            hint=f"Choose the profile that it used ({run.profile or 'none'}) with --profile.",
        )
    if run.status == "running":
        raise RefusedError(f"run {run.id} is still going on.", hint="Wait for it to end, or stop it.")
    if services_of(detail.items):
        return None
    if run.service_sid is None or not any(meant(item) for item in detail.items):
        raise RefusedError(
            f"run {run.id} changed no pool, so there is nothing that undo can take back.",
            hint=f"'proxyctl history show {run.id}' tells what it did, with the values before.",
        )
    return run.service_sid


def inverse_text(runtime: Runtime, detail: RunDetail, run: PoolRun) -> str:
    """Say what undoing will do."""
    from collections import Counter

    counts = Counter(str(change.kind) for change in run.changes)
    what = ", ".join(f"{kind} {count}" for kind, count in counts.items())
    return (
        f"{what_is_undone(detail)}: {what} in Service "
        f"{run.service.unique_name} ({run.service.sid}) of account {runtime.profile.account_sid} "
        f"(profile {runtime.profile.name})."
    )


def what_is_undone(detail: RunDetail) -> str:
    """Say which run is taken back."""
    from proxyctl.visible import cut

    return f"This takes back run {detail.run.id} ({cut(detail.run.command or '?', SHOWN_COMMAND)})"
