"""What the commands of `history` do with the record of runs."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from proxyctl.commands.history.run_text import run_lines, sign_of
from proxyctl.commands.listing import in_pages, show_list
from proxyctl.errors import NotFoundError
from proxyctl.profiles.config_file import SANDBOX
from proxyctl.render.shapes import HISTORY, HISTORY_ITEM
from proxyctl.roles import Role, line
from proxyctl.runtime import Runtime
from proxyctl.state.record import COUNTS, ItemRecord, RunDetail, RunSummary
from proxyctl.text import counted, duration_text

WIDE = 110  # columns of a terminal that have room for how a run ended and how long it took


def show_runs(
    runtime: Runtime,
    *,
    limit: int | None,
    all_runs: bool,
    since: float | None,
    service: str | None,
    failed: bool,
) -> None:
    """Print a row for each run, newest first; at a terminal, count those that succeeded and changed nothing."""
    drawn = runtime.out.format == "table" and runtime.out.fields is None
    left_out: list[RunSummary] = []

    def rows() -> Iterator[dict[str, Any]]:
        for run in runs(runtime, since, service, failed):
            row = run_row(runtime, run)
            if drawn and runtime.console.terminal.stdout and is_idle(run) and not all_runs:
                left_out.append(run)
            else:
                yield row | (drawn_cells(run, row) if drawn else {})

    narrow = tuple(column for column in HISTORY.columns if column.importance > 95)
    wide = not drawn or runtime.console.width >= WIDE
    show_list(runtime, HISTORY if wide else replace(HISTORY, columns=narrow), in_pages(rows()), limit=limit)
    if left_out:
        count = counted(len(left_out), "run")
        runtime.note(f"--all adds {count} that succeeded and changed nothing, last {left_out[0].id}.")


def runs(runtime: Runtime, since: float | None, service: str | None, failed: bool) -> Iterator[RunSummary]:
    """Yield the runs that are wanted, of the last ``since`` seconds; warn of records that are damaged, and go on."""
    options = runtime.options
    profile = SANDBOX if options.sandbox else options.profile
    begun = runtime.clock.now() - since if since is not None else None
    for run in runtime.history.runs(begun):
        if run.warning is not None:
            runtime.warn(f"run {run.id}: {run.warning}")
        if profile is not None and run.profile != profile:
            continue
        if service is not None and service not in (*run.names, run.service_sid):
            continue
        if not failed or run.status == "broken off" or run.exit_code:
            yield run


def is_idle(run: RunSummary) -> bool:
    """Whether a run succeeded, and changed nothing."""
    return run.idle and run.exit_code == 0


def run_row(runtime: Runtime, run: RunSummary) -> dict[str, Any]:
    """Return the row of one run. One without an end is counted by its items."""
    counts = run.counts
    if run.status != "ended":
        with suppress(NotFoundError):  # another process has rotated it away meanwhile
            counts = runtime.history.show(run.id).counts
    return {
        "id": run.id,
        "time": run.begun_at,
        "verb": run.verb,
        "service": ", ".join(run.names) or None,
        **{word: counts.get(word, 0) for word in COUNTS},
        "seconds": run.seconds,
        "exit_code": run.exit_code,
        "command": run.command,
    }


def drawn_cells(run: RunSummary, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a table shows otherwise: the command without what stands beside it, and nothing for 0."""
    unknown = row["unknown"]
    return {
        **{word: row[word] or None for word in COUNTS},
        "unknown": line(Role.UNSURE(unknown)) if unknown else None,
        "sign": line(sign_of(run)),
        "took": line(Role.FAINT(duration_text(run.seconds))) if run.seconds is not None else None,
        "command": short_command(run) or None,
    }


def short_command(run: RunSummary) -> str:
    """Return the command of a run without the program, the account and its Services."""
    text = (run.command or "").removeprefix("proxyctl ")
    shown: list[str] = []
    try:
        words = shlex.split(text)
    except ValueError:  # it was cut within quotes
        return text
    for word in words:
        if shown and shown[-1] in ("-p", "--profile"):
            shown.pop()
        elif word in (*run.names, run.service_sid):
            shown = shown[:-1] if shown[-1:] in (["--from"], ["--to"]) else shown
        elif word != "--sandbox":
            shown.append(word)
    return shlex.join(shown)


def show_items(runtime: Runtime, run_id: str) -> None:
    """Print the items of a run, drawn as a plan at a terminal; elsewhere, who ran what goes to stderr."""
    detail = load(runtime, run_id)
    run = detail.run
    if runtime.out.format == "table" and runtime.out.fields is None:
        runtime.out.lines(run_lines(detail, runtime.console.width))
        return
    who = f"{run.user or 'somebody'}@{run.host or 'somewhere'}"
    runtime.note(f"run {run.id} by {who} ({run.status}): {run.command}")
    runtime.out.rows(HISTORY_ITEM, [[item_row(item) for item in detail.items]])


def prune(runtime: Runtime, older_than: float) -> None:
    """Delete the records of runs that began longer ago."""
    count = runtime.history.prune(runtime.clock.now() - older_than)
    runtime.note(f"deleted {HISTORY.count(count)}.")


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
