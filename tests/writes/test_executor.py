"""What each answer to each kind of write means for the run, and what is found out where the answer was lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from proxyctl.api.resources import Call
from proxyctl.bulk.outcomes import Done, Lost, Outcome, Refused, Throttled
from proxyctl.errors import NotFoundError
from proxyctl.writes.executor import FEW
from proxyctl.writes.requests import ADD, VERBS, Request, raw_request
from tests.api.stubs import KS, MG, PN
from tests.support import case
from tests.writes.talking import (
    IN_POOL,
    NUMBER,
    Reply,
    differing,
    good,
    outcome_of,
    request,
    shown,
    talking,
    task,
    there,
)

CREATES = ("add", "attach", "create_service")
REMOVES = ("remove", "detach", "delete_service")
SENT, UNSENT = httpx.ReadError("reset"), httpx.ConnectError("refused")
NEVER = httpx.UnsupportedProtocol("no")


def words(outcome: Outcome | None) -> str | None:
    match outcome:
        case Done(action=action):
            return action
        case Throttled(scope=scope, retry_after=seconds):
            return f"throttled {scope} {seconds:g}"
        case Lost(verify=True):
            return "lost, to be verified"
        case Refused(full=True):
            return "full"
        case None:
            return None
    return type(outcome).__name__.lower()


def sent(
    one: Request, *replies: Reply, seen: Mapping[str, Any] | None = None, resolves: bool = False
) -> list[str | None]:
    """What comes of a request that is sent as often as there are replies."""
    with talking({**shown(one, seen), str(one.call()): list(replies)}) as (executor, _):
        return [words(outcome_of(executor, task(one, resolves=resolves))) for _ in replies]


# One answer


@pytest.mark.parametrize("name", VERBS)
def test_done(name: str) -> None:
    """A status that is not the verb's own, or another SID, is no good answer: nobody knows what was done."""
    one = request(name)
    with talking({str(one.call()): good(one)}) as (executor, _):
        outcome = executor.send(task(one))
    assert isinstance(outcome, Done) and outcome.action == one.verb.done
    assert outcome.detail.raw == (one.before if one.verb.removes else there(one))
    assert one.verb.removes or outcome.detail.request_id == "RQ1"
    wrong: list[Reply] = [(202, there(one)), (200, None), (200, {}), (200, [])]
    if not one.verb.removes:
        wrong.append((204, None))
        wrong += [(200, there(one, sid="PN" + "9" * 32))] if one.sid is not None else []
    for reply in wrong:
        assert sent(one, reply) == ["lost, to be verified"], reply


REPLIES: list[tuple[Reply, str]] = [
    ((401, 20003), "stop"),
    ((403, 20003), "stop"),
    (NEVER, "stop"),
    ((302, 0), "stop"),
    ((429, 80621), "throttled rate 7"),
    ((429, 20429), "throttled concurrency 7"),
    ((500, 0), "lost"),
    ((503, 20503), "lost"),
    (SENT, "lost"),
    (httpx.ReadTimeout("late"), "lost"),
    (UNSENT, "unsent"),
    (httpx.ConnectTimeout("late"), "unsent"),
    ((400, 99999), "refused"),
    ((409, 0), "refused"),
]


@pytest.mark.parametrize("name", VERBS)
def test_what_every_verb_makes_of(name: str) -> None:
    for reply, outcome in REPLIES:
        with case(reply):
            assert sent(request(name), reply) == [outcome]


