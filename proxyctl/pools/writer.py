"""How one change of a pool is sent, and what an answer means for the run: the place where the API's statuses and
codes become the engine's outcomes. The engine decides what happens next; this only says what was seen.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from proxyctl.api.calls import Call
from proxyctl.api.client import ProxyClient
from proxyctl.api.models import PhoneNumber
from proxyctl.bulk.outcomes import Done, Full, Lost, Outcome, Refused, Scope, Stop, Throttled, Unsent, Work
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
from proxyctl.pools.changes import Change, Kind
from proxyctl.pools.pool import look_at_pool
from proxyctl.pools.refusals import ALREADY_IN_THE_POOL, POOL_FULL, left_meanwhile, refusal, service_left

RATE_EXCEEDED = 80621


def work_for(index: int, change: Change, service_sid: str) -> Work:
    """Return the engine's view of ``change``: its rate lane, what kind of room it takes, and if it may be repeated.

    Twilio counts a method on a collection as one endpoint, so that adds and updates share a lane.
    """
    method = "DELETE" if change.kind is Kind.REMOVE else "POST"
    return Work(
        index=index,
        lane=f"{service_sid} {method}",
        room=f"{service_sid} {'reserved' if change.is_reserved else 'unreserved'}",
        repeatable=change.kind is not Kind.ADD,
        payload=change,
    )


class PoolWriter:
    """Carries out the changes of one Service's pool, one attempt at a time; called from many threads."""

    def __init__(self, client: ProxyClient, service_sid: str) -> None:
        self.client = client
        self.service_sid = service_sid
        self.numbers = client.phone_numbers(service_sid)
        self._sent_before: set[int] = set()
        self._disputed: set[int] = set()
        self._lock = threading.Lock()
        self._gone: ProxyctlError | None = None

    def call_for(self, change: Change) -> Call:
        """Return the request that ``change`` means."""
        sid = change.sid
        match change.kind:
            case Kind.ADD if sid is not None:
                return self.numbers.create_call(sid=sid, is_reserved=change.is_reserved)
            case Kind.ADD:
                return self.numbers.create_call(
                    phone_number=change.item.phone_number, is_reserved=change.is_reserved
                )
            case Kind.REMOVE:
                return self.numbers.delete_call(sid or "")
            case _:
                return self.numbers.update_call(sid or "", is_reserved=bool(change.is_reserved))

    def send(self, work: Work) -> Outcome:
        """Send the change once, and say what came of it."""
        change: Change = work.payload
        return self.send_call(work, self.call_for(change), change.kind)

    def send_call(self, work: Work, call: Call, kind: Kind) -> Outcome:
        """Send one write of ``work``, which does what ``kind`` says."""
        change: Change = work.payload
        try:
            answer = self.client.send(call)
        except ProxyctlError as error:
            outcome = self.outcome_of(work, change, error)
            if isinstance(outcome, Lost):
                self._sent_before.add(work.index)
            return outcome
        number = change.number if kind is Kind.REMOVE else PhoneNumber(answer.body)
        return Done(kind.done, Written(number, answer.request_id))

    def outcome_of(self, work: Work, change: Change, error: ProxyctlError) -> Outcome:
        """Sort ``error`` by what the run does next."""
        match error:
            case AuthenticationError():
                return Stop(error)
            case NotFoundError():
                return self.not_found(work, change, error)
            case ThrottledError():
                return throttled(error)
            case RefusedError(problem=problem) if problem is not None:
                return self.refused(work, change, error)
            case NetworkError(repeatable=False):
                return Stop(error)
            case NetworkError() | ServerError() | AnswerError():
                return Lost(error) if error.may_have_happened else Unsent(error)
            case _:
                return Refused(error)

    def refused(self, work: Work, change: Change, error: RefusedError) -> Outcome:
        """Tell a number that is in this pool already from one that another pool has, and a full pool from both."""
        code = error.problem.code if error.problem else None
        told = refusal(change, error)
        if code == POOL_FULL:
            return Full(told)
        if code == ALREADY_IN_THE_POOL and change.kind is Kind.ADD:
            return self.already_there(work, change, told)
        return Refused(told)

    def already_there(self, work: Work, change: Change, error: RefusedError) -> Outcome:
        """Look whether the number is in this pool; then an add worked before, or somebody else made it."""
        try:
            number = self.find(change)
        except ProxyctlError as failure:
            return failed_look(failure)
        repeated = work.index in self._sent_before
        if number is None:
            # After an add that may have worked it can be in the pool and not be seen yet: look again, once.
            unseen = repeated and work.index not in self._disputed
            self._disputed.add(work.index)
            return Lost(error) if unseen else Refused(error)
        if change.is_reserved in (None, number.is_reserved):
            return Done(change.kind.done if repeated else "unchanged", Written(number, None))
        update = self.numbers.update_call(number.sid, is_reserved=bool(change.is_reserved))
        return self.send_call(work, update, Kind.RESERVE if change.is_reserved else Kind.RELEASE)

    def find(self, change: Change) -> PhoneNumber | None:
        """Ask for the number of ``change``: by its SID where that is known, else through the whole list."""
        if change.sid is None:
            return look_at_pool(self.client, self.service_sid).find(change.item)
        try:
            return self.numbers.fetch(change.sid)
        except NotFoundError:
            gone = self.service_gone()
            if gone is not None:
                raise gone from None
            return None

    def not_found(self, work: Work, change: Change, error: NotFoundError) -> Outcome:
        """Tell "number gone" (this item's matter) from "Service gone" (the run's), which look alike."""
        if change.kind is Kind.REMOVE:
            return self.already_gone(work, change, error)
        gone = self.service_gone()
        if isinstance(gone, NotFoundError):
            return Stop(gone)
        if gone is not None:
            return failed_look(gone)
        return Refused(left_meanwhile(change, error))

    def already_gone(self, work: Work, change: Change, error: NotFoundError) -> Outcome:
        """A DELETE found nothing: the number has left, once a GET agrees."""
        try:
            number = self.find(change)
        except ProxyctlError as failure:
            return failed_look(failure)
        if number is not None:
            return Unsent(error)
        action = "removed" if work.index in self._sent_before else "unchanged"
        return Done(action, Written(change.number, None))

    def service_gone(self) -> ProxyctlError | None:
        """Ask for the Service; return the error, NotFoundError where it is gone. A Service that is gone stays so."""
        with self._lock:
            if self._gone is None:
                try:
                    self.client.services.fetch(self.service_sid)
                except NotFoundError as error:
                    self._gone = service_left(self.service_sid, error)
                except ProxyctlError as error:
                    error.may_have_happened = False
                    return error
            return self._gone

    def look(self, works: Sequence[Work]) -> dict[int, Outcome | None]:
        """Look what is there of ``works`` now: Done where the pool is as wanted, None where it is not.

        One request for a number whose SID is known, one list for all the others. Only looks, never writes.
        """
        found = {work.index: self.look_up(work.payload) for work in works if work.payload.sid is not None}
        listed = [work for work in works if work.payload.sid is None]
        if listed:
            found.update(self.look_through(listed))
        return found

    def look_up(self, change: Change) -> Outcome | None:
        """Ask for one number by its SID."""
        try:
            return as_wanted(change, self.find(change))
        except ProxyctlError as error:
            return failed_look(error)

    def look_through(self, works: Sequence[Work]) -> dict[int, Outcome | None]:
        """Read the pool once for all ``works``."""
        try:
            pool = look_at_pool(self.client, self.service_sid)
        except ProxyctlError as error:
            return {work.index: failed_look(error) for work in works}
        return {work.index: as_wanted(work.payload, pool.find(work.payload.item)) for work in works}


