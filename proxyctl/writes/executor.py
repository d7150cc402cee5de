"""What an answer means for the run: the only place that reads statuses and codes of writes, and that finds out what
became of a request whose answer was lost.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from proxyctl.api.calls import Answer, Call
from proxyctl.api.codes import RATE_LIMITED
from proxyctl.api.pages import pages
from proxyctl.bulk.outcomes import Done, Full, Lost, Outcome, Refused, Scope, Stop, Throttled, Unsent, Work
from proxyctl.bulk.side_by_side import side_by_side
from proxyctl.errors import (
    AnswerError,
    AuthenticationError,
    NetworkError,
    NotFoundError,
    ProxyctlError,
    RefusedError,
    ServerError,
    ThrottledError,
)
from proxyctl.writes.flow import Sending
from proxyctl.writes.requests import CREATE_SERVICE, RESERVE, Request, Seen

FEW = 10  # requests that are verified one by one; more are by one list
ASK_AGAIN_AFTER = 5  # numbers not found in a row, until the Service is asked for again


class Requests(Protocol):
    """What reads: goes through the gates, and repeats what is safe to repeat."""

    def request(self, call: Call) -> Answer: ...


class Sender(Protocol):
    """What makes one attempt."""

    def send(self, call: Call) -> Answer: ...


class Executor:
    """Sends requests and verifies them, one attempt at a time; called from many threads."""

    def __init__(self, client: Sender, reader: Requests) -> None:
        self._client = client
        self._reader = reader
        self._lock = threading.Lock()
        self._unsure: dict[int, ProxyctlError] = {}  # works whose earlier answer was lost
        self._disputed: set[int] = set()
        self._not_found: Counter[str] = Counter()

    def send(self, work: Work) -> Outcome:
        """Send a work once, and say what came of it."""
        sending: Sending = work.payload
        request = sending.request
        try:
            answer = self._client.send(sending.call)
        except ProxyctlError as error:
            outcome = self._outcome_of(work, error)
            if isinstance(outcome, Lost):
                self._unsure[work.index] = outcome.error
            return outcome
        raw = request.before if request.verb.removes else answer.body
        return Done(request.verb.done, Seen(raw, answer.request_id))

    def _outcome_of(self, work: Work, error: ProxyctlError) -> Outcome:
        """Sort ``error`` by what the run does next."""
        request: Request = work.payload.request
        code = code_of(error)
        match error:
            case AuthenticationError() | NetworkError(repeatable=False):
                return Stop(error)
            case ThrottledError():
                return throttled(error)
            case AnswerError() if error.may_have_happened:
                return Lost(error, verify=True)
            case NetworkError() | ServerError() | AnswerError():
                return Lost(error) if error.may_have_happened else Unsent(error)
            case NotFoundError() if request.verb.removes:
                return self._already_gone(work, error)
            case NotFoundError():
                return self._not_there(request, error)
            case RefusedError() if code in request.verb.full:
                return Full(refusal(request, error))
            case RefusedError() if code in request.verb.already:
                return self._already_there(work, refusal(request, error))
            case RefusedError():
                return Refused(refusal(request, error))
        return Refused(error)

    def _already_there(self, work: Work, error: RefusedError) -> Outcome:
        """Find out whether the refusal means that this request, or somebody else's like it, had worked before."""
        request: Request = work.payload.request
        repeated = work.index in self._unsure
        if request.verb is CREATE_SERVICE and not repeated:
            return Refused(error)  # somebody's, whatever it looks like
        try:
            seen = self._read(request)
        except ProxyctlError as failure:
            return failed_read(failure)
        if seen is None:
            # After a request that may have worked it can be there and not be seen yet: verify again, once.
            unseen = repeated and work.index not in self._disputed
            self._disputed.add(work.index)
            return Lost(error) if unseen else Refused(error)
        if request.agrees(seen):
            return Done(request.verb.done if repeated else "unchanged", Seen(seen))
        if work.payload.resolves:
            return Done("unchanged", Seen(seen))
        return Refused(made_by_others(request, error) if request.verb is CREATE_SERVICE else error)

    def _already_gone(self, work: Work, error: NotFoundError) -> Outcome:
        """A DELETE found nothing: the thing has left, once a GET agrees."""
        request: Request = work.payload.request
        if request.verb.plain and work.index not in self._unsure:
            return Refused(error)
        try:
            seen = self._read(request)
        except ProxyctlError as failure:
            return failed_read(failure)
        if seen is not None:
            return Refused(contradiction(request, error))
        return Done(request.verb.done if work.index in self._unsure else "unchanged", Seen(request.before))

    def _not_there(self, request: Request, error: NotFoundError) -> Outcome:
        """Tell "number gone" (this item's matter) from "Service gone" (the run's), which look alike."""
        gone = self._parent_gone(request)
        if isinstance(gone, NotFoundError):
            return Stop(gone)
        if gone is not None:
            return failed_read(gone)
        return Refused(gone_meanwhile(request, error))

    def _parent_gone(self, request: Request) -> ProxyctlError | None:
        """Ask for the Service, once for a burst of numbers that were not found; return the error if it is gone."""
        if request.verb.within is None:
            return None
        with self._lock:
            self._not_found[request.parent] += 1
            if self._not_found[request.parent] % ASK_AGAIN_AFTER != 1:
                return None
            try:
                self._reader.request(request.verb.within(request))
            except NotFoundError as error:
                self._not_found[request.parent] = 0
                return service_gone(request.parent, error)
            except ProxyctlError as error:
                self._not_found[request.parent] = 0
                error.may_have_happened = False
                return error
        return None

    # Verifying

    def look(self, works: Sequence[Work]) -> dict[int, Outcome | None]:
        """Find out what became of ``works``: Done where it is as wanted, None where it is not. Never writes.

        A few whose SIDs are known are fetched, in parallel; one list serves all the others of a collection.
        """
        groups: dict[str | None, list[Work]] = {}
        for work in works:
            request: Request = work.payload.request
            call = request.verb.listing(request) if request.verb.listing is not None else None
            groups.setdefault(call.path if call is not None else None, []).append(work)
        found: dict[int, Outcome | None] = {}
        for path, group in groups.items():
            one_by_one = [work for work in group if fetchable(work.payload.request)]
            if path is not None and len(one_by_one) > FEW:
                one_by_one = []
            found |= {work.index: outcome for work, outcome in side_by_side(self._fetched, one_by_one)}
            rest = [work for work in group if work.index not in found]
            if rest and path is None:  # nothing shows what became of it
                found |= {work.index: Stop(self._unsure[work.index]) for work in rest}
            elif rest:
                found.update(self._listed(rest))
        return found

    def _fetched(self, work: Work) -> Outcome | None:
        try:
            return judged(work.payload.request, self._read(work.payload.request))
        except ProxyctlError as error:
            return failed_read(error)

    def _listed(self, works: Sequence[Work]) -> Iterator[tuple[int, Outcome | None]]:
        request: Request = works[0].payload.request
        try:
            rows = list(self._rows(request))
        except ProxyctlError as error:
            yield from ((work.index, failed_read(error)) for work in works)
            return
        by_key = {value: row for row in rows for key in ("sid", request.verb.key) if (value := row.get(key))}
        for work in works:
            one: Request = work.payload.request
            yield work.index, judged(one, by_key.get(one.sid or one.phone_number or one.name))

    def _read(self, request: Request) -> Mapping[str, Any] | None:
        """Return the thing as it is now, None where it is not there. Raises NotFoundError where its Service is gone."""
        if not fetchable(request):
            return next((row for row in self._rows(request) if request.names(row)), None)
        assert request.verb.fetch is not None
        try:
            body: Mapping[str, Any] = self._reader.request(request.verb.fetch(request)).body
        except NotFoundError:
            gone = self._parent_gone(request)
            if gone is not None:
                raise gone from None
            return None
        return body

    def _rows(self, request: Request) -> Iterator[Mapping[str, Any]]:
        assert request.verb.listing is not None
        for page in pages(self._reader, request.verb.listing(request)):
            yield from page.items