@pytest.mark.parametrize("name", VERBS)
def test_a_proxy_that_wants_a_password_meanwhile_ends_the_run(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    for status, outcome in ((407, "stop"), (502, "unsent")):
        assert sent(request(name), httpx.ProxyError(f"{status} no")) == [outcome]


@pytest.mark.parametrize("name", VERBS)
def test_what_the_codes_mean(name: str) -> None:
    one = request(name)
    verb = one.verb
    for code in {*verb.refusals, *verb.full, 80601, 80611} - verb.already:
        with talking({str(one.call()): (400, code)}) as (executor, _):
            outcome = executor.send(task(one))
        assert words(outcome) == ("full" if code in verb.full else "refused")
        error = outcome.error  # type: ignore[union-attr]
        meaning, hint = verb.refusals.get(code, ("refused", ""))
        assert meaning in error.message and f"code {code}" in error.message
        assert code in verb.full or one.name in error.message
        assert not hint or error.hint == hint.replace("NUMBER", one.name)


def test_which_verbs_know_of_full_rooms_and_of_what_is_there_already() -> None:
    codes = {
        verb.name: (set(verb.already), set(verb.full)) for verb in VERBS.values() if verb.already or verb.full
    }
    assert codes == {
        "add": ({80104}, {80622}),
        "reserve": (set(), {80622}),
        "release": (set(), {80622}),
        "attach": ({21710}, {21714}),
        "create_service": ({80602}, set()),
    }
    assert tuple(name for name, verb in VERBS.items() if verb.creates) == CREATES
    assert tuple(name for name, verb in VERBS.items() if verb.removes) == REMOVES


# There already, or gone


@pytest.mark.parametrize(
    ("name", "code", "seen", "first", "repeated"),
    [
        ("add", 80104, there, "unchanged", "added"),
        ("add", 80104, differing, "refused", "refused"),
        ("attach", 21710, there, "unchanged", "attached"),
        ("create_service", 80602, there, "refused", "created"),  # somebody's, unless it may be ours
        ("create_service", 80602, differing, "refused", "refused"),
    ],
)
def test_there_already(name: str, code: int, seen: Any, first: str, repeated: str) -> None:
    one = request(name)
    assert sent(one, (400, code), seen=seen(one)) == [first]
    assert sent(one, SENT, (400, code), seen=seen(one)) == ["lost", repeated]
    # Not there although it is refused as such: another's, or, after a try that may have worked, not to be seen yet.
    assert sent(one, (400, code)) == ["refused"]
    assert sent(one, SENT, (400, code), (400, code)) == ["lost", None, "refused"]


def test_an_add_that_says_what_follows_goes_on_with_the_other_flag() -> None:
    one = request("add")
    for replies, ends in (([], []), ([SENT], ["lost"])):
        assert sent(one, *replies, (400, 80104), seen=differing(one), resolves=True) == [*ends, "unchanged"]


@pytest.mark.parametrize("name", VERBS)
def test_not_found(name: str) -> None:
    """A DELETE that finds nothing is as wanted, once a GET agrees; what the API shows all the same fails alone."""
    one = request(name)
    assert sent(one, (404, 20404)) == ["unchanged" if name in REMOVES else "refused"]
    assert sent(one, (404, 20404), seen=there(one)) == ["refused"]
    if name in REMOVES:
        assert sent(one, SENT, (404, 20404)) == ["lost", one.verb.done]
    if name in IN_POOL:
        with talking({}) as (executor, _):  # the Service is gone too
            outcome = outcome_of(executor, task(one))
        assert words(outcome) == "stop"
        assert f"Service {KS} does not exist any more" in outcome.error.message  # type: ignore[union-attr]


def test_what_is_said_of_what_is_gone_or_contradicts_itself() -> None:
    for name, text in (
        ("reserve", "is no longer in the pool"),
        ("remove", "the API shows it, but does not find it"),
    ):
        one = request(name)
        with talking(shown(one, there(one))) as (executor, _):
            error = outcome_of(executor, task(one)).error  # type: ignore[union-attr]
        assert text in error.message and one.name in error.message
        assert isinstance(error, NotFoundError) is (name == "reserve")


def test_a_burst_of_numbers_that_are_not_found_asks_for_the_service_now_and_then() -> None:
    other = "KS" + "8" * 32
    services = [f"GET /v1/Services/{sid}" for sid in (KS, other)]
    with talking({path: (200, {"sid": path[-34:]}) for path in services}) as (executor, api):
        for index in range(7):
            outcome_of(executor, task(request(IN_POOL[index % 4]), index))
        assert api.asked[services[0]] == 2
        outcome_of(
            executor, task(Request(VERBS["reserve"], other, PN, NUMBER, wanted={"is_reserved": True}), 9)
        )
        assert api.asked[services[1]] == 1


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        ((401, 20003), "stop"),
        ((403, 20003), "stop"),
        (NEVER, "stop"),
        ((503, 0), "unsent"),
        (SENT, "unsent"),
        ((429, 20429), "throttled concurrency 7"),
    ],
    ids=str,
)
def test_a_read_that_fails(reply: Reply, outcome: str) -> None:
    """It is no word on the write: try again, unless that can't help."""
    for one in (request("remove"), request("add"), request("create_service")):
        reads = [call for call in (one.listing(), one.fetch()) if call is not None]
        replies: dict[str, Reply | list[Reply]] = {str(call): reply for call in reads}
        refused: Reply = (404, 20404) if one.verb.removes else (400, min(one.verb.already))
        replies[str(one.call())] = [SENT, refused]
        with talking(replies) as (executor, _):
            outcome_of(executor, task(one))
            assert words(executor.verify([task(one)], 4)[0]) == outcome
            assert words(outcome_of(executor, task(one))) == outcome
    with talking({f"GET /v1/Services/{KS}": reply}) as (executor, _):
        assert words(outcome_of(executor, task(request("reserve")))) == outcome


