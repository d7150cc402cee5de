"""What the record of a run says: the run, its items, and what became of each. `state/lines.py` writes and reads it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from proxyctl.text import REDACTED

Status = Literal["ended", "running", "broken off"]
Happened = Literal["yes", "no", "maybe"]

# What an attempt came to that changed nothing, and the word for an item whose last attempt it was.
NOTHING_DONE = {
    **dict.fromkeys(("refused", "full", "stop", "failed"), "failed"),
    "unsent": "failed",  # no connection, as often as it was tried
    "throttled": "skipped",  # turned away, and not tried again
    "skipped": "skipped",
}
# The words that the items of a run are counted by. Any other word of a record is one for a change.
COUNTS = ("changed", "unchanged", "failed", "skipped", "unknown")
# An add that found the number there, with the other flag, has only changed the flag.
FLAG_CHANGES = {"reserved": "reserve", "released": "release"}


def withheld(*values: Any) -> bool:
    """Whether one of these values is not the one that was there: it held the secret, so it was not recorded."""
    return any(isinstance(value, str) and REDACTED in value for value in values)


def counted_alike(summary: Mapping[str, Any]) -> Counter[str]:
    """Return the counts of a run by the words of `COUNTS`."""
    found = Counter[str]()
    for word, count in summary.items():
        if isinstance(count, int):
            found[word if word in COUNTS else "changed"] += count
    return found


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What is known of a run at its start.

    ``verb`` is the command's name (number add), ``command`` what was typed, without secrets. ``undoes`` is the run that
    is taken back. ``services`` are the names of all Services that it works on. ``unreserved`` and ``reserved``: how
    many such numbers it found in the pools that it read whole, by Service.
    """

    command: str | None = None
    verb: str | None = None
    profile: str | None = None
    account_sid: str | None = None
    service_sid: str | None = None
    service_name: str | None = None
    services: Sequence[str] | None = None
    user: str | None = None
    host: str | None = None
    undoes: str | None = None
    unreserved: Mapping[str, Any] | None = None
    reserved: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary(RunInfo):
    """One run. ``begun_at`` is ISO 8601 in UTC; fields that can't be read are None.

    ``message`` is that of the error that it ended with.

    ``status``: "running" while its process lives, "broken off" when that ended without a word.
    """

    id: str
    begun_at: str | None = None
    status: Status = "broken off"
    exit_code: int | None = None
    seconds: float | None = None
    message: str | None = None
    summary: Mapping[str, Any] = field(default_factory=dict)
    warning: str | None = None

    @property
    def names(self) -> Sequence[str]:
        """The Services that it worked on, by name where that is known."""
        name = self.service_name or self.service_sid
        return self.services or ([name] if name else [])

    @property
    def counts(self) -> Mapping[str, int]:
        """How many items ended as `COUNTS` says, by the end of the record."""
        return counted_alike(self.summary)

    @property
    def idle(self) -> bool:
        """Whether the run ended, and certainly changed nothing."""
        return self.status == "ended" and not any(
            self.counts[word] for word in ("changed", "failed", "unknown")
        )


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

    @property
    def counts(self) -> Mapping[str, int]:
        """How many items ended as `COUNTS` says, of those that were begun."""
        return Counter("changed" if item.end == "done" else item.end for item in self.items)

    @property
    def changed(self) -> bool:
        """Whether the run may have changed something."""
        return any(item.happened != "no" for item in self.items)
