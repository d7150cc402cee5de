"""What an answer means for the run: the only place that reads statuses and codes of writes, and that finds out what
became of a request whose answer was lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from proxyctl import errors
from proxyctl.api.client import ProxyClient
from proxyctl.api.codes import RESOURCE_NOT_FOUND, TWO_AT_ONCE
from proxyctl.api.resources import SERVICES, Call
from proxyctl.bulk import outcomes
from proxyctl.bulk.threads import side_by_side
from proxyctl.text import command_line, quoted
from proxyctl.writes.flow import Sending
from proxyctl.writes.reading import Reader, limit_of
from proxyctl.writes.requests import CREATE_SERVICE, RESERVE, Request, Seen

FEW = 10  # requests that are verified one by one; more are by one list
ASK_AGAIN_AFTER = 5  # numbers not found in a row, until the Service is asked for again


class Executor:
    """Sends requests and verifies them, one attempt at a time; called from many threads.

    A refusal that may mean "as wanted", or that a Service is gone, is unclear until it is verified, with all others.
    """

    def __init__(self, client: ProxyClient, reader: Reader) -> None:
        self._client = client
        self._reader = reader
        self._unsure: dict[int, errors.ProxyctlError] = {}  # tasks whose earlier answer was lost
        self._unclear: dict[int, errors.ProxyctlError] = {}  # tasks that were refused since
        self._disputed: set[int] = set()
        self._not_found: Counter[str] = Counter()

    def send(self, task: outcomes.Task) -> outcomes.Outcome:
        """Send a task once, and say what came of it."""
        sending: Sending = task.payload
        request = sending.request
        try:
            answer = self._client.send(sending.call)
        except errors.ProxyctlError as error:
            outcome = self._outcome_of(task, error)
            if isinstance(outcome, outcomes.Lost):
                self._unsure[task.index] = outcome.error
            elif isinstance(outcome, outcomes.Unclear):
                self._unclear[task.index] = outcome.error
            return outcome
        raw = request.before if request.verb.removes else answer.body
        return outcomes.Done(request.verb.done, Seen(raw, answer.request_id))

    def _outcome_of(self, task: outcomes.Task, error: errors.ProxyctlError) -> outcomes.Outcome:
        """Sort ``error`` by what the run does next."""
        request: Request = task.payload.request
        code, repeated = error.problem.code if error.problem else None, task.index in self._unsure
        match error:
            case errors.AuthenticationError() | errors.UsageError() | errors.NetworkError(repeatable=False):
                return outcomes.Stop(error)
            case errors.ThrottledError():
                return outcomes.Throttled(*limit_of(error), error)
            case errors.AnswerError() if error.may_have_happened:
                return outcomes.Lost(error, verify=True)
            case errors.NetworkError() | errors.ServerError() | errors.AnswerError():
                return outcomes.Lost(error) if error.may_have_happened else outcomes.Unsent(error)
            case errors.NotFoundError() if request.verb.removes:
                typed = request.verb.typed is not None
                certain = typed and not repeated
                return outcomes.Refused(error) if certain else outcomes.Unclear(error, urgent=True)
            case errors.NotFoundError():
                if not request.verb.in_service:
                    return outcomes.Refused(error)
                return outcomes.Unclear(gone_meanwhile(request, error), urgent=True)
            case errors.RefusedError() if code == TWO_AT_ONCE:
                return outcomes.Unsent(error)
            case errors.RefusedError() if code in request.verb.full:
                return outcomes.Refused(refusal(request, error), full=True)
            case errors.RefusedError() if code in request.verb.already:
                named = request.verb.named or request.verb is CREATE_SERVICE
                somebodys = named and not repeated  # whatever it is like
                refused = refusal(request, error)
                return outcomes.Refused(refused) if somebodys else outcomes.Unclear(refused)
            case errors.RefusedError():
                return outcomes.Refused(refusal(request, error))
        return outcomes.Refused(error)

    # Verifying

    def verify(self, tasks: Sequence[outcomes.Task], reads: int) -> dict[int, outcomes.Outcome | None]:
        """Find out what became of ``tasks``: Done where it is as wanted, None where it is not. Never writes.

        A few whose SIDs are known are fetched; one list serves all the others of a collection. One thread at a time
        calls this.
        """
        seen: dict[int, Any] = {one.index: self._unclear[one.index] for one in tasks if self._is_missing(one)}
        rest = [task for task in tasks if task.index not in seen]
        for read, answer in side_by_side(self._read, reads_of(rest), workers=reads):
            seen |= {task.index: found_in(answer, read, task.payload.request) for task in read.tasks}
        gone = self._gone([task for task in tasks if isinstance(seen.get(task.index), errors.NotFoundError)])
        return {
            task.index: self._judged(task, seen[task.index], gone)
            if task.index in seen
            else outcomes.Stop(nothing_shows(task.payload.request, self._unsure[task.index]))
            for task in tasks
        }

    def _is_missing(self, task: outcomes.Task) -> bool:
        """Whether it was not found although it should have been: its Service is what has to be asked for."""
        unclear = self._unclear.get(task.index)
        return isinstance(unclear, errors.NotFoundError) and not task.payload.request.verb.removes

    def _read(self, read: Read) -> Mapping[str, Any] | errors.ProxyctlError:
        """Return one resource, or those of a list by SID and name; or the error."""
        try:
            if read.key is None:
                return self._reader.request(read.call).body  # type: ignore[no-any-return]
            rows = list(self._reader.rows(read.call))
        except errors.ProxyctlError as error:
            return error
        return {value: row for row in rows for key in ("sid", read.key) if (value := row.get(key))}

    def _gone(self, not_found: Sequence[outcomes.Task]) -> dict[str, errors.ProxyctlError]:
        """Distinguish "number gone" (its own matter) from "Service gone" (the run's): the response is the same.

        A Service is asked for once for a burst of them, and again after five.
        """
        gone: dict[str, errors.ProxyctlError] = {}
        requests = [task.payload.request for task in not_found]
        for parent, count in Counter(one.parent for one in requests if one.verb.in_service).items():
            before = self._not_found[parent]
            self._not_found[parent] += count
            if before and before // ASK_AGAIN_AFTER == (before + count) // ASK_AGAIN_AFTER:
                continue
            try:
                self._reader.request(SERVICES.fetch(parent))
            except errors.NotFoundError as error:
                gone[parent] = service_gone(parent, error)
            except errors.ProxyctlError as error:
                self._not_found[parent] = 0
                gone[parent] = error
        return gone

    def _judged(
        self, task: outcomes.Task, seen: Any, gone: Mapping[str, errors.ProxyctlError]
    ) -> outcomes.Outcome | None:
        """Say what became of a task, by what is there now."""
        request: Request = task.payload.request
        if isinstance(seen, errors.NotFoundError):
            if request.parent in gone:
                return failed_read(gone[request.parent])
            seen = None
        if isinstance(seen, errors.ProxyctlError):
            return failed_read(seen)
        if isinstance(seen, outcomes.Stop):
            return seen
        refused, repeated = self._unclear.pop(task.index, None), task.index in self._unsure
        if request.agrees(seen):
            action = request.verb.done if refused is None or repeated else "unchanged"
            return outcomes.Done(action, Seen(request.before if request.verb.removes else seen))
        theirs = seen is not None and request.verb is CREATE_SERVICE
        if refused is None:
            return outcomes.Refused(made_by_others(request)) if theirs else None
        if request.verb.removes:
            return outcomes.Refused(contradiction(request, refused))
        if isinstance(refused, errors.NotFoundError):
            as_wanted = RESOURCE_NOT_FOUND in request.verb.already
            return outcomes.Done("unchanged", Seen(None)) if as_wanted else outcomes.Refused(refused)
        if seen is None and repeated and task.index not in self._disputed:
            # After a request that may have worked it can be there and not be seen yet: verify again, once.
            self._disputed.add(task.index)
            return None
        if seen is not None and task.payload.resolves:
            return outcomes.Done("unchanged", Seen(seen))
        return outcomes.Refused(made_by_others(request, refused) if theirs else refused)


class Read(NamedTuple):
    """A request that shows what became of tasks. ``key``: of a list, what names its rows beside the SID."""

    call: Call
    tasks: Sequence[outcomes.Task]
    key: str | None = None


def reads_of(tasks: Sequence[outcomes.Task]) -> Iterator[Read]:
    """Return what has to be read: one resource each for a few, one list for all others of a collection."""
    groups: dict[str, list[outcomes.Task]] = {}
    for task in tasks:
        listing: Call | None = task.payload.request.listing()
        groups.setdefault(listing.path if listing is not None else "", []).append(task)
    for group in groups.values():
        request: Request = group[0].payload.request
        listing = request.listing()
        alone = {task.index: call for task in group if (call := task.payload.request.fetch()) is not None}
        if listing is not None and len(alone) > FEW:
            alone = {}
        yield from (Read(alone[task.index], [task]) for task in group if task.index in alone)
        rest = [task for task in group if task.index not in alone]
        if rest and listing is not None:
            yield Read(listing, rest, request.verb.key)


def found_in(answer: Mapping[str, Any] | errors.ProxyctlError, read: Read, request: Request) -> Any:
    """Return the resource that ``request`` is about, None where a list does not have it, or what went wrong."""
    if read.key is None:
        return answer
    if isinstance(answer, errors.NotFoundError):
        return outcomes.Stop(service_gone(request.parent, answer) if request.verb.in_service else answer)
    if isinstance(answer, errors.ProxyctlError):
        return answer
    return answer.get(request.found_by)


def failed_read(error: errors.ProxyctlError) -> outcomes.Outcome:
    """Say what a read that failed means: the run's end where asking again can't help, else try again.

    NotFoundError is about the Service here: a number that is not there is an answer.
    """
    match error:
        case (
            errors.AuthenticationError()
            | errors.UsageError()
            | errors.NotFoundError()
            | errors.NetworkError(repeatable=False)
        ):
            return outcomes.Stop(error)
        case errors.ThrottledError():
            return outcomes.Throttled(*limit_of(error), error)
    return outcomes.Unsent(error)


# Words


def refusal(request: Request, error: errors.RefusedError) -> errors.RefusedError:
    """Return ``error`` as one about the request: what could not be done, why, what to type next."""
    problem, verb = error.problem, request.verb
    if problem is None or verb.typed is not None:
        return error
    what = verb.refused.format(name=request.name, done=verb.done, parent=request.parent)
    if not verb.refusals:
        return errors.RefusedError(f"{what}: {error.message}", hint=error.hint, problem=problem)
    said = f"{problem.status}, code {problem.code}" if problem.code else str(problem.status)
    said = f"({said}: {problem.message})" if problem.message else f"({said})"
    meaning, hint = verb.refusals.get(problem.code or 0, ("the API refused", ""))
    text = f"{meaning} {said}" if problem.code in verb.full else f"{what}: {meaning} {said}"
    hint = hint.replace("NUMBER", quoted(request.name)) or error.hint or ""
    return errors.RefusedError(text, hint=hint, problem=problem)


def gone_meanwhile(request: Request, error: errors.NotFoundError) -> errors.ProxyctlError:
    """The error for a thing of a Service that was there when it was read, and is not any more."""
    if request.verb.key != "phone_number":
        text = f"Session {request.session or request.name} does not exist any more."
        return errors.reworded(error, text, hint="Somebody else deleted it.")
    hint = "Somebody else removed it. 'proxyctl number list SERVICE' lists the pool."
    if request.verb is RESERVE:
        hint = "Somebody else removed it. Add --add to put it back as reserved."
    return errors.reworded(error, f"{request.name} is no longer in the pool.", hint=hint)


def nothing_shows(request: Request, error: errors.ProxyctlError) -> errors.ProxyctlError:
    """The error for a request of unknown outcome that no read can verify."""
    if request.verb.typed is not None:
        return error
    newest = command_line("session", "list", request.parent, "--sort", "-date_created", "--limit", "3")
    text = f"whether {request.name} was {request.verb.done} is unknown: {error.message}"
    hint = f"Running the command again may create a second one. Check first: '{newest}'."
    return errors.PartialError(text, hint=hint, problem=error.problem)


def service_gone(service_sid: str, error: errors.NotFoundError) -> errors.ProxyctlError:
    """The error for a Service that is gone: its response is that of a missing number."""
    hint = "Somebody else deleted it. 'proxyctl service list' lists the Services."
    return errors.reworded(error, f"Service {service_sid} does not exist any more.", hint=hint)


def contradiction(request: Request, error: errors.ProxyctlError) -> errors.RefusedError:
    """The refusal of a thing that the API shows, and says not to know when it is to be deleted."""
    text = f"{request.name} can't be {request.verb.done}: the API shows it, but does not find it."
    hint = "Run the same command again. If it fails again, ask Twilio's support."
    return errors.RefusedError(text, hint=hint, problem=error.problem)


def made_by_others(request: Request, error: errors.ProxyctlError | None = None) -> errors.RefusedError:
    """The refusal of a Service whose name is taken, by one that was not there when the list was read."""
    text = f"Service {request.name} can't be created: somebody else created one of this name."
    hint = "Run the same command again to continue with that Service."
    return errors.RefusedError(text, hint=hint, problem=error.problem if error is not None else None)
