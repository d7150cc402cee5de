"""One read, as often as it takes, and within the time that all reads may take."""

from __future__ import annotations

from email.utils import formatdate

import httpx
import pytest

from proxyctl.api.resources import Call
from proxyctl.errors import (
    AnswerError,
    ProxyctlError,
    ServerError,
    TemporaryError,
    ThrottledError,
)
from tests.api.stubs import (
    KS,
    PN,
    Reply,
    answer,
    read_by,
    reader_of,
    refusal,
    scripted,
    slept,
)
from tests.support import StandingClock

LIST = Call("GET", "/v1/Services")
ITEM = Call("GET", f"/v1/Services/{KS}", expect="sid", sid=KS)


# Again


def test_a_read_is_repeated_with_full_jitter_and_then_given_up() -> None:
    lines: list[str] = []
    faults = [("GET /v1/Services", refusal(503)) for _ in range(5)]
    with read_by(*faults, log=lines.append) as reader:
        with pytest.raises(ServerError):
            reader.request(LIST)
        assert slept(reader.client) == [0.25, 0.5, 1.0, 2.0]
    assert [line for line in lines if "again" in line] == [
        f"GET /v1/Services again in {delay} s" for delay in ("0.2", "0.5", "1.0", "2.0")
    ]


@pytest.mark.parametrize(
    "fault",
    [
        httpx.ReadError("x"),
        httpx.ConnectError("x"),
        refusal(502),
        refusal(429, 20429),
        answer("no object"),
        answer({"sid": PN}),
        answer(None),
    ],
)
def test_what_may_pass_is_asked_again(fault: Reply) -> None:
    asked = str(ITEM)
    with read_by((asked, fault), (asked, answer({"sid": KS}))) as reader:
        assert reader.request(ITEM).body == {"sid": KS}
        assert len(slept(reader.client)) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 401, 403, 404, 400])
def test_what_cannot_get_better_is_not_asked_again(status: int) -> None:
    with read_by(("GET /v1/Services", refusal(status))) as reader:
        with pytest.raises(ProxyctlError):
            reader.request(LIST)
        assert slept(reader.client) == []


def test_an_answer_about_something_else_stays_refused() -> None:
    wrong = [(str(ITEM), answer({"sid": KS[:-1] + "0"})) for _ in range(3)]
    with read_by(*wrong, retries=2) as reader, pytest.raises(AnswerError, match="another resource") as caught:
        reader.request(ITEM)
    assert caught.value.exit_code == 1


def test_retry_after_in_seconds_and_as_a_date() -> None:
    date = {"Date": formatdate(1_000_000, usegmt=True), "Retry-After": formatdate(1_000_007, usegmt=True)}
    script = [refusal(429, Retry_After="3"), refusal(429, **date), answer({})]
    with read_by(*(("GET /v1/Services", reply) for reply in script)) as reader:
        reader.request(LIST)
        assert 10 <= sum(slept(reader.client)) < 11


def test_a_retry_after_above_five_minutes_ends_it_and_says_how_long() -> None:
    script = ("GET /v1/Services", refusal(429, 80621, Retry_After="301"))
    with read_by(script) as reader, pytest.raises(ThrottledError, match="wait 301 s") as caught:
        reader.request(LIST)
    assert caught.value.exit_code == 7
    assert caught.value.problem is not None
    assert caught.value.problem.retry_after == 301


# An end to all reads


class Hanging(httpx.BaseTransport):
    """Answers nothing: a request takes all the time that it has, on the clock that was handed in."""

    def __init__(self, clock: StandingClock) -> None:
        self.clock = clock
        self.asked = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        self.clock.sleep(request.extensions["deadline"].seconds)
        raise httpx.ReadTimeout("deadline")


@pytest.mark.parametrize("timeout", [60.0, 1.5])
def test_a_reading_that_the_run_can_do_without_ends(timeout: float) -> None:
    """However long a request may take, and however often it may be repeated: all of them together end."""
    clock = StandingClock()
    transport = Hanging(clock)
    with scripted(clock=clock, timeout=timeout) as client:
        client.transport = transport
        limited = reader_of(client).within(5.0)
        for _ in range(3):
            with pytest.raises(TemporaryError, match="no response within 5 s"):
                list(limited.pages(LIST))
        assert clock.monotonic() <= 5.0
    assert transport.asked <= 4
