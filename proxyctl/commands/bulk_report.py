"""How a bulk run is told: result rows for stdout, a line for each failure and a summary for stderr, an exit code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from proxyctl.api.models import PhoneNumber
from proxyctl.bulk.outcomes import Result, RunReport
from proxyctl.errors import (
    AuthenticationError,
    Interrupted,
    NetworkError,
    NotFoundError,
    OutputError,
    PartialError,
    ProxyctlError,
    RefusedError,
    TemporaryError,
    exit_status,
)
from proxyctl.explaining import hint_for
from proxyctl.input.items import Item
from proxyctl.pools.changes import Change

SHOWN_FAILURES = 20
ACTIONS = ("added", "reserved", "released", "removed", "moved", "unchanged", "failed", "skipped", "unknown")
AGAIN = "Running the same command again continues where this one ended: it sends only what is still missing."
MEND = "Correct what was refused, then run the same command again: it sends only what is still missing."


@dataclass(frozen=True, slots=True)
class Ended:
    """How one item ended; ``action`` is one of `ACTIONS`."""

    item: Item
    action: str
    number: PhoneNumber | None = None
    error: ProxyctlError | None = None

    @property
    def bad(self) -> bool:
        """Whether the item is not as wanted now."""
        return self.error is not None or self.action in ("failed", "skipped", "unknown")

    def row(self) -> dict[str, Any]:
        """Return the row that is printed."""
        number = self.number
        return {
            "input": self.item.input,
            "sid": number.sid if number else self.item.sid,
            "phone_number": (number.phone_number if number else None) or self.item.phone_number,
            "action": self.action,
            "is_reserved": number.is_reserved if number and self.action != "unknown" else None,
            "error": error_row(self.error),
        }


def error_row(error: ProxyctlError | None) -> dict[str, Any] | None:
    """Return an error as a row holds it: Twilio's code, the words, and the exit code of its class."""
    if error is None:
        return None
    code = error.problem.code if error.problem else None
    return {"code": code, "message": error.message, "exit_code": exit_status(error)}


def ended(change: Change, result: Result) -> Ended:
    """Return how the item of ``change`` ended, by the engine's result for it."""
    number = getattr(result.detail, "number", None) or change.number
    action = (result.action or "done") if result.state == "done" else result.state
    return Ended(change.item, action, number, result.error or another_number(change.item, action, number))


def another_number(item: Item, action: str, number: PhoneNumber | None) -> ProxyctlError | None:
    """Tell a row whose SID turned out to be that of another number than the one it names: the SID was added."""
    if action != "added" or number is None or item.sid is None or item.phone_number is None:
        return None
    if number.phone_number in (None, item.phone_number):
        return None
    return RefusedError(
        f"its SID is that of {number.phone_number}, which was added; the row says {item.phone_number}.",
        hint=f"Correct the row; 'proxyctl number remove SERVICE {number.sid}' takes the number out again.",
    )


def summary(ends: Sequence[Ended], verb_done: str, report: RunReport | None) -> str:
    """Return the line that ends a run: ``reserved 4980, unchanged 20, failed 0 in 2m46s (30.0/s, 12 retries)``."""
    counts = Counter(end.action for end in ends)
    others = [action for action in ACTIONS if counts[action] and action not in (verb_done, "failed")]
    # A verb may end in another's action: `reserve --add` adds.
    lead = [verb_done] if counts[verb_done] or not counts["added"] else []
    words = ", ".join(f"{action} {counts[action]}" for action in [*lead, *others, "failed"])
    if report is None:
        return words
    took = report.ended - report.started
    facts = []
    done = report.count("done")
    if done > 1 and took > 0:
        facts.append(f"{done / took:.1f}/s")
    retries = report.retries + report.throttled
    if retries:
        facts.append("1 retry" if retries == 1 else f"{retries} retries")
    return f"{words} in {duration_text(took)}" + (f" ({', '.join(facts)})" if facts else "")


def duration_text(seconds: float) -> str:
    """Return a duration for people: ``0.4s``, ``52s``, ``2m46s``, ``1h02m``."""
    if seconds < 10:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02}m"


