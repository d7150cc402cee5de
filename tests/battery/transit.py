"""Numbers on their way between two pools: a stage with both, and a watch over those that are in neither."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import tomli_w

from proxyctl.sandbox.context import ApiError, Request, Response, problem
from proxyctl.sandbox.server.policies import Entry
from tests.battery.live import Forked, end, settled
from tests.battery.scene import Scene, scene
from tests.sandbox.serving import wait_for
from tests.support import Ran, StandingClock

VERBS = ("move", "apply", "undo")
MOST = 10  # numbers in transit
UNPACED = ("--rate", "0", "--allow", "no-unreserved", "--allow", "lose-half")

Refusal = Callable[[Request], Response | None]


def full(status: int = 400) -> Response:
    return problem(ApiError(80622, status=status))


def forbidden() -> Response:
    return problem(ApiError(20403, "Forbidden", status=403))


def throttled() -> Response:
    return problem(ApiError(80621, "Too many requests", status=429))


@dataclass
class Crossing:
    """All numbers are in the pool of "masking", and are to go to that of "other"; ``mixed``: every third one is
    unreserved.

    Writes are carried out one at a time; ``most`` is how many numbers were in no pool at any moment. ``refuse`` may
    answer a write in the server's place.
    """

    stage: Scene
    other: str
    refuse: Refusal = lambda request: None
    mixed: bool = True
    most: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.watch()

    def watch(self) -> None:
        self.stage.front.answer = self._respond

    def _respond(self, request: Request) -> Response | None:
        if request.method == "GET":
            return None
        with self._lock:
            answer = self.refuse(request)
            if answer is None:
                answer = self.stage.front.carry_out(request)
            self.most = max(self.most, len(self.outside))
        return answer

    @property
    def flags(self) -> dict[str, bool]:
        """All numbers, with the flag that each has in either pool."""
        return {row["sid"]: not self.mixed or index % 3 != 0 for index, row in enumerate(self.stage.numbers)}

    @property
    def outside(self) -> set[str]:
        """The numbers that are in neither pool."""
        return set(self.flags) - set(self.stage.pool()) - set(self.stage.pool(self.other))

    def fill(self, service: str) -> None:
        for reserved in (True, False):
            rows = [row for row in self.stage.numbers if self.flags[row["sid"]] is reserved]
            self.stage.fill(rows, reserved=reserved, service=service)

    def command(self, verb: str, *options: str) -> tuple[str, ...]:
        """Fill the pools, and return the command that moves all numbers."""
        if verb == "undo":
            self.fill(self.other)
            # In real time, or what follows could be earlier.
            clock, self.stage.cli.clock = self.stage.cli.clock, None
            back = self.stage.run(*self.move(source="other", target="masking"))
            self.stage.cli.clock = clock
            assert back.code == 0, back.err
            run = self.stage.cli.ok("history", "list", "-o", "ids", "--limit", "1").lines[0]
            self.stage.ledger.clear()
            self.most = 0
            return ("history", "undo", run, "--yes", *UNPACED, *options)
        self.fill(self.stage.service)
        if verb == "move":
            return self.move(*options)
        return ("pool", "apply", self.pool_file(), "--yes", *UNPACED, *options)

    def move(self, *options: str, source: str = "masking", target: str = "other") -> tuple[str, ...]:
        file = self.stage.file(self.stage.numbers)
        places = ("--from", source, "--to", target)
        return ("number", "move", "-f", file, *places, "--yes", *UNPACED, *options)

    def pool_file(self) -> str:
        lists: dict[str, list[str]] = {"reserved": [], "unreserved": []}
        for row in self.stage.numbers:
            lists["reserved" if self.flags[row["sid"]] else "unreserved"].append(row["phone_number"])
        return write_pool_file(self.stage, {"masking": {}, "other": {"numbers": lists}})

    def is_add(self, request: Request, service: str | None = None) -> bool:
        """Whether a request adds a number, to this pool or to any."""
        paths = [f"/v1/Services/{sid}/PhoneNumbers" for sid in (self.other, self.stage.service)]
        wanted = paths if service is None else [f"/v1/Services/{service}/PhoneNumbers"]
        return request.method == "POST" and request.path in wanted

    def named(self, sids: set[str]) -> set[str]:
        """The phone numbers of these SIDs."""
        return {row["phone_number"] for row in self.stage.numbers if row["sid"] in sids}

    def sid_of(self, phone_number: str) -> str:
        return next(row["sid"] for row in self.stage.numbers if row["phone_number"] == phone_number)

    def names(self, request: Request, sid: str) -> bool:
        """Whether a request is about this number, by its SID or by the number itself."""
        return bool(
            {sid, *self.named({sid})} & {request.path.rpartition("/")[2], *dict(request.form).values()}
        )

    def removals(self) -> list[Entry]:
        """The removals that took place."""
        return [entry for entry in self.stage.ledger.effects if entry.method == "DELETE"]

    def added_once(self) -> None:
        """No number was added twice to one pool."""
        adds = [entry for entry in self.stage.ledger.effects if entry.path.endswith("/PhoneNumbers")]
        named = Counter((entry.path, entry.answer) for entry in adds)
        assert not [each for each, count in named.items() if count > 1]

    def names_what_is_outside(self, ran: Ran) -> None:
        """Each number in no pool is named, with its SID and where it belongs."""
        lines = ran.err.splitlines()
        for sid in self.outside:
            assert any(sid in line and "masking" in line for line in lines), (sid, ran.err)

    def arrives(self, command: tuple[str, ...]) -> None:
        """The same command, on a server that is well, brings all numbers where they belong; a third run is idle."""
        self.refuse = lambda request: None
        again = self.stage.run(*command)
        assert again.code == 0, again.err
        assert (self.stage.pool(), self.stage.pool(self.other)) == ({}, self.flags)
        self.stage.ledger.clear()
        assert self.stage.run(*command).code == 0
        assert self.stage.writes == []
        self.stage.left_no_trace()


def kill_at(
    some: Crossing, command: tuple[str, ...], when: Callable[[Request], bool], *, lost: bool = True
) -> None:
    """Kill a run as the first write arrives of which ``when`` is true; where it is ``lost`` it is not carried out."""
    started: list[Forked] = []

    def refuse(request: Request) -> Response | None:
        if not when(request):
            return None
        wait_for(lambda: bool(started))
        started[0].kill()
        return forbidden() if lost else None

    some.refuse = refuse
    started.append(Forked(some.stage, *command, "-o", "jsonl"))
    assert end(some.stage, started[0]).code == -9
    settled()
    some.refuse = lambda request: None


def write_pool_file(stage: Scene, services: dict[str, object], name: str = "pool.toml") -> str:
    path = stage.directory / name
    path.write_text(tomli_w.dumps({"version": 1, "services": services}))
    return str(path)


@contextlib.contextmanager
def crossing(directory: Path, count: int = 30, *, standing: bool = False) -> Iterator[Crossing]:
    """Set the stage; ``standing``: time passes by sleeping alone, so that a deadline is exact."""
    with scene(directory, count) as stage:
        if standing:
            stage.cli.clock = StandingClock(time.time() + 60)  # after what real time recorded
        yield Crossing(stage, stage.new_service("other"))