def as_wanted(change: Change, number: PhoneNumber | None) -> Outcome | None:
    """Say whether ``change`` took place, by what the pool holds now."""
    if change.kind is Kind.REMOVE:
        return Done(change.kind.done, Written(change.number, None)) if number is None else None
    if number is None or change.is_reserved not in (None, number.is_reserved):
        return None
    return Done(change.kind.done, Written(number, None))


class Written:
    """What a change left behind: the number as the API has it now, and the id of the request."""

    __slots__ = ("number", "request_id")

    def __init__(self, number: PhoneNumber | None, request_id: str | None) -> None:
        self.number = number
        self.request_id = request_id


def throttled(error: ThrottledError) -> Throttled:
    """Tell the two limits apart: the rate of one endpoint, and what the account may have under way."""
    problem = error.problem
    scope: Scope = "rate" if problem is not None and problem.code == RATE_EXCEEDED else "concurrency"
    return Throttled(scope, problem.retry_after if problem else None, error)


def failed_look(error: ProxyctlError) -> Outcome:
    """Say what a look that failed means: the run's end where asking again can't help, else try again.

    NotFoundError is about the Service here: a number that is not there is an answer.
    """
    if isinstance(error, AuthenticationError | NotFoundError):
        return Stop(error)
    if isinstance(error, NetworkError) and not error.repeatable:
        return Stop(error)
    if isinstance(error, ThrottledError):
        return throttled(error)
    return Unsent(error)