# Verifying


@pytest.mark.parametrize("name", VERBS)
def test_what_became_of_a_lost_write(name: str) -> None:
    one = request(name)
    cases: list[tuple[Any, str | None]] = [(there(one), one.verb.done), (None, None)]
    if name in REMOVES:
        cases = [(None, one.verb.done), (there(one), None)]
    if one.wanted:  # a Service of this name that is not as wanted is somebody else's
        cases.append((differing(one), "refused" if name == "create_service" else None))
    for seen, end in cases:
        with talking({**shown(one, seen), str(one.call()): SENT}) as (executor, _):
            outcome_of(executor, task(one))
            outcome = executor.verify([task(one)], 4)[0]
        assert words(outcome) == end
        if isinstance(outcome, Done):
            assert outcome.detail.raw == (one.before if name in REMOVES else seen)


def test_a_service_that_is_gone_ends_the_verifying() -> None:
    one = request("reserve")
    with talking({}) as (executor, _):
        assert words(executor.verify([task(one)], 4)[0]) == "stop"


def numbers(count: int, parent: str = KS, *, by_sid: bool = True) -> list[Request]:
    return [
        Request(ADD, parent, f"PN{i:032x}" if by_sid else None, f"+1{i}", f"+1{i}", {"is_reserved": True})
        for i in range(count)
    ]


@pytest.mark.parametrize(
    ("requests", "fetched", "lists"),
    [
        (numbers(FEW), FEW, 0),
        (numbers(FEW + 1), 0, 1),
        (numbers(3, by_sid=False), 0, 1),
        ([*numbers(3), *numbers(3, by_sid=False)], 3, 1),
        ([*numbers(FEW + 1), *numbers(FEW, MG)], FEW, 1),
        ([*numbers(FEW + 1), *numbers(FEW + 1, MG)], 0, 2),
    ],
)
def test_one_list_serves_many_and_a_few_are_fetched(
    requests: list[Request], fetched: int, lists: int
) -> None:
    replies: dict[str, Reply | list[Reply]] = {}
    for one in requests:
        for path, reply in shown(one, there(one)).items():
            known = replies.setdefault(path, reply)
            if isinstance(known, tuple) and isinstance(known[1], tuple) and known is not reply:
                known[1][1].append(there(one, sid=one.sid or PN))
    tasks = [task(one, index) for index, one in enumerate(requests)]
    with talking(replies) as (executor, api):
        found = executor.verify(tasks, 4)
    assert {index: words(outcome) for index, outcome in found.items()} == {
        one.index: "added" for one in tasks
    }
    counts = Counter(path.endswith("/PhoneNumbers") for path in api.asked.elements())
    assert (counts[False], counts[True]) == (fetched, lists)


# What was typed whole


def test_a_request_of_which_nothing_is_known() -> None:
    delete, create = (
        raw_request(Call(method, f"/v1/Services{path}"))
        for method, path in (("DELETE", f"/{KS}"), ("POST", ""))
    )
    get = f"GET /v1/Services/{KS}"
    with talking(
        {str(delete.call()): [SENT, (404, 20404), (404, 20404)], get: [(404, 20404), (200, {})]}
    ) as (executor, _):
        ends = [words(outcome_of(executor, task(delete))) for _ in range(3)]
    assert ends == ["lost", "sent", "refused"], "found by nobody is as wanted only where the answer was lost"
    with talking({}) as (executor, _):
        outcome = outcome_of(executor, task(delete))
    assert words(outcome) == "refused" and "not found (404" in outcome.error.message  # type: ignore[union-attr]
    with talking({str(create.call()): SENT}) as (executor, api):
        assert words(outcome_of(executor, task(create))) == "lost"
        assert words(executor.verify([task(create)], 4)[0]) == "stop", "nothing shows what became of it"
    assert sum(api.asked.values()) == 1
    with talking({str(create.call()): (400, 80602)}) as (executor, _):
        outcome = outcome_of(executor, task(create))
    assert words(outcome) == "refused" and outcome.error.message.startswith("POST /v1/Services")  # type: ignore[union-attr]
