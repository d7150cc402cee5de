"""When to try again, and after how long: values in, values out, no clock and no socket.

Full jitter spreads the clients of one outage over the whole wait.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from proxyctl.errors import (
    AnswerError,
    DeadlineError,
    NetworkError,
    ProxyctlError,
    ServerError,
    ThrottledError,
)

LONGEST_WAIT = 300.0  # a Retry-After above this ends the command
_BASE, _CAP = 0.5, 20.0
_MOST_THROTTLES, _MOST_WAITED = 30, 600.0
_DAY = 24 * 3600.0


class TooLargeError(AnswerError):
    """The answer is larger than any answer of the API: asking again would only fetch it again."""


def jitter(attempt: int, rand: Callable[[], float]) -> float:
    """Seconds to wait before try ``attempt`` + 1 (from 0): random × min(20, 0.5 × 2^attempt)."""
    return rand() * min(_CAP, _BASE * 2.0 ** min(attempt, 16))


@dataclass(slots=True)
class Tally:
    """What became of one request so far: tries that failed, 429s, and seconds waited."""

    failures: int = 0
    throttles: int = 0
    waited: float = 0.0


class GiveUp(NamedTuple):
    """The end of a whole command: ``seconds`` as asked for (the words name them); ``left()`` are left of them."""

    seconds: float
    left: Callable[[], float]

    def error(self, last: ProxyctlError) -> DeadlineError:
        """Say that time is up, and what went wrong ``last``."""
        return DeadlineError(
            f"the deadline of {self.seconds:g} s was reached (the last time: {last.message})",
            hint="run the same command again: it continues where this run ended",
            problem=last.problem,
        )


class RetryPolicy:
    """Decides about reads; writes have an engine with rules of its own."""

    def __init__(
        self,
        retries: int = 4,
        rand: Callable[[], float] = random.random,
        *,
        give_up: GiveUp | None = None,
    ) -> None:
        self.retries = retries
        self._random = rand
        self._give_up = give_up

    def after(self, error: ProxyctlError, tally: Tally, *, patient: bool = True) -> float | None:
        """Return the seconds to wait before the next try, or None to give up. Counts in ``tally``.

        To the ``patient`` a 429 is no try. DeadlineError where the command would be over by then.
        """
        asked = error.problem.retry_after if error.problem else None
        if asked is not None and asked > LONGEST_WAIT:
            return None
        delay = self._delay(error, tally, patient)
        if delay is None:
            return None
        delay = max(delay, asked or 0.0)
        if isinstance(error, ThrottledError) and tally.waited + delay > _MOST_WAITED:
            return None
        if self._give_up is not None and delay >= self._give_up.left():
            raise self._give_up.error(error) from error
        tally.waited += delay
        return delay

    def _delay(self, error: ProxyctlError, tally: Tally, patient: bool) -> float | None:
        if patient and isinstance(error, ThrottledError):
            tally.throttles += 1
            return jitter(tally.throttles - 1, self._random) if tally.throttles <= _MOST_THROTTLES else None
        if not is_passing(error) or tally.failures >= self.retries:
            return None
        tally.failures += 1
        return jitter(tally.failures - 1, self._random)


def is_passing(error: ProxyctlError) -> bool:
    """May the same request fare better a moment later?"""
    if isinstance(error, NetworkError):
        return error.repeatable
    return isinstance(error, ServerError | AnswerError | ThrottledError) and not isinstance(
        error, TooLargeError
    )


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds that Retry-After asks for, or None where it says nothing sensible.

    A date is taken against the answer's own Date, so that a wrong clock on either side does no harm; ``now``
    (seconds since 1970) stands in where there is none. Never negative, never above 24 hours.
    """
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        seconds: float | None = float(text)
    else:
        seconds = _until(text, headers.get("Date", ""), now)
    return seconds if seconds is not None and 0 <= seconds <= _DAY else None


def _until(date: str, base: str, now: float) -> float | None:
    moment = timestamp(date)
    if moment is None:
        return None
    start = timestamp(base)
    return moment - (now if start is None else start)


def timestamp(date: str) -> float | None:
    """Return the seconds since 1970 of a date as HTTP writes it; None where it is none."""
    from datetime import UTC
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(date)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError, OSError):
        return None
