"""Reading the records of runs: what is torn or damaged is skipped and told of, and never stops a command."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Literal

LONGEST_LINE = 1_000_000

Status = Literal["ended", "running", "broken off"]


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run. ``begun_at`` and ``ended_at`` are ISO 8601 in UTC; fields that can't be read are None.

    ``status``: "running" while its process lives, "broken off" when that ended without a word.
    """

    id: str
    begun_at: str | None = None
    ended_at: str | None = None
    status: Status = "broken off"
    command: str | None = None
    profile: str | None = None
    account_sid: str | None = None
    service_sid: str | None = None
    service_name: str | None = None
    user: str | None = None
    host: str | None = None
    pid: int | None = None
    exit_code: int | None = None
    summary: Mapping[str, Any] = field(default_factory=dict)
    warning: str | None = None


@dataclass(frozen=True, slots=True)
class ItemRecord:
    """One item of a run: what was about to be done, and what became of it (None: nobody knows).

    ``attempts`` counts the intents; the intent and the outcome are those of the last attempt. ``lost``: the answer
    to an earlier one never came, and no later one said that the item is done.
    """

    index: int
    intent: Mapping[str, Any] = field(default_factory=dict)
    outcome: Mapping[str, Any] | None = None
    attempts: int = 0
    lost: bool = False


@dataclass(frozen=True, slots=True)
class RunDetail:
    """A run with its items by index, and a warning for each stretch of it that can't be read."""

    run: RunSummary
    items: tuple[ItemRecord, ...] = ()
    warnings: tuple[str, ...] = ()


def parse_line(line: bytes) -> dict[str, Any] | None:
    """A record, or None where the line is torn or damaged."""
    if len(line) > LONGEST_LINE:
        return None
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) and isinstance(record.get("type"), str) else None


def summary_of(
    run_id: str,
    head: Mapping[str, Any] | None,
    end: Mapping[str, Any] | None,
    *,
    alive: bool,
    warning: str | None = None,
) -> RunSummary:
    """A run from its first line and its last; either may be missing or something else."""
    if head is None or head["type"] != "run":
        head, warning = {}, warning or "its first line is damaged"
    if end is None or end["type"] != "end":
        end = {}
    status: Status = "ended" if end else "running" if alive else "broken off"
    exit_code, pid, summary = end.get("exit_code"), head.get("pid"), end.get("summary")
    return RunSummary(
        id=run_id,
        begun_at=_text(head, "at"),
        ended_at=_text(end, "at"),
        status=status,
        command=_text(head, "command"),
        profile=_text(head, "profile"),
        account_sid=_text(head, "account_sid"),
        service_sid=_text(head, "service_sid"),
        service_name=_text(head, "service_name"),
        user=_text(head, "user"),
        host=_text(head, "host"),
        pid=pid if type(pid) is int else None,
        exit_code=exit_code if type(exit_code) is int else None,
        summary=summary if isinstance(summary, dict) else {},
        warning=warning,
    )


def read_detail(run_id: str, file: BinaryIO, *, alive: bool) -> RunDetail:
    """Read a whole record; OSError only."""
    head: dict[str, Any] | None = None
    end: dict[str, Any] | None = None
    items: dict[int, ItemRecord] = {}
    warnings: list[str] = []
    for number, line in enumerate(_lines(file), 1):
        record = parse_line(line)
        kind = record["type"] if record is not None else None
        if kind == "run" and number == 1:
            head = record
        elif kind == "end":
            end = record
        elif record is None or not _take_in(items, record):
            warnings.append(f"line {number} of run {run_id} is damaged and was left out")
    run = summary_of(run_id, head, end, alive=alive)
    return RunDetail(run, tuple(items[index] for index in sorted(items)), tuple(warnings))


def _lines(file: BinaryIO) -> Iterable[bytes]:
    """The lines that are not empty; one that is far too long comes in pieces, each of them damaged."""
    while line := file.readline(LONGEST_LINE + 1):
        if line.strip():
            yield line


def _take_in(items: dict[int, ItemRecord], record: Mapping[str, Any]) -> bool:
    index = record.get("index")
    if type(index) is not int or record["type"] not in ("intent", "outcome"):
        return False
    known = items.get(index, ItemRecord(index))
    rest = {key: value for key, value in record.items() if key not in ("type", "index")}
    if record["type"] == "intent":
        # Sent again: what became of the attempt before is no longer the last word.
        items[index] = ItemRecord(index, rest, None, known.attempts + 1, known.lost)
    else:
        state = rest.get("state")
        lost = state == "lost" or (known.lost and state != "done")
        items[index] = ItemRecord(index, known.intent, rest, known.attempts, lost)
    return True


def _text(record: Mapping[str, Any], key: str) -> str | None:
    value = record.get(key)
    return value if isinstance(value, str) else None
