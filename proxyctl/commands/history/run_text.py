"""A run as people read it: who ran what, and what came of it, drawn as a plan is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from proxyctl.commands.pool.plan_text import WIDEST, numbers_line, setting
from proxyctl.pools.desired import shown
from proxyctl.pools.undo import INVERTED
from proxyctl.profiles.config_file import SANDBOX
from proxyctl.profiles.profile import ENVIRONMENT
from proxyctl.render.cells import moment
from proxyctl.render.failures import Failure, by_reason
from proxyctl.roles import Line, Piece, Role, cells, line
from proxyctl.state.record import COUNTS, ItemRecord, RunDetail, RunSummary
from proxyctl.text import NOT_GOOD, command_line, duration_text
from proxyctl.writes.requests import REMOVE

SIGNS = {"ended": Role.GOOD("✓"), "running": Piece("…"), "broken off": Role.UNSURE("?")}
CHANGE_WORDS = {"restore_webhooks": "webhooks", "set_webhooks": "webhooks"}
OF_SERVICES = ("create", "update", "delete")

Group = dict[tuple[str, str], list[ItemRecord]]  # what became of items, with how or why: the items


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
        text = ", ".join(
            f"{word} {count}" if word not in OF_SERVICES else word for word, count in counts.items()
        )
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
        word = change_of(item)
        trail = item.intent.move
        source = names.get(trail.source) or trail.source if trail and trail.source else None
        if word == "add" and source:
            word = "move"
        key = (word, f"from {source}" if word == "move" else "")
        if item.end == "unchanged":
            key = ("unchanged", "")
        groups.setdefault(key, []).append(item)
    return groups


def change_of(item: ItemRecord) -> str:
    """Return the word of a plan for what was about to be done."""
    action = item.intent.action or "?"
    return CHANGE_WORDS.get(action, action.removesuffix("_service"))


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
