"""How a run ended: an end for each item, rows for stdout, failures and summary for stderr, and an exit code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from proxyctl import errors
from proxyctl.bulk.outcomes import RunReport
from proxyctl.errors import ProxyctlError, reworded
from proxyctl.explaining import hint_for
from proxyctl.identifiers import agree
from proxyctl.input.items import Item
from proxyctl.pools.decide import InMessagingError
from proxyctl.pools.moves import how_to_finish
from proxyctl.render.failures import Failure, a_line_each, by_reason, without_request
from proxyctl.roles import Line
from proxyctl.text import CHANGED, NOT_GOOD, ORDER, Lines, command_line, counted, duration_text
from proxyctl.writes.flow import Progress
from proxyctl.writes.plan import Entry, NoOp
from proxyctl.writes.requests import ADD, HELD_ELSEWHERE

AGAIN = "Run the same command again to continue. Completed items are skipped."
CORRECT = "Fix the failed items and run the command again. Completed items are skipped."

Row = Mapping[str, Any]
Locate = Callable[[Item], str | None]  # the Service whose pool has a number now


@dataclass(frozen=True, slots=True)
class End:
    """How one item ended: ``action`` is one of `proxyctl.text`, ``seen`` the resource as it was last seen."""

    item: Item
    action: str
    seen: Row | None = None
    error: ProxyctlError | None = None
    service: str = ""
    note: str | None = None

    @property
    def bad(self) -> bool:
        """Whether the item is not as wanted now."""
        return self.error is not None or self.action in NOT_GOOD

    def row(self) -> dict[str, Any]:
        """Return the row that is printed."""
        seen, error = self.seen or {}, self.error
        code = error.problem.code if error and error.problem else None
        return {
            "input": self.item.input,
            "sid": seen.get("sid") or self.item.sid,
            "phone_number": seen.get("phone_number") or self.item.phone_number,
            "unique_name": seen.get("unique_name"),
            "action": self.action,
            "is_reserved": seen.get("is_reserved") if self.action != "unknown" else None,
            "status": seen.get("status") if self.action != "unknown" else None,
            "error": error and {"code": code, "message": error.message, "exit_code": int(error.exit_code)},
            "service": self.service,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """A run that is over. ``done`` is the word that the summary leads with; ``single``: one number was named, so its
    own error is the run's. ``sent`` is what the engine says; None without a request.
    """

    ends: Sequence[End] = ()
    done: str = ""
    single: bool = False
    stopped: ProxyctlError | None = None
    sent: RunReport | None = None
    run: str | None = None  # its record in the history
    waited: bool = False  # most of the time was waiting, so that a rate says nothing
    where: str = ""  # the Services and the profile, for the summary

    @property
    def counts(self) -> Counter[str]:
        """How many items ended with each word."""
        return Counter(end.action for end in self.ends)

    def summary(self) -> str:
        """Return the line that ends a run.

        ``masking (profile prod): reserved 4980, unchanged 20, failed 0 in 2m46s (30.0/s, 12 retries)``
        """
        counts = self.counts
        # A verb may end in another's action: `reserve --add` adds.
        lead = [self.done] if self.done and (counts[self.done] or not counts["added"]) else []
        others = [action for action in ORDER if counts[action] and action not in (*lead, "failed")]
        words = ", ".join(f"{action} {counts[action]}" for action in (*lead, *others, "failed"))
        words = f"{self.where}: {words}" if self.where else words
        if self.sent is None:
            return words
        took = self.sent.ended - self.sent.started
        changed = sum(count for action, count in counts.items() if action in CHANGED)
        facts = [f"{changed / took:.1f}/s"] if changed > 1 and took > 0 and not self.waited else []
        if self.sent.retries:
            facts.append(counted(self.sent.retries, "retry", "retries"))
        return f"{words} in {duration_text(took)}" + (f" ({', '.join(facts)})" if facts else "")

    def failure_lines(self, width: int | None) -> list[str] | list[Line]:
        """Return which items are not as wanted: by their reason at a terminal of ``width``, a line each elsewhere."""
        # What was no number was named before.
        bad = [end for end in self.ends if end.bad and type(end.error) is not errors.InputError]
        tried = [failure_of(end) for end in bad if end.action != "skipped"]
        skipped = [failure_of(end) for end in bad if end.action == "skipped"]
        return a_line_each(tried, skipped) if width is None else list(by_reason([*tried, *skipped], width))

    def error(self) -> ProxyctlError | None:
        """Return the error that the run ends with, or None where every item is as wanted.

        One number alone ends with its own error. Of several, any failure makes the run partial, unless nothing at all
        could be done for a common cause, or items were only not tried and running again is the cure.
        """
        bad = [end for end in self.ends if end.bad]
        if self.stopped is None and not bad:
            return None
        line, stopped = self.summary(), self.stopped
        if isinstance(stopped, errors.Interrupted):
            return errors.Interrupted(stopped.signal_number, f"interrupted: {line}.", hint=self.advice(AGAIN))
        if isinstance(stopped, errors.OutputError):
            return errors.OutputError(f"{stopped.message.rstrip('.')}: {line}.", hint=stopped.hint)
        if self.single and bad and bad[0].error is not None:
            error = named(bad[0], bad[0].error)
            return reworded(error, error.message, hint=self.advice(error.hint)) if stopped else error
        cause = stopped or self.common_cause(bad)
        if cause is None:
            failed = [end.error for end in bad if end.action == "failed"]
            passing = all(isinstance(error, errors.TemporaryError) for error in failed)
            return errors.SummaryError(f"{line}.", hint=AGAIN if passing else CORRECT)
        kind = type(cause) if self.is_whole(cause) else errors.PartialError
        hint = cause.hint if "same command again" in (cause.hint or "") else Lines(cause.hint, AGAIN)
        text = f"{cause.message.rstrip('.')}: {line}."
        return kind(text, hint=self.advice(hint), problem=cause.problem)

    def advice(self, hint: str | None) -> str | None:
        """Return the hint of a run that was stopped; what it did can be taken back, too."""
        if self.stopped is None or self.run is None or not any(end.action in CHANGED for end in self.ends):
            return hint
        return Lines(hint, f"'{command_line('history', 'undo', self.run)}' undoes what was done.")

    @property
    def nothing_done(self) -> bool:
        """Whether no item was changed."""
        return all(end.bad or end.action == "unchanged" for end in self.ends)

    def common_cause(self, bad: Sequence[End]) -> ProxyctlError | None:
        """Return the error of the last item where nothing was done and every cause passes; the same again may help."""
        passing = all(isinstance(end.error, errors.TemporaryError) for end in bad)
        error = bad[-1].error if bad and passing and self.nothing_done else None
        return error and reworded(error, without_request(error.message), hint=error.hint)

    def is_whole(self, cause: ProxyctlError) -> bool:
        """Whether the cause of a stop is the answer for the whole run."""
        if isinstance(cause, errors.TemporaryError):
            return self.nothing_done or not any(end.action in ("failed", "unknown") for end in self.ends)
        if isinstance(cause, errors.AuthenticationError | errors.NotFoundError | errors.UsageError):
            return self.nothing_done
        # What nobody foresaw is reported as that.
        return not isinstance(cause, errors.PartialError | errors.RefusedError)


def report_of(
    entries: Iterable[Entry], ends: Iterable[Progress], run: RunReport | None, locate: Locate | None = None
) -> Report:
    """Return the report on a plan's entries; ``ends`` are those of its chains, in order."""
    stopped = run.stopped_by if run is not None else None
    of_chains = iter(ends)

    def ended(entry: Entry) -> End:
        return no_op_end(entry) if isinstance(entry, NoOp) else end_of(next(of_chains), stopped, locate)

    return Report(tuple(map(ended, entries)), stopped=stopped, sent=run)


