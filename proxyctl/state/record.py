"""The format of a run's record, both ways: a line of JSON before each write leaves, and one after its answer.

Nobody else writes a line or reads one. Who needs to know what became of an item asks its `ItemRecord`. What is torn
or damaged reads as None, or is left out with a warning, and never stops a command.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, BinaryIO, Literal

LONGEST_LINE = 1_000_000

Status = Literal["ended", "running", "broken off"]
Happened = Literal["yes", "no", "maybe"]
Check = Callable[[object], Any]

# What an attempt came to that changed nothing, and the word for an item whose last attempt it was.
NOTHING_DONE = {
    "refused": "failed",
    "full": "failed",
    "unsent": "failed",  # no connection, as often as it was tried
    "stop": "failed",
    "failed": "failed",
    "throttled": "skipped",  # turned away, and not tried again
    "skipped": "skipped",
}
# An add that found the number there, with the other flag, has only changed the flag.
FLAG_CHANGES = {"reserved": "reserve", "released": "release"}
ON_DISK = {"source": "from", "target": "to"}  # the keys of a `Trail` that have another name there


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What is known of a run at its start.

    ``command`` is what was typed, without secrets; ``undoes`` is the run that is taken back. ``unreserved`` and
    ``reserved``: how many such numbers it found in the pools that it read whole, by Service.
    """

    command: str | None = None
    profile: str | None = None
    account_sid: str | None = None
    service_sid: str | None = None
    service_name: str | None = None
    user: str | None = None
    host: str | None = None
    undoes: str | None = None
    unreserved: Mapping[str, Any] | None = None
    reserved: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary(RunInfo):
    """One run. ``begun_at`` and ``ended_at`` are ISO 8601 in UTC; fields that can't be read are None.

    ``status``: "running" while its process lives, "broken off" when that ended without a word.
    """

    id: str
    begun_at: str | None = None
    ended_at: str | None = None
    status: Status = "broken off"
    pid: int | None = None
    exit_code: int | None = None
    summary: Mapping[str, Any] = field(default_factory=dict)
    warning: str | None = None


@dataclass(frozen=True, slots=True)
class Trail:
    """The move that a request is part of, for a run that has to go on with it. Services are named by their SIDs.

    ``is_reserved`` is how the source had the number; ``messaging_service`` is the one that it goes back to.
    """

    source: str | None
    target: str | None
    is_reserved: bool | None = None
    messaging_service: str | None = None


@dataclass(frozen=True, slots=True)
class Intent:
    """What is about to be done to one item; ``at`` is set as it is written.

    ``action`` is a verb of ours (add, detach, update_service). ``before`` and ``after`` are the values that the
    request changes, as they are and as they are to be; ``version`` is the date of the last change before. ``webhooks``
    are a number's own, kept because Proxy replaces them.
    """

    action: str | None = None
    input: str | None = None
    sid: str | None = None
    phone_number: str | None = None
    service_sid: str | None = None
    service: str | None = None
    messaging_service_sid: str | None = None
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    version: str | None = None
    webhooks: Mapping[str, str] | None = None
    move: Trail | None = None
    at: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an attempt; ``at`` is set as it is written.

    ``state``: "done", "lost" or "unknown", or one of `NOTHING_DONE`. ``action`` is the word for what was done
    ("added", "unchanged"). ``sid`` and ``phone_number`` are those of the answer, as ``service_sid`` is of a Service
    that was created; ``after`` is the resource as the answer shows it, ``version`` the date of its last change.
    """

    state: str | None = None
    action: str | None = None
    sid: str | None = None
    phone_number: str | None = None
    service_sid: str | None = None
    after: Mapping[str, Any] | None = None
    version: str | None = None
    request_id: str | None = None
    status: int | None = None
    code: int | None = None
    message: str | None = None
    at: str | None = None


@dataclass(frozen=True, slots=True)
class ItemRecord:
    """One item of a run: what was about to be done, and what became of it (None: nobody knows).

    ``attempts`` counts the intents; the intent and the outcome are those of the last attempt. ``lost``: what became
    of an earlier one is not known, and no later one said that the item is done.
    """

    index: int
    intent: Intent = Intent()
    outcome: Outcome | None = None
    attempts: int = 0
    lost: bool = False

    @property
    def happened(self) -> Happened:
        """Whether the run has changed something: "maybe" where no answer came, or what came can't be read."""
        outcome = self.outcome or Outcome()
        if outcome.state == "done":
            return "no" if outcome.action == "unchanged" else "yes"
        return "no" if outcome.state in NOTHING_DONE and not self.lost else "maybe"

    @property
    def done(self) -> str | None:
        """The action that was carried out, or may have been; None: none, or none that can be read."""
        if self.happened == "no" or self.intent.action is None:
            return None
        said = self.outcome.action if self.outcome else None
        return FLAG_CHANGES.get(said or "", self.intent.action)

    @property
    def end(self) -> str:
        """The word for how the item ended: done, unchanged, failed, skipped or unknown."""
        state = self.outcome.state if self.outcome else None
        words: Mapping[Happened, str] = {"yes": "done", "maybe": "unknown"}
        return words.get(self.happened) or NOTHING_DONE.get(state or "", "unchanged")

    @property
    def sid(self) -> str | None:
        """The SID of what the item is about: named before, or learnt from the answer."""
        return self.intent.sid or (self.outcome.sid if self.outcome else None)

    @property
    def phone_number(self) -> str | None:
        """The number of the item: named before, or learnt from the answer."""
        return self.intent.phone_number or (self.outcome.phone_number if self.outcome else None)

    @property
    def names(self) -> frozenset[str]:
        """All SIDs and numbers by which the item is known."""
        lines = (self.intent, self.outcome or Outcome())
        return frozenset(name for line in lines for name in (line.sid, line.phone_number) if name)

    @property
    def after(self) -> Mapping[str, Any] | None:
        """The values that were to be, or those that the answer showed."""
        seen = self.outcome.after if self.outcome else None
        return self.intent.after if seen is None else seen