def failure_lines(ends: Sequence[Ended]) -> list[str]:
    """Return a line for each item that is not as wanted, with its hint: the first 20, and the count of the rest.

    Skipped items share one line: they were not tried, all for the same cause.
    """
    failed = [end for end in ends if end.bad and end.action != "skipped"]
    lines = [failure_line(end) for end in failed[:SHOWN_FAILURES]]
    if len(failed) > SHOWN_FAILURES:
        lines.append(f"… and {len(failed) - SHOWN_FAILURES} more; -o json or --failed-to FILE has them all.")
    skipped: Mapping[str, int] = Counter(
        str(end.error.message if end.error else "not tried") for end in ends if end.action == "skipped"
    )
    lines.extend(f"{count} skipped: {cause}" for cause, count in skipped.items())
    return lines


def failure_line(end: Ended) -> str:
    """Return the line of one item: what it was, what happened, what to do next."""
    name = end.item.input
    words = end.error.message.removeprefix(f"{name} ") if end.error else "not done"
    hint = hint_for(end.error, number=end.item.phone_number or end.item.sid) if end.error else None
    return " ".join((f"{name}: {end.action}:", *sentences(words, *(hint or "").splitlines())))


def sentences(*texts: str | None) -> list[str]:
    """Return the texts that are there as sentences that can stand in a row; the first may begin small."""
    said = [text if text.endswith((".", "!", "?")) else f"{text}." for text in texts if text]
    return [*said[:1], *(text[:1].upper() + text[1:] for text in said[1:])]


def conclusion(
    ends: Sequence[Ended], line: str, report: RunReport | None, *, single: bool
) -> ProxyctlError | None:
    """Return the error that the run ends with, or None where every item is as wanted.

    One number alone ends with its own error. Of several, any failure makes the run partial, unless it was
    stopped for a cause of which running again is the cure, or nothing at all could be done for one.
    """
    bad = [end for end in ends if end.bad]
    stopped = report.stopped_by if report is not None else None
    if stopped is None and not bad:
        return None
    if isinstance(stopped, Interrupted):
        return Interrupted(stopped.signal_number, f"interrupted: {line}.", hint=AGAIN)
    if isinstance(stopped, OutputError):
        return OutputError(f"{stopped.message.rstrip('.')}: {line}.", hint=stopped.hint)
    if single and bad and bad[0].error is not None:
        return named(bad[0], bad[0].error)
    if stopped is None:
        return PartialError(f"{line}.", hint=MEND if any(was_refused(end) for end in bad) else AGAIN)
    kind = type(stopped) if keeps_its_class(stopped, ends) else PartialError
    return kind(
        f"{stopped.message.rstrip('.')}: {line}.", hint=how_to_go_on(stopped), problem=stopped.problem
    )


def named(end: Ended, error: ProxyctlError) -> ProxyctlError:
    """Return the error of a number that is alone in its run; one that speaks of a request only gets its name."""
    if isinstance(error, Interrupted) or (error.problem is None and not isinstance(error, NetworkError)):
        return error
    names = [end.item.input, end.item.sid, end.number.phone_number if end.number else None]
    if any(name and name in error.message for name in names):
        return error
    return type(error)(
        f"{end.item.input}: {end.action}: {error.message}",
        hint=error.hint,
        problem=error.problem,
        may_have_happened=error.may_have_happened,
    )


def was_refused(end: Ended) -> bool:
    """Whether something has to be put right before the item can be as wanted."""
    return end.action == "failed" and not isinstance(end.error, TemporaryError)


def how_to_go_on(stopped: ProxyctlError) -> str:
    """Return what to do about what stopped a run, and that running it again is the way to go on."""
    if stopped.hint and "same command again" in stopped.hint:
        return stopped.hint
    return "\n".join(text for text in (stopped.hint, AGAIN) if text)


def keeps_its_class(stopped: ProxyctlError, ends: Sequence[Ended]) -> bool:
    """Whether the cause of the stop is the answer for the whole run."""
    if isinstance(stopped, TemporaryError):
        return True
    nothing_done = all(end.bad or end.action == "unchanged" for end in ends)
    return nothing_done and isinstance(stopped, AuthenticationError | NotFoundError)
