"""The same question asked of many things at once: a few threads, answers as they come."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from queue import Empty, SimpleQueue
from typing import TypeVar

from proxyctl.bulk.threads import hire

LONGEST_LEAVE = 1.0  # seconds that an answer which nobody waits for may take

Thing = TypeVar("Thing")
Found = TypeVar("Found")


def side_by_side(
    ask: Callable[[Thing], Found], things: Iterable[Thing], *, workers: int = 8
) -> Iterator[tuple[Thing, Found]]:
    """Yield each thing with its answer, in the order in which the answers come.

    The first error ends it, and no further question is asked. Without any thread the questions are asked here.
    """
    todo = list(things)
    questions: SimpleQueue[Thing] = SimpleQueue()
    answers: SimpleQueue[tuple[Thing, Found | None, BaseException | None]] = SimpleQueue()
    for thing in todo:
        questions.put(thing)
    stopped = threading.Event()

    def work() -> None:
        while not stopped.is_set():
            try:
                thing = questions.get_nowait()
            except Empty:
                return
            try:
                answers.put((thing, ask(thing), None))
            except BaseException as error:
                stopped.set()  # here, not where it is heard of: refused credentials must not be tried again
                answers.put((thing, None, error))

    hired = [hire(work, "proxyctl-reader") for _ in range(min(workers, len(todo)))]
    if not any(hired):
        work()
    try:
        for _ in todo:
            thing, found, error = next_of(answers)
            if error is not None:
                raise error
            yield thing, found  # type: ignore[misc]
    except GeneratorExit:  # nobody wants the rest: what is under way ends before its connection is closed
        stopped.set()
        for thread in hired:
            if thread is not None:
                thread.join(LONGEST_LEAVE)
        raise
    finally:
        stopped.set()


def next_of(queue: SimpleQueue[Found]) -> Found:
    """Wait for the queue's next, in short waits: a signal just before a wait begins does not interrupt it."""
    while True:
        try:
            return queue.get(timeout=0.25)
        except Empty:
            continue
