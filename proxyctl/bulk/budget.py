"""When faults are too many to go on: so that an outage never gets five times the traffic."""

from __future__ import annotations

from proxyctl.bulk.outcomes import Lost, Throttled, Unsent
from proxyctl.errors import ProxyctlError, TemporaryError, ThrottledError

SHARE = 0.10
FLOOR = 10
MOST_IN_A_ROW = 20
LONGEST_RETRY_AFTER = 300.0


class Faults:
    """The faults of one run: how often writes were repeated, and how many failed in a row."""

    def __init__(self) -> None:
        self.repeats = 0
        self.in_a_row = 0

    def may_repeat(self, items: int) -> bool:
        """Whether one more repeat is within 10 % of the ``items`` + 10; they may still be coming in."""
        return self.repeats + 1 <= items * SHARE + FLOOR

    def saw(self, *, good: bool) -> bool:
        """Count an answer, or that none came; True when that were too many faults in a row."""
        self.in_a_row = 0 if good else self.in_a_row + 1
        return self.in_a_row >= MOST_IN_A_ROW


Fault = Lost | Unsent | Throttled


def outage(fault: Fault) -> TemporaryError:
    """The error for a run in which nothing works any more."""
    return temporary(f"stopped after {MOST_IN_A_ROW} writes in a row without one good answer", fault.error)


def in_the_dark(fault: Fault | None) -> TemporaryError:
    """The error for a run that can no longer see what became of its writes: more of them would be in the dark."""
    return temporary("stopped: it can't be seen what became of some writes", fault.error if fault else None)


def out_of_budget(used: int, error: ProxyctlError | None) -> TemporaryError:
    """The error for a run in which too many writes had to be repeated."""
    return temporary(f"stopped after {used} repeated writes: the API or the network fails too often", error)


def temporary(words: str, last: ProxyctlError | None) -> TemporaryError:
    """An error that tells of the ``last`` one seen."""
    told = f" (the last time: {last.message})" if last is not None else ""
    hint = "run the same command again later: it continues where this run ended"
    return TemporaryError(words + told, hint=hint, problem=last.problem if last is not None else None)


def too_long(asked: float, fault: Fault | None) -> ThrottledError:
    """The error for a Retry-After that is too long to wait for."""
    return ThrottledError(
        f"the API asks to wait {asked:.0f} s before the next request (429)",
        hint="run the same command again after that: it continues where this run ended",
        problem=fault.error.problem if fault else None,
    )