def together(first: RunReport | None, later: RunReport) -> RunReport:
    """Return two runs, one after the other, as one."""
    if first is None:
        return later
    retries, stopped = first.retries + later.retries, first.stopped_by or later.stopped_by
    return replace(first, retries=retries, stopped_by=stopped, ended=later.ended)


def no_op_end(entry: NoOp) -> End:
    """Return the end of an item that needed no request."""
    action = "failed" if entry.error is not None else "unchanged"
    return End(entry.item, action, entry.seen, entry.error, entry.service, entry.note)


def end_of(end: Progress, stopped: ProxyctlError | None, locate: Locate | None) -> End:
    """Return how an item ended that needed requests."""
    chain, error = end.chain, end.error
    action = word_for(end) if end.state == "done" else end.state
    seen = end.seen or chain.before
    if end.pending and end.state != "unknown":
        action, error = "failed", pending_error(end, error or stopped, locate)
    elif end.rolled_back and end.state != "unknown":
        of_session = chain.request.verb.key == "unique_name"
        back = "The Session was closed again" if of_session else "It was put back"
        error = error and reworded(error, f"{error.message.rstrip('.')}. {back}.")
    elif end.state == "skipped":
        error = error or stopped
    elif end.state == "done":
        error = another_number(chain.item, action, seen)
    return End(chain.item, action, seen, error, chain.service)


