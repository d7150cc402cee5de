"""The values that pass between a bulk run and whoever carries its tasks out: no clock, no socket, no thread.

An ``Outcome`` says what to do next, not which status came back: that mapping is the executor's.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from proxyctl.errors import ProxyctlError

State = Literal["done", "failed", "skipped", "unknown"]
Scope = Literal["rate", "concurrency"]


@dataclass(frozen=True, slots=True)
class Task:
    """One change to carry out.

    ``lane`` names what shares a rate window (an endpoint of a Service); ``room`` names what shares a fate when the
    server says that it is full, if anything does. ``repeatable``: may be sent again unverified. ``rescue``:
    a rollback, which brings an item back to where it was; it is also sent after the run was stopped.
    """

    index: int
    lane: str
    room: Hashable
    repeatable: bool
    rescue: bool = False
    payload: Any = None


@dataclass(frozen=True, slots=True)
class Done:
    """Carried out, or found to be so already."""

    action: str
    detail: Any = None


@dataclass(frozen=True, slots=True)
class Refused:
    """This item failed; the others go on. ``full``: none of its room can succeed: they are skipped, but for rescues."""

    error: ProxyctlError
    full: bool = False


@dataclass(frozen=True, slots=True)
class Throttled:
    """429: never carried out, never a try. ``retry_after`` in seconds, where the server asked for it."""

    scope: Scope
    retry_after: float | None
    error: ProxyctlError


@dataclass(frozen=True, slots=True)
class Unsent:
    """Not carried out (no connection): the same again, later."""

    error: ProxyctlError


@dataclass(frozen=True, slots=True)
class Lost:
    """May have been carried out: no proper answer came. ``verify``: to be verified before it is sent again."""

    error: ProxyctlError
    verify: bool = False


@dataclass(frozen=True, slots=True)
class Unclear:
    """Refused in words that may mean that it is as wanted: a read shows it. No fault, and never carried out.

    ``urgent``: the read may end the run, so nothing takes its place; else it waits, so that one list serves many.
    """

    error: ProxyctlError
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Stop:
    """Ends the whole run: credentials refused, Service gone."""

    error: ProxyctlError


Undecided = Throttled | Unsent | Lost | Unclear  # what became of the task is not known yet
Outcome = Done | Refused | Stop | Undecided


@dataclass(frozen=True, slots=True)
class Result:
    """How one task ended. ``action`` and ``detail`` are ``Done``'s; ``attempts`` counts what was sent; ``full``: it
    failed because its room is full.
    """

    index: int
    state: State
    action: str | None = None
    detail: Any = None
    error: ProxyctlError | None = None
    attempts: int = 0
    full: bool = False


@dataclass(frozen=True, slots=True)
class RunReport:
    """A whole run: results by index; monotonic ``started`` and ``ended``; what stopped it early, if anything.

    ``retries`` counts what was sent again, after faults and 429s.
    """

    results: list[Result] = field(default_factory=list)
    retries: int = 0
    stopped_by: ProxyctlError | None = None
    started: float = 0.0
    ended: float = 0.0


class Chains(Protocol):
    """Tasks that wait for the results of others. Called from the thread of ``Engine.run`` only.

    After ``stop`` nothing begins but rescues: other tasks that are returned end as ``skipped``, and ``follow``
    hears of each.
    """

    @property
    def in_transit(self) -> int:
        """How many items are between two places now, and would need a rescue if the run were stopped."""
        ...

    def start(self) -> Iterable[Task]:
        """What may be sent at once; read as it is needed."""
        ...

    def follow(self, result: Result) -> Iterable[Task]:
        """Take in a result, whatever it is; what may be sent now that it is known."""
        ...

    def stop(self, error: ProxyctlError) -> Iterable[Task]:
        """The run stops because of ``error`` (called once, before ``follow`` hears what is skipped): the rescues of
        what waits.
        """
        ...


class Executor(Protocol):
    """Carries tasks out, from many threads at once. Raises for defects only."""

    def send(self, task: Task) -> Outcome:
        """Try once."""
        ...

    def verify(self, tasks: Sequence[Task], reads: int) -> dict[int, Outcome | None]:
        """What became of tasks that were lost or are unclear, by index: None where nothing is there (yet).

        At most ``reads`` requests are under way at once. Each is sent once: a failure is for the next round.
        """
        ...


class Journal(Protocol):
    """Hears of every write before it leaves and after its answer; may raise OutputError."""

    def intent(self, task: Task) -> None: ...

    def outcome(self, task: Task, outcome: Outcome) -> None: ...
