"""Messaging Services as pools meet them: numbers put in and taken out, one attempt at a time, and what an answer means.

For US A2P 10DLC the numbers of a pool have to be in a Messaging Service too. One that is in there already can be added
to no pool, so the order matters: first the pool, then the Messaging Service.
"""

from __future__ import annotations

from proxyctl.api.client import ProxyClient
from proxyctl.bulk.outcomes import Done, Full, Lost, Outcome, Refused, Stop, Unsent
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
from proxyctl.pools.writer import Written, failed_look, throttled

MOST_SENDERS = 400  # of one Messaging Service, unless Twilio raised it
ALREADY_HERE = 21710
ELSEWHERE = 21712
FULL = 21714
NO_SMS = 21715

_MEANINGS = {
    ELSEWHERE: "another Messaging Service has it",
    FULL: "the Messaging Service is full",
    NO_SMS: "it can't send SMS",
}


class Senders:
    """The numbers of one Messaging Service, written one attempt at a time; called from many threads."""

    def __init__(self, client: ProxyClient, messaging_service: str) -> None:
        self.client = client
        self.messaging_service = messaging_service
        self.numbers = client.messaging.phone_numbers(messaging_service)

    def attach(self, name: str, sid: str) -> Outcome:
        """Put the number ``sid`` in; ``name`` is what people call it."""
        try:
            answer = self.client.send(self.numbers.create_call(sid))
        except RefusedError as error:
            return self.refused(name, error)
        except ProxyctlError as error:
            return outcome_of(error)
        return Done("attached", Written(None, answer.request_id))

    def detach(self, sid: str) -> Outcome:
        """Take the number ``sid`` out; one that is not there is as wanted."""
        try:
            answer = self.client.send(self.numbers.delete_call(sid))
        except NotFoundError:
            return Done("detached", Written(None, None))
        except ProxyctlError as error:
            return outcome_of(error)
        return Done("detached", Written(None, answer.request_id))

    def look(self, sid: str, *, attached: bool) -> Outcome | None:
        """Say whether the number is in (``attached``) or out, as a lost request wanted it; None where it is not."""
        try:
            there = self.numbers.by_sid(sid) is not None
        except ProxyctlError as error:
            return failed_look(error)
        if there != attached:
            return None
        return Done("attached" if attached else "detached", Written(None, None))

    def refused(self, name: str, error: RefusedError) -> Outcome:
        """Return what the refusal of an attach means."""
        problem = error.problem
        code = problem.code if problem is not None else None
        if code == ALREADY_HERE:
            return Done("attached", Written(None, problem.request_id if problem else None))
        told = RefusedError(
            f"{name} can't be put into Messaging Service {self.messaging_service}: "
            f"{_MEANINGS.get(code or 0, 'the API refused')} "
            f"({f'code {code}: ' if code else ''}{problem.message if problem else error.message})",
            hint=error.hint,
            problem=problem,
        )
        return Full(told) if code == FULL else Refused(told)


def outcome_of(error: ProxyctlError) -> Outcome:
    """Sort the error of a write to a Messaging Service by what the run does next."""
    match error:
        case AuthenticationError() | NetworkError(repeatable=False):
            return Stop(error)
        case ThrottledError():
            return throttled(error)
        case NetworkError() | ServerError() | AnswerError():
            return Lost(error) if error.may_have_happened else Unsent(error)
        case _:
            return Refused(error)