def fetchable(request: Request) -> bool:
    """Whether the thing can be asked for by its SID."""
    return request.sid is not None and request.verb.fetch is not None


def judged(request: Request, seen: Mapping[str, Any] | None) -> Outcome | None:
    """Say whether a request took place, by what is there now."""
    if request.agrees(seen):
        return Done(request.verb.done, Seen(request.before if request.verb.removes else seen))
    if seen is not None and request.verb is CREATE_SERVICE:
        return Refused(made_by_others(request))
    return None


def throttled(error: ThrottledError) -> Throttled:
    """Tell the two limits apart: the rate of one endpoint, and what the account may have under way."""
    problem = error.problem
    scope: Scope = "rate" if problem is not None and problem.code == RATE_LIMITED else "concurrency"
    return Throttled(scope, problem.retry_after if problem else None, error)


def failed_read(error: ProxyctlError) -> Outcome:
    """Say what a read that failed means: the run's end where asking again can't help, else try again.

    NotFoundError is about the Service here: a number that is not there is an answer.
    """
    if isinstance(error, AuthenticationError | NotFoundError):
        return Stop(error)
    if isinstance(error, NetworkError) and not error.repeatable:
        return Stop(error)
    if isinstance(error, ThrottledError):
        return throttled(error)
    return Unsent(error)