@dataclass(frozen=True, slots=True)
class RunDetail:
    """A run with its items by index, and a warning for each stretch of it that can't be read."""

    run: RunSummary
    items: tuple[ItemRecord, ...] = ()
    warnings: tuple[str, ...] = ()


# Writing


def line_of(
    kind: str, at: str, facts: RunInfo | Intent | Outcome | Mapping[str, Any], **more: object
) -> bytes:
    """Return the line that says ``facts``, without those that are None; ``at`` is ISO 8601 in UTC."""
    said = facts if isinstance(facts, Mapping) else {key: getattr(facts, key) for key in KEYS[type(facts)]}
    known = {key: value for key, value in said.items() if value is not None}
    record = {"type": kind, **more, **known, "at": at}
    return json.dumps(record, separators=(",", ":"), default=_plain).encode("ascii") + b"\n"


def _plain(value: object) -> object:
    if isinstance(value, Trail):
        return {ON_DISK.get(key, key): getattr(value, key) for key in KEYS[Trail]}
    return dict(value) if isinstance(value, Mapping) else str(value)


# Reading


def parse_line(line: bytes) -> dict[str, Any] | None:
    """Return a line as it stands there; None where it is torn or damaged."""
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
    """Return a run from its first line and its last; either may be missing or something else."""
    if head is None or head["type"] != "run":
        head, warning = {}, warning or "its first line is damaged"
    if end is None or end["type"] != "end":
        end = {}
    return RunSummary(
        **_read(RunInfo, head),
        id=run_id,
        begun_at=_text(head.get("at")),
        ended_at=_text(end.get("at")),
        status="ended" if end else "running" if alive else "broken off",
        pid=_whole(head.get("pid")),
        exit_code=_whole(end.get("exit_code")),
        summary=_mapping(end.get("summary")) or {},
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


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines that are not empty; one that is far too long comes in pieces, each of them damaged."""
    while line := file.readline(LONGEST_LINE + 1):
        if line.strip():
            yield line


def _take_in(items: dict[int, ItemRecord], record: Mapping[str, Any]) -> bool:
    index = record.get("index")
    if type(index) is not int or record["type"] not in ("intent", "outcome"):
        return False
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
    texts = (
        {key: text for key, text in value.items() if isinstance(text, str)} if isinstance(value, dict) else {}
    )
    return texts or None


def _trail(value: object) -> Trail | None:
    if not isinstance(value, dict):
        return None
    return Trail(**_read(Trail, {key: value.get(ON_DISK.get(key, key)) for key in KEYS[Trail]}))


# The keys of each kind of line, and what reads the values of those that are not text.
KEYS = {kind: tuple(each.name for each in fields(kind)) for kind in (RunInfo, Intent, Outcome, Trail)}
_text, _whole, _mapping = _of(str), _of(int), _of(dict)
CHECKS: Mapping[str, Check] = {
    "before": _mapping,
    "after": _mapping,
    "unreserved": _mapping,
    "reserved": _mapping,
    "webhooks": _texts,
    "move": _trail,
    "is_reserved": _of(bool),
    "status": _whole,
    "code": _whole,
}


def _read(kind: type[RunInfo | Intent | Outcome | Trail], record: Mapping[str, Any]) -> dict[str, Any]:
    """The values of ``kind``'s fields; what is damaged is None."""
    return {key: CHECKS.get(key, _text)(record.get(key)) for key in KEYS[kind]}
