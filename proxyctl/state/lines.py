"""The format of a run's record, both ways: a line of JSON before each write leaves, and one after its response.

Nobody else writes a line or reads one. What is torn or damaged reads as None, or is left out with a warning, and never
stops a command.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from typing import Any, BinaryIO

from proxyctl.identifiers import is_sid
from proxyctl.state.record import Intent, ItemRecord, Outcome, RunDetail, RunInfo, RunSummary, Trail
from proxyctl.text import REDACTED

LONGEST_LINE = 1_000_000
LONGEST_RUN = 1e9  # seconds: more is damage
SIDS = ("sid", "account_sid", "service_sid", "messaging_service_sid")
ON_DISK = {"source": "from", "target": "to"}  # the keys of a `Trail` that have another name there

OURS = ("type", "at", "id", "state")  # keys whose values are words of ours

Check = Callable[[object], Any]
Clean = Callable[[str], str]
Facts = RunInfo | Intent | Outcome | Mapping[str, Any]

# Writing


def line_of(kind: str, at: str, facts: Facts, clean: Clean = str, **more: object) -> bytes:
    """Return the line that says ``facts``, without those that are None; ``at`` is ISO 8601 in UTC.

    ``clean`` takes secrets out of text.
    """
    said = facts if isinstance(facts, Mapping) else {key: getattr(facts, key) for key in KEYS[type(facts)]}
    known = {key: value for key, value in said.items() if value is not None}
    record = {"type": kind, **more, **known, "at": at}
    record = {key: value if key in OURS else without_secret(value, clean) for key, value in record.items()}
    return json.dumps(record, separators=(",", ":"), default=_plain).encode("ascii") + b"\n"


def without_secret(value: object, clean: Clean) -> object:
    """Return what may be kept of a value: a text without the secret, and of values by name only those without it."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        kept = {key: without_secret(each, clean) for key, each in value.items()}
        return {key: each if each == value[key] else REDACTED for key, each in kept.items()}
    return [without_secret(each, clean) for each in value] if isinstance(value, list | tuple) else value


def _plain(value: object) -> object:
    if isinstance(value, Trail):
        return {ON_DISK.get(key, key): getattr(value, key) for key in KEYS[Trail]}
    return str(value)


# Reading


def parse_line(line: bytes) -> dict[str, Any] | None:
    """Return a line as it stands there; None where it is torn or damaged."""
    if len(line) > LONGEST_LINE:
        return None
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    sound = isinstance(record, dict) and isinstance(record.get("type"), str) and has_sids(record)
    return record if sound else None


def has_sids(record: Mapping[str, Any]) -> bool:
    """Whether all that names a resource is a SID. Undo puts it into a path: anything else is damage, or planted."""
    move = record.get("move")
    if str(record.get("action")).startswith("api ") and move is None:
        return True  # it names paths, and nothing undoes it
    named = [record.get(key) for key in SIDS]
    if isinstance(move, dict):  # it may name Services that it made
        named.append(move.get("messaging_service"))
    return all(not isinstance(one, str) or is_sid(one[:2], one) for one in named)


def summary_of(
    run_id: str,
    head: Mapping[str, Any] | None,
    end: Mapping[str, Any] | None,
    *,
    alive: bool,
    warning: str | None = None,
) -> RunSummary:
    """Return a run from its first line and its last; either may be missing or something else."""
    if head is None or head["type"] != "run":
        head, warning = {}, warning or "its first line is damaged"
    if end is None or end["type"] != "end":
        end = {}
    return RunSummary(
        **_read(RunInfo, head),
        id=run_id,
        begun_at=_text(head.get("at")),
        status="ended" if end else "running" if alive else "broken off",
        exit_code=_whole(end.get("exit_code")),
        seconds=_seconds(end.get("seconds")),
        message=_text(end.get("message")),
        summary=_mapping(end.get("summary")) or {},
        warning=warning,
    )


def _seconds(value: object) -> float | None:
    """How long the command took; None in old records."""
    return float(value) if isinstance(value, int | float) and 0 <= value < LONGEST_RUN else None


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


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines that are not empty; one that is far too long comes in pieces, each of them damaged."""
    while line := file.readline(LONGEST_LINE + 1):
        if line.strip():
            yield line


def _take_in(items: dict[int, ItemRecord], record: Mapping[str, Any]) -> bool:
    index = record.get("index")
    if type(index) is not int or record["type"] not in ("intent", "outcome", "refused"):
        return False
    if record["type"] == "refused":
        outcome = Outcome(**_read(Outcome, {**record, "state": "refused"}))
        items[index] = ItemRecord(index, Intent(**_read(Intent, record)), outcome)
        return True
    known = items.get(index, ItemRecord(index))
    if record["type"] == "intent":
        # Sent again: what became of the attempt before is no longer the last word.
        lost = known.attempts > 0 and known.happened == "maybe"
        items[index] = ItemRecord(index, Intent(**_read(Intent, record)), None, known.attempts + 1, lost)
    else:
        outcome = Outcome(**_read(Outcome, record))
        lost = outcome.state != "done" and (known.lost or outcome.state == "lost")
        items[index] = ItemRecord(index, known.intent, outcome, known.attempts, lost)
    return True


def _of(kind: type) -> Check:
    """Return the check that lets only values of ``kind`` through."""
    return lambda value: value if type(value) is kind else None


def _texts(value: object) -> dict[str, str] | None:
    pairs = value.items() if isinstance(value, dict) else ()
    return {key: text for key, text in pairs if isinstance(text, str)} or None


def _names(value: object) -> list[str] | None:
    return [name for name in value if isinstance(name, str)] if isinstance(value, list) else None


def _trail(value: object) -> Trail | None:
    if not isinstance(value, dict):
        return None
    return Trail(**_read(Trail, {key: value.get(ON_DISK.get(key, key)) for key in KEYS[Trail]}))


# The keys of each kind of line, and what reads the values of those that are not text.
KEYS = {kind: tuple(each.name for each in fields(kind)) for kind in (RunInfo, Intent, Outcome, Trail)}
_text, _whole, _mapping = _of(str), _of(int), _of(dict)
CHECKS: Mapping[str, Check] = {
    **dict.fromkeys(("before", "after", "unreserved", "reserved"), _mapping),
    "webhooks": _texts,
    "services": _names,
    "move": _trail,
    "is_reserved": _of(bool),
    "status": _whole,
    "code": _whole,
}


def _read(kind: type[RunInfo | Intent | Outcome | Trail], record: Mapping[str, Any]) -> dict[str, Any]:
    """The values of ``kind``'s fields; what is damaged is None."""
    return {key: CHECKS.get(key, _text)(record.get(key)) for key in KEYS[kind]}
