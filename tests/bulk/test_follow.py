"""Works that are let in while a run goes on: after each result, until the run is stopped."""

from __future__ import annotations

from proxyctl.bulk.outcomes import Done, Full, Outcome, Refused, Result, Stop, Work
from proxyctl.errors import AuthenticationError, RefusedError
from tests.bulk.test_engine import Script, engine, states


def chain(last: int, lane: str = "lane", kind: str = "add") -> tuple[Work, list[Work]]:
    return Work(0, lane, kind, False), [
        Work(index, f"{lane} {index}", kind, False) for index in range(1, last)
    ]


def test_each_result_lets_the_next_one_in() -> None:
    """Also into lanes that did not exist before, and at the very end of what there was."""
    executor = Script()
    first, rest = chain(50)

    def follow(result: Result) -> list[Work]:
        return rest[result.index : result.index + 1]

    report = engine(executor).run([first], follow)
    assert [result.index for result in report.results] == list(range(50))
    assert states(report) == {"done": 50}
    assert executor.most == 1


def test_results_that_come_without_a_request_count_too() -> None:
    """A kind that is full is skipped, and what follows that is sent all the same."""

    def send(work: Work) -> Outcome:
        return Full(RefusedError("full")) if work.index == 0 else Done("added")

    def follow(result: Result) -> list[Work]:
        if result.index == 0:
            return [Work(index, "lane", "add", False) for index in (1, 2)]
        return [Work(result.index + 2, "other", "else", False)] if result.index in (1, 2) else []

    report = engine(Script(send), ceiling=1).run([Work(0, "lane", "add", False)], follow)
    assert [(result.index, result.state) for result in report.results] == [
        (0, "failed"),
        (1, "skipped"),
        (2, "skipped"),
        (3, "done"),
        (4, "done"),
    ]


def test_nothing_is_let_in_once_the_run_is_stopped() -> None:
    asked = []

    def send(work: Work) -> Outcome:
        return Stop(AuthenticationError("401")) if work.index == 5 else Refused(RefusedError("no"))

    def follow(result: Result) -> list[Work]:
        asked.append(result.index)
        return [Work(result.index + 1, "lane", "add", False)]

    executor = Script(send)
    report = engine(executor, ceiling=1).run([Work(0, "lane", "add", False)], follow)
    assert report.stopped_by is not None
    assert max(executor.sent) == 5
    assert asked[:5] == [0, 1, 2, 3, 4]
    assert len(report.results) <= 7
