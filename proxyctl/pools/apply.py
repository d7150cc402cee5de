"""Sending what a plan holds: to several Services in one run, each change by the writer of its pool."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

from proxyctl.api.calls import Call
from proxyctl.api.client import ProxyClient
from proxyctl.api.models import PhoneNumber, Service
from proxyctl.bulk.outcomes import Done, Lost, Outcome, Refused, Stop, Unsent, Work
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
from proxyctl.pools.flow import Sending
from proxyctl.pools.plan import Action, same_setting
from proxyctl.pools.writer import PoolWriter, failed_look, throttled

NAME_TAKEN = 80602


@dataclass(frozen=True, slots=True)
class WrittenService:
    """A Service as the API has it now, and the id of the request."""

    service: Service
    request_id: str | None
    number: PhoneNumber | None = None


class AccountWriter:
    """Carries out the works of a plan; called from many threads."""

    def __init__(self, client: ProxyClient) -> None:
        self.client = client
        self._pools: dict[str, PoolWriter] = {}
        self._lock = threading.Lock()

    def pool(self, service_sid: str) -> PoolWriter:
        """Return the writer of one pool."""
        with self._lock:
            if service_sid not in self._pools:
                self._pools[service_sid] = PoolWriter(self.client, service_sid)
            return self._pools[service_sid]

    def call_for(self, sending: Sending) -> Call:
        """Return the request that a work means; the pool of a Service that is yet to be is named by its name."""
        if sending.change is not None:
            return self.pool(sending.service_sid or sending.service).call_for(sending.change)
        services = self.client.services
        if sending.service_sid is None:
            return services.create_call(unique_name=sending.service, **sending.step.settings)
        return services.update_call(sending.service_sid, **sending.step.settings)

    def send(self, work: Work) -> Outcome:
        """Send a work once."""
        sending: Sending = work.payload
        if sending.change is not None and sending.service_sid is not None:
            return self.pool(sending.service_sid).send(replace(work, payload=sending.change))
        try:
            answer = self.client.send(self.call_for(sending))
            return Done(sending.step.action.done, WrittenService(Service(answer.body), answer.request_id))
        except ProxyctlError as error:
            return outcome_of(sending, error)

    def look(self, works: Sequence[Work]) -> dict[int, Outcome | None]:
        """Look what is there of ``works`` now: the numbers pool by pool, the Services by their names."""
        found: dict[int, Outcome | None] = {}
        pools: dict[str, list[Work]] = {}
        for work in works:
            sending: Sending = work.payload
            if sending.change is not None and sending.service_sid is not None:
                pools.setdefault(sending.service_sid, []).append(replace(work, payload=sending.change))
            else:
                found[work.index] = self.look_for_service(sending)
        for service_sid, own in pools.items():
            found.update(self.pool(service_sid).look(own))
        return found

    def look_for_service(self, sending: Sending) -> Outcome | None:
        """Say whether a Service is as a lost request wanted it; None where it is not there, or not so yet."""
        services = self.client.services
        try:
            if sending.service_sid is None:
                service = services.named(sending.service)
            else:
                service = services.fetch(sending.service_sid)
        except ProxyctlError as error:
            return failed_look(error)
        if service is None:
            return None
        wanted = sending.step.settings.items()
        if all(same_setting(value, service.raw.get(name)) for name, value in wanted):
            return Done(sending.step.action.done, WrittenService(service, None))
        return Refused(made_by_others(sending.service)) if sending.service_sid is None else None


def outcome_of(sending: Sending, error: ProxyctlError) -> Outcome:
    """Sort the error of a create or an update of a Service by what the run does next."""
    match error:
        case AuthenticationError() | NotFoundError() | NetworkError(repeatable=False):
            return Stop(error)
        case ThrottledError():
            return throttled(error)
        case RefusedError(problem=problem) if problem is not None and problem.code == NAME_TAKEN:
            # The repeat of one that had worked looks the same, and a look tells.
            return Lost(made_by_others(sending.service, error))
        case NetworkError() | ServerError() | AnswerError():
            return Lost(error) if error.may_have_happened else Unsent(error)
        case _:
            return Refused(refused_service(sending, error))


def made_by_others(name: str, error: ProxyctlError | None = None) -> RefusedError:
    """The refusal of a Service whose name is taken, by one that was not there at the look."""
    return RefusedError(
        f"Service {name} can't be created: somebody else made one of this name meanwhile.",
        hint="Run the same command again: it goes on with the Service that is there now.",
        problem=error.problem if error is not None else None,
    )


def refused_service(sending: Sending, error: ProxyctlError) -> RefusedError:
    """Return the API's refusal as one about the Service."""
    verb = "created" if sending.step.action is Action.CREATE else "updated"
    return RefusedError(
        f"Service {sending.service} can't be {verb}: {error.message}",
        hint=error.hint,
        problem=error.problem,
    )
