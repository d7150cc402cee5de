"""Chains for tests: items that leave one place and join another, and come back where that fails."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator

from proxyctl.bulk.outcomes import Result, Task
from proxyctl.errors import ProxyctlError

LEAVE, JOIN, BACK = "leave", "join", "back"


class Moves:
    """``count`` items, ``most`` of them between two places at a time. ``ends``: by item, where it is at last."""

    def __init__(self, count: int, most: int = 3, room: str | None = "there") -> None:
        self.waiting = deque(range(count))
        self.parts: list[tuple[int, str]] = []  # by the index of a task
        self.between: set[int] = set()
        self.ends = dict.fromkeys(range(count), "here")
        self.states: Counter[tuple[str, str]] = Counter()
        self.stuck: dict[int, str] = {}  # how the last request ended of those that went no further
        self.stops: list[ProxyctlError] = []
        self._most = most
        self._room = room

    @property
    def in_transit(self) -> int:
        return len(self.between)

    def start(self) -> list[Task]:
        return [task for _ in range(self._most) for task in self._next()]

    def follow(self, result: Result) -> list[Task]:
        item, part = self.parts[result.index]
        self.states[part, result.state] += 1
        done = result.state == "done"
        if part == LEAVE and done:
            self.between.add(item)
            self.ends[item] = "nowhere"
            return [self._work(item, BACK if self.stops else JOIN)]
        if part == JOIN and result.state in ("failed", "skipped"):
            return [self._work(item, BACK)]
        if not done:
            self.stuck[item] = result.state
        else:
            self.between.discard(item)
            self.ends[item] = "there" if part == JOIN else "here"
        return list(self._next())

    def stop(self, error: ProxyctlError) -> list[Task]:
        self.stops.append(error)
        return []  # the joins that wait are skipped, and their items come back after that

    def _next(self) -> Iterator[Task]:
        if self.waiting:
            yield self._work(self.waiting.popleft(), LEAVE)

    def _work(self, item: int, part: str) -> Task:
        index = len(self.parts)
        self.parts.append((item, part))
        room = {LEAVE: None, JOIN: self._room, BACK: "here"}[part]
        return Task(index, f"{part} lane", room, part == LEAVE, rescue=part == BACK)

    def part(self, task: Task) -> str:
        """What ``task`` does."""
        return self.parts[task.index][1]