def word_for(end: Progress) -> str:
    """Return the word for an item whose chain is done: by the last request that was about a pool, if one was."""
    chain, actions = end.chain, end.actions
    steps = [step.request.verb for step in chain.steps]
    deciding = [action for verb, action in zip(steps, actions, strict=False) if not verb.beside]
    last = (deciding or actions)[-1] if len(actions) <= len(steps) else actions[-1]
    return "unchanged" if last == "unchanged" else chain.done or last


def pending_error(end: Progress, error: ProxyctlError | None, locate: Locate | None) -> ProxyctlError:
    """The error for an item that stands half-way: where it is, where it belongs, and what to do."""
    request, problem = end.pending[0], error.problem if error is not None else None
    item = Item(request.name, request.sid, request.phone_number)
    holder = locate(item) if locate is not None and held_elsewhere(end, error) else None
    if holder is not None:
        text = f"{request.name} is in the pool of Service {holder} now: somebody else moved it meanwhile."
        find = f"'{command_line('number', 'find', request.name)}' says where it is."
        return errors.RefusedError(text, hint=find, problem=problem)
    lasting = errors.RefusedError | errors.NotFoundError | errors.AuthenticationError
    kind = type(error) if isinstance(error, lasting) else errors.TemporaryError
    name = request.name if request.sid in (None, request.name) else f"{request.name} ({request.sid})"
    where = "is where it was" if end.rolled_back else "has moved"
    state = request.verb.pending.format(parent=request.parent, where=where)
    why = f": {error.message.rstrip('.')}" if error is not None else ""
    hint = error.hint if isinstance(error, InMessagingError) else how_to_finish(request)
    belongs = ""
    if request.verb is ADD:
        flag = "reserved" if request.wanted.get("is_reserved") else "unreserved"
        pool = request.kept.get("service") or request.parent
        belongs = f" It belongs in the pool of Service {pool} ({flag})."
    return kind(f"{name} {state}{why}.{belongs}", hint=hint, problem=problem)


def held_elsewhere(end: Progress, error: ProxyctlError | None) -> bool:
    """Whether a number is in no pool of this run because another pool may have it."""
    problem = error.problem if error is not None else None
    return end.pending[0].verb is ADD and problem is not None and problem.code in HELD_ELSEWHERE


def another_number(item: Item, action: str, seen: Row | None) -> ProxyctlError | None:
    """Refuse a row whose SID turned out to be that of another number than the one it names: the SID was added."""
    number, named = (seen or {}).get("phone_number"), item.phone_number
    if action != "added" or not (item.sid and named and number) or agree(number, named):
        return None
    text = f"its SID is that of {number}, which was added. The row says {named}."
    remove = command_line("number", "remove", "SERVICE", item.sid)
    return errors.RefusedError(text, hint=f"Fix the row. '{remove}' removes the number again.")


def failure_of(end: End) -> Failure:
    """Return an item that is not as wanted: what it was, what happened, what to do next."""
    item, seen = end.item, end.seen or {}
    number = seen.get("phone_number") or item.phone_number
    names = [name for name in (number, item.sid or seen.get("sid"), item.shown) if name]
    default = "not tried" if end.action == "skipped" else "not done"
    hint = hint_for(end.error, number=item.phone_number or item.sid) if end.error else None
    return Failure(names, end.action, end.error.message if end.error else default, hint or "")


def named(end: End, error: ProxyctlError) -> ProxyctlError:
    """Return the error of a number that is alone in its run; one that speaks of a request only gets its name."""
    of_request = error.problem is not None or isinstance(error, errors.NetworkError)
    is_number = end.item.phone_number is not None or (end.item.sid or "").startswith("PN")
    names = [end.item.shown, end.item.sid, (end.seen or {}).get("phone_number")]
    if not (of_request and is_number) or any(name and name in error.message for name in names):
        return error
    return reworded(error, f"{end.item.shown}: {end.action}: {error.message}")
