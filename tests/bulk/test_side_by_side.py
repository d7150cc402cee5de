"""Questions asked side by side: all answered, a few at a time, and over at the first error."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxyctl.bulk.threads import in_order, side_by_side

GRACE = 10.0


def readers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "proxyctl-worker"]


def gone() -> bool:
    for thread in readers():
        thread.join(GRACE)
    return not readers()


@settings(max_examples=30)
@given(st.lists(st.integers()), st.integers(1, 12))
def test_each_thing_has_its_answer(things: list[int], workers: int) -> None:
    answers = list(side_by_side(lambda thing: thing * 2, things, workers=workers))
    assert sorted(answers) == sorted((thing, thing * 2) for thing in things)
    assert gone()


def test_nothing_is_asked_before_the_first_answer_is_wanted() -> None:
    asked: list[int] = []
    answers = side_by_side(asked.append, [1, 2])
    assert asked == []
    assert len(list(answers)) == 2
    assert sorted(asked) == [1, 2]


def test_no_more_at_once_than_workers() -> None:
    meeting = threading.Barrier(3)
    lock = threading.Lock()
    now = most = 0

    def ask(thing: int) -> int:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        meeting.wait(GRACE)  # three at a time, or it would not go on
        with lock:
            now -= 1
        return thing

    assert len(list(side_by_side(ask, range(9), workers=3))) == 9
    assert most == 3


def test_answers_come_as_they_are_there() -> None:
    first = threading.Event()

    def ask(thing: str) -> str:
        if thing == "slow":
            assert first.wait(GRACE)
        return thing

    answers = side_by_side(ask, ["slow", "quick"], workers=2)
    assert next(answers) == ("quick", "quick")
    first.set()
    assert list(answers) == [("slow", "slow")]


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), SystemExit(3)])
def test_the_first_error_ends_it(error: BaseException) -> None:
    """Whatever a question raises belongs to whoever asked, not to a thread that prints it."""
    asked: list[int] = []

    def ask(thing: int) -> int:
        asked.append(thing)
        if thing == 2:
            raise error
        return thing

    with pytest.raises(type(error)):
        for _ in side_by_side(ask, range(1000), workers=1):
            pass
    assert gone()
    assert asked == [0, 1, 2], "the rest is not asked"


def test_whoever_has_heard_enough_is_not_waited_for() -> None:
    held = threading.Event()
    asked: list[int] = []

    def ask(thing: int) -> int:
        asked.append(thing)
        if thing > 0:
            held.wait(GRACE)
        return thing

    answers = side_by_side(ask, range(100), workers=2)
    assert next(answers) == (0, 0)
    answers.close()  # type: ignore[attr-defined]
    del answers
    gc.collect()
    assert all(thread.daemon for thread in readers()), "a process that ends does not wait for them"
    held.set()
    assert gone()
    assert len(asked) < 10


def test_none_is_an_answer() -> None:
    assert list(side_by_side(lambda thing: None, ["a"])) == [("a", None)]


def test_answers_in_the_order_of_the_questions_and_before_the_error_of_one() -> None:
    def answers() -> Iterator[tuple[str, int]]:
        yield from (("d", 4), ("b", 2), ("a", 1))
        raise KeyError("c")

    found = in_order("abcd", answers())
    assert [next(found), next(found), next(found)] == [("a", 1), ("b", 2), ("d", 4)]
    with pytest.raises(KeyError):
        next(found)
    assert list(in_order("ab", [("b", 2), ("a", 1)])) == [("a", 1), ("b", 2)]


def test_a_thread_of_its_own_may_end_it() -> None:
    """The garbage collector runs in any thread."""
    wanted_no_more, ended = threading.Event(), threading.Event()
    errors: list[BaseException] = []

    def ask(thing: int) -> int:
        if thing == 1:
            wanted_no_more.wait(GRACE)
            try:
                answers.close()
            except RuntimeError as error:
                errors.append(error)
            ended.set()
        return thing

    answers = side_by_side(ask, [0, 1])
    assert next(answers) == (0, 0)
    wanted_no_more.set()
    assert ended.wait(GRACE) and errors == [] and gone()
