"""Which request fails, and how: faults with a probability, from a seed, or after a script. Pure
decisions, apart from the server that closes the sockets.

A name that ends in ``-after`` fails after the effect took place, so that the caller can't know; the
others before it. ``truncate``, ``empty`` and ``garbage`` spoil the answer of a request that was carried out.
"""

from __future__ import annotations

import json
import math
import random
import re
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum

from proxyctl.errors import UsageError
from proxyctl.sandbox.context import ApiError

HTML = (
    b"<html><head><title>Bad Gateway</title></head><body><h1>The upstream did not answer</h1></body></html>\n"
)


class Act(Enum):
    """What becomes of the answer."""

    ANSWER = "another response takes its place"
    RESET = "the connection is reset"
    CLOSE = "the connection is closed without a response"
    HOLD = "the response is delayed, then the connection is closed"
    TRUNCATE = "half of the body, then the connection is closed"
    BODY = "the body is replaced, the status stays"


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to fail; ``after``: the effect took place. ``body`` and ``status`` are those of the spoilt
    answer.
    """

    name: str
    act: Act
    after: bool = False
    status: int | None = None
    body: bytes = b""
    content_type: str = "application/json"


def _known_faults() -> dict[str, Fault]:
    problems = {
        "401": ApiError(20003),
        "403": ApiError(20403),
        "404": ApiError(20404),
        "429": ApiError(20429),
        "500": ApiError(20500),
        "503": ApiError(20503),
        "504": ApiError(20504),
    }
    known = [
        Fault(name, Act.ANSWER, status=problem.status, body=json.dumps(problem.body()).encode())
        for name, problem in problems.items()
    ]
    known += [
        Fault("html", Act.ANSWER, status=502, body=HTML, content_type="text/html"),
        Fault("reset", Act.RESET),
        Fault("close", Act.CLOSE),
        Fault("timeout", Act.HOLD),
    ]
    known += [
        Fault(f"{fault.name}-after", fault.act, True, fault.status, fault.body, fault.content_type)
        for fault in known
        if fault.status is None or fault.status >= 500
    ]
    known += [
        Fault("truncate", Act.TRUNCATE, after=True),
        Fault("empty", Act.BODY, after=True),
        Fault("garbage-object", Act.BODY, after=True, body=b"{}"),
        Fault("garbage-null", Act.BODY, after=True, body=b"null"),
        Fault("garbage-list", Act.BODY, after=True, body=b"[]"),
        Fault("garbage-nan", Act.BODY, after=True, body=b"NaN"),
    ]
    return {fault.name: fault for fault in known}


FAULTS = _known_faults()
_GARBAGE = tuple(fault for name, fault in FAULTS.items() if name.startswith("garbage-"))
NAMES = (*FAULTS, "garbage")


@dataclass(frozen=True, slots=True)
class Scripted:
    """A fault for certain requests: of those that match, the ``first`` (from 1) and ``times - 1`` more (None:
    all more).

    ``path`` is a regular expression that is searched for. ``action`` is called before the request is
    read: another actor, who changes the same pool at that very moment. Without a ``fault`` the request then
    goes its way.
    """

    fault: str | None = None
    method: str | None = None
    path: str = ""
    first: int = 1
    times: int | None = 1
    action: Callable[[], object] | None = None

    def matches(self, method: str, path: str) -> bool:
        return (self.method is None or self.method == method) and re.search(self.path, path) is not None

    def due(self, count: int) -> bool:
        """Whether the ``count``-th matching request is one to spoil."""
        return count >= self.first and (self.times is None or count < self.first + self.times)


class FaultPlan:
    """Decides for each request whether it fails; the script goes before the probabilities. Thread-safe.

    ``rates`` maps names to probabilities, together at most 1; ``methods`` limits them (None: all). ``hold``
    is how long time-outs last, in seconds. The same seed and the same order of requests give the same faults.
    """

    def __init__(
        self,
        rates: Mapping[str, float] | None = None,
        *,
        seed: int | None = None,
        script: Sequence[Scripted] = (),
        methods: Collection[str] | None = None,
        hold: float = 120.0,
    ) -> None:
        self.rates = dict(rates or {})
        self.script = tuple(script)
        self.methods = methods
        self.hold = hold
        self._random = random.Random(seed)
        self._counts = [0] * len(self.script)
        self._lock = threading.Lock()
        for name in (*self.rates, *(entry.fault for entry in self.script if entry.fault is not None)):
            _check_name(name)
        _check_sum(self.rates.values())

    @classmethod
    def parse(cls, items: Sequence[str], seed: int | None = None) -> FaultPlan:
        """Read ``NAME=PROBABILITY`` items; UsageError for an unknown name or a probability outside 0 to 1."""
        rates: dict[str, float] = {}
        for item in items:
            name, _, text = item.partition("=")
            _check_name(name)
            rates[name] = rates.get(name, 0.0) + _probability(item, text)
        return cls(rates, seed=seed)

    def decide(self, method: str, path: str) -> Fault | None:
        """Return the fault of this request, or None; carries out the script's actions that are due."""
        with self._lock:
            due = self._due(method, path)
            drawn = self._draw() if self.methods is None or method in self.methods else None
            scripted = next((entry.fault for entry in due if entry.fault is not None), None)
            fault = self._fault(scripted or drawn)
        for entry in due:
            if entry.action is not None:
                entry.action()
        return fault

    def _due(self, method: str, path: str) -> list[Scripted]:
        due = []
        for index, entry in enumerate(self.script):
            if entry.matches(method, path):
                self._counts[index] += 1
                if entry.due(self._counts[index]):
                    due.append(entry)
        return due

    def _draw(self) -> str | None:
        if not self.rates:
            return None
        drawn = self._random.random()
        for name, rate in self.rates.items():
            if drawn < rate:
                return name
            drawn -= rate
        return None

    def _fault(self, name: str | None) -> Fault | None:
        if name is None:
            return None
        return self._random.choice(_GARBAGE) if name == "garbage" else FAULTS[name]


def _check_name(name: str) -> None:
    if name in NAMES:
        return
    near = get_close_matches(name, NAMES, n=1)
    guess = f"Did you mean {near[0]}? " if near else ""
    raise UsageError(f"unknown fault {name!r}", hint=f"{guess}Known faults: {', '.join(NAMES)}.")


def _probability(item: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0.0 <= value <= 1.0:
        raise UsageError(
            f"fault {item!r} needs a probability from 0 to 1", hint="Write, for example, --fault 429=0.1."
        )
    return value


def _check_sum(rates: Collection[float]) -> None:
    if sum(rates) > 1.0 + 1e-9:
        raise UsageError(
            "the probabilities of all faults together are above 1",
            hint="Lower them. 1 stands for every request.",
        )