# Words


def code_of(error: ProxyctlError) -> int:
    """Return Twilio's code of an error, 0 where it has none."""
    return (error.problem.code if error.problem else None) or 0


def refusal(request: Request, error: RefusedError) -> RefusedError:
    """Return ``error`` as one about the request: what could not be done, why, what to type next."""
    problem, verb = error.problem, request.verb
    if problem is None or verb.plain:
        return error
    what = verb.refused.format(name=request.name, done=verb.done, parent=request.parent)
    if not verb.meanings:
        return RefusedError(f"{what}: {error.message}", hint=error.hint, problem=problem)
    said = f"{problem.status}, code {problem.code}" if problem.code else str(problem.status)
    said = f"({said}: {problem.message})" if problem.message else f"({said})"
    meaning = verb.meanings.get(problem.code or 0, "the API refused")
    hint = verb.hints.get(problem.code or 0, "").format(name=request.name) or error.hint
    if problem.code in verb.full and verb.hints:
        return RefusedError(f"{meaning} {said}", hint=hint, problem=problem)
    return RefusedError(f"{what}: {meaning} {said}", hint=hint, problem=problem)


def gone_meanwhile(request: Request, error: NotFoundError) -> NotFoundError:
    """The error for a thing that was there when it was read, and is not any more."""
    if request.verb.within is None:
        return error
    hint = "Somebody else removed it meanwhile; look with 'proxyctl number list'."
    if request.verb is RESERVE:
        hint = "Somebody else removed it meanwhile; with --add it is put back as reserved."
    return NotFoundError(f"{request.name} is no longer in the pool.", hint=hint, problem=error.problem)


def service_gone(service_sid: str, error: NotFoundError) -> NotFoundError:
    """The error for a Service that is gone, which a missing number looks like."""
    return NotFoundError(
        f"Service {service_sid} does not exist any more.",
        hint="Somebody deleted it meanwhile; 'proxyctl service list' shows those that are left.",
        problem=error.problem,
    )


def contradiction(request: Request, error: NotFoundError) -> RefusedError:
    """The refusal of a thing that the API shows, and says not to know when it is to be deleted."""
    return RefusedError(
        f"{request.name} can't be {request.verb.done}: the API shows it, but does not find it to delete it.",
        hint="Run the same command again; if that does not help, ask Twilio's support.",
        problem=error.problem,
    )


def made_by_others(request: Request, error: RefusedError | None = None) -> RefusedError:
    """The refusal of a Service whose name is taken, by one that was not there when the list was read."""
    return RefusedError(
        f"Service {request.name} can't be created: somebody else made one of this name meanwhile.",
        hint="Run the same command again: it goes on with the Service that is there now.",
        problem=error.problem if error is not None else None,
    )
