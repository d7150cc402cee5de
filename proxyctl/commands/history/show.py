"""What the commands of `history` do with the record of runs: list them, and draw one as a plan is drawn."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from proxyctl.commands.listing import drawn, in_pages, show_list
from proxyctl.commands.pool.plan_text import WIDEST, numbers_line, setting
from proxyctl.errors import NotFoundError
from proxyctl.pools.desired import shown
from proxyctl.pools.undo import INVERTED
from proxyctl.profiles.config_file import SANDBOX
from proxyctl.profiles.profile import ENVIRONMENT
from proxyctl.render.cells import moment
from proxyctl.render.failures import Failure, by_reason
from proxyctl.render.shapes import HISTORY, HISTORY_ITEM
from proxyctl.roles import Line, Piece, Role, cells, line
from proxyctl.runtime import Runtime
from proxyctl.state.record import COUNTS, ItemRecord, RunDetail, RunSummary
from proxyctl.text import NOT_GOOD, command_line, counted, duration_text
from proxyctl.writes.requests import REMOVE

WIDE = 110  # columns of a terminal that have room for how a run ended and how long it took
SIGNS = {"ended": Role.GOOD("✓"), "running": Piece("…"), "broken off": Role.UNSURE("?")}
CHANGE_WORDS = {"restore_webhooks": "webhooks", "set_webhooks": "webhooks"}
OF_SERVICES = ("create", "update", "delete")

Group = dict[tuple[str, str], list[ItemRecord]]  # what became of items, with how or why: the items


def show_runs(
    runtime: Runtime, *, all_runs: bool, since: float | None, service: str | None, failed: bool
) -> None:
    """Print a row for each run, newest first; at a terminal, count those that succeeded and changed nothing."""
    for_people = drawn(runtime)
    left_out: list[RunSummary] = []

    def rows() -> Iterator[dict[str, Any]]:
        for run in runs(runtime, since, service, failed):
            row = run_row(runtime, run)
            if for_people and run.idle and run.exit_code == 0 and not all_runs:
                left_out.append(run)
            else:
                yield row | (drawn_cells(run, row) if for_people else {})

    narrow = tuple(column for column in HISTORY.columns if column.importance > 95)
    wide = not for_people or runtime.console.width >= WIDE
    show_list(runtime, HISTORY if wide else replace(HISTORY, columns=narrow), in_pages(rows()))
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
    names = "|".join(re.escape(shlex.quote(name)) for name in (*run.names, run.service_sid) if name)
    beside = rf"^proxyctl| --sandbox| (?:-p|--profile) \S+|(?: --from| --to)? (?:{names or '$'})(?= |$)"
    return re.sub(beside, "", run.command or "").strip()


def show_items(runtime: Runtime, run_id: str) -> None:
    """Print the items of a run, drawn as a plan at a terminal; elsewhere, who ran what goes to stderr."""
    detail = load(runtime, run_id)
    run = detail.run
    if drawn(runtime):
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


# A run, drawn


def run_lines(detail: RunDetail, width: int) -> Iterator[Line]:
    """Yield a run as lines of at most ``width``."""
    width = min(width, WIDEST)
    yield from head(detail)
    of_services: dict[str, list[ItemRecord]] = {}
    for item in detail.items:
        if item.end not in NOT_GOOD and not is_half(item, detail.items):
            of_services.setdefault(service_of(item, detail.run), []).append(item)
    longest = max(map(cells, of_services), default=0)
    if of_services:
        yield line("")
    names = {one.intent.service_sid: one.intent.service for one in detail.items if one.intent.service}
    for name, items in of_services.items():
        groups = grouped(items, names)
        counts = Counter(word for (word, _), group in groups.items() for _ in group)
        text = ", ".join(word if word in OF_SERVICES else f"{word} {count}" for word, count in counts.items())
        yield line(Role.CHANGED("~"), " ", Role.NAME(name), " " * (longest - cells(name)), f"  {text}")
        yield from body(groups, width)
    if failures := failures_of(detail.items):
        yield line("")
        yield from by_reason(failures, width)
    if any(item.happened != "no" and item.intent.action in INVERTED for item in detail.items):
        yield line("")
        yield line(
            "  ", Piece(command_line(*account_of(detail.run), "history", "undo", detail.run.id), whole=True)
        )


def account_of(run: RunSummary) -> Sequence[str]:
    """Return the options that name the account of a run."""
    if run.profile in (None, ENVIRONMENT):
        return ()
    return ("--sandbox",) if run.profile == SANDBOX else ("-p", str(run.profile))


def sign_of(run: RunSummary) -> Piece:
    """Return the sign for how a run ended."""
    return Role.BAD("✗") if run.exit_code else SIGNS[run.status]


def head(detail: RunDetail) -> Iterator[Line]:
    """Yield which run it was, how it ended, and why."""
    run = detail.run
    yield line(sign_of(run), " ", Role.HEADING(run.id), f"  {run.command or '?'}", hang=4)
    facts = [
        f"{run.user or 'somebody'}@{run.host or 'somewhere'}",
        f"profile {run.profile}" if account_of(run) else "",
        f"{moment(run.begun_at)} UTC" if run.begun_at else "",
        duration_text(run.seconds) if run.seconds is not None else "",
        f"exit {run.exit_code}" if run.exit_code is not None else run.status,
    ]
    yield line("  ", Role.FAINT(", ".join(filter(None, facts))), hang=2)
    counts = run.counts if run.status == "ended" else detail.counts
    text = ", ".join(f"{word} {counts[word]}" for word in COUNTS if counts.get(word))
    if text:
        yield line(f"  {text}", hang=2)
    if run.message:
        yield line("  ", run.message, hang=2)


def is_half(item: ItemRecord, items: Sequence[ItemRecord]) -> bool:
    """Whether an item is the departure of a number that arrived elsewhere: a move is drawn once."""
    intent = item.intent
    if intent.move is None or intent.action != REMOVE.name or item.end != "done":
        return False
    return any(one.intent.move and one.intent.action == "add" and one.names & item.names for one in items)


def service_of(item: ItemRecord, run: RunSummary) -> str:
    """Return the Service that an item is about, by name where that is known."""
    if item.intent.service:
        return item.intent.service
    if item.intent.service_sid in (None, run.service_sid) and len(run.names) == 1:
        return run.names[0]
    return item.intent.service_sid or run.verb or "?"


def grouped(items: Sequence[ItemRecord], names: Mapping[str | None, str | None]) -> Group:
    """Return items by what became of them, with how."""
    groups: Group = {}
    for item in items:
        action = item.intent.action or "?"
        word = CHANGE_WORDS.get(action, action.removesuffix("_service"))
        trail = item.intent.move
        source = names.get(trail.source) or trail.source if trail and trail.source else None
        if word == "add" and source:
            word = "move"
        key = (word, f"from {source}" if word == "move" else "")
        if item.end == "unchanged":
            key = ("unchanged", "")
        groups.setdefault(key, []).append(item)
    return groups


def body(groups: Group, width: int) -> Iterator[Line]:
    """Yield the settings that changed, one by one, and the numbers by what became of them."""
    fields = [
        (item, key)
        for (word, _), items in groups.items()
        if word in ("create", "update")
        for item in items
        for key in item.after or {}
    ]
    longest = max((len(key) for _, key in fields), default=0)
    for item, key in fields:
        before = None if item.intent.before is None else shown(item.intent.before.get(key))
        yield setting(key.ljust(longest), before, shown((item.after or {})[key]), width)
    lists = {key: items for key, items in groups.items() if key[0] not in OF_SERVICES}
    indent = 6 + max((len(word) for word, _ in lists if len(word) < 12), default=0) + 2
    for (word, note), items in lists.items():
        yield numbers_line((word, note), list(map(name_of, items)), indent, width)


def name_of(item: ItemRecord) -> str:
    """Return an item as people know it."""
    return item.phone_number or item.intent.input or item.sid or "?"


def failures_of(items: Sequence[ItemRecord]) -> list[Failure]:
    """Return the items that failed, or may have, as a report shows them."""
    return [
        Failure(
            tuple(dict.fromkeys(filter(None, (name_of(item), item.sid, item.intent.input)))),
            item.end,
            (item.outcome.message if item.outcome else None) or "no response was recorded",
        )
        for item in items
        if item.end in NOT_GOOD
    ]
