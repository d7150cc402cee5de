"""The platform's two limits, in simulated time."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxyctl.sandbox.server.rate_limit import ConcurrencyLimit, SlidingWindow, endpoint_of

KS = "KS" + "0" * 32
OTHER = "KS" + "1" * 32
PN = "PN" + "0" * 32
KC = "KC" + "0" * 32


def test_150_in_5_seconds_and_no_more() -> None:
    window = SlidingWindow()
    assert all(window.admit("add", 10.0 + i / 100) for i in range(150))
    assert not window.admit("add", 14.999)
    assert window.admit("add", 15.0)
    assert not window.admit("add", 15.0)


def test_a_refused_request_does_not_count() -> None:
    window = SlidingWindow(seconds=1.0, burst=2)
    assert [window.admit("add", t) for t in (0.0, 0.1, 0.5, 0.6, 0.7)] == [True, True, False, False, False]
    assert window.admit("add", 1.0)


def test_each_endpoint_has_a_window_of_its_own() -> None:
    window = SlidingWindow(burst=1)
    assert window.admit("a", 0.0)
    assert window.admit("b", 0.0)
    assert not window.admit("a", 0.0)


def test_quiet_endpoints_are_forgotten() -> None:
    window = SlidingWindow(burst=1)
    for number in range(3000):
        assert window.admit(number, float(number))
    assert len(window._seen) <= 1024 + 1


@given(st.lists(st.floats(0, 3, allow_nan=False), max_size=60))
def test_no_window_ever_holds_more_than_the_burst(gaps: list[float]) -> None:
    window, now, admitted = SlidingWindow(seconds=5.0, burst=4), 0.0, []
    for gap in gaps:
        now += gap
        if window.admit("add", now):
            admitted.append(now)
    for start in admitted:
        assert sum(start <= t < start + 5.0 for t in admitted) <= 4


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("POST", f"/v1/Services/{KS}/PhoneNumbers"), ("POST", f"/v1/Services/{KS}/PhoneNumbers/{PN}")),
        (("GET", "/v1/Services"), ("GET", "/v1/Services/")),
        (("GET", f"/v1/Services/{KS}/Sessions/{KC}"), ("GET", f"/v1/Services/{KS}/Sessions")),
    ],
)
def test_these_share_a_window(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert endpoint_of(*one) == endpoint_of(*other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("POST", f"/v1/Services/{KS}/PhoneNumbers"), ("GET", f"/v1/Services/{KS}/PhoneNumbers")),
        (("POST", f"/v1/Services/{KS}/PhoneNumbers"), ("POST", f"/v1/Services/{OTHER}/PhoneNumbers")),
        (("GET", "/v1/Services"), ("GET", f"/v1/Services/{KS}")),
        (("GET", f"/v1/Services/{KS}/Sessions"), ("GET", f"/v1/Services/{KS}/Sessions/{KC}/Participants")),
    ],
)
def test_these_do_not(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert endpoint_of(*one) != endpoint_of(*other)


@pytest.mark.parametrize("path", ["/messaging/v1/Services", "/2010-04-01/Accounts", "/", "*", ""])
def test_only_proxy_has_the_limit(path: str) -> None:
    assert endpoint_of("GET", path) is None


def test_the_ceiling_holds_and_may_change() -> None:
    limit = ConcurrencyLimit(2)
    assert [limit.enter(), limit.enter(), limit.enter()] == [1, 2, None]
    limit.ceiling = 3
    assert limit.enter() == 3
    limit.ceiling = 1
    limit.leave()
    assert limit.enter() is None
    assert limit.most == 3
    limit.ceiling = None
    assert limit.enter() == 3


def test_places_are_counted_right_over_threads() -> None:
    limit, taken = ConcurrencyLimit(8), []

    def hammer() -> None:
        for _ in range(500):
            if place := limit.enter():
                taken.append(place)
                limit.leave()

    threads = [threading.Thread(target=hammer) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert limit.running == 0
    assert len(taken) == 4000
    assert limit.most <= 8
