"""When to try again, without a clock; and Retry-After, which may say anything."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxyctl.api.answers import retry_after
from proxyctl.api.client import Tries
from proxyctl.clock import backoff
from proxyctl.errors import (
    AnswerError,
    AuthenticationError,
    NetworkError,
    Problem,
    ProxyctlError,
    RefusedError,
    ServerError,
    ThrottledError,
)


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_jitter_stays_in_bounds(attempt: int, rand: float) -> None:
    assert 0 <= backoff(attempt, rand) <= min(20.0, 0.5 * 2 ** min(attempt, 50))


def test_jitter_doubles_up_to_20_seconds() -> None:
    assert [backoff(n, 1.0) for n in range(8)] == [0.5, 1, 2, 4, 8, 16, 20, 20]


def _run(error: ProxyctlError, retries: int = 4, *, patient: bool = True) -> list[float]:
    tries, delays = Tries(retries, lambda: 1.0), []
    while (delay := tries.after(error, patient=patient)) is not None:
        delays.append(delay)
    assert tries.waited == sum(delays)
    return delays


@pytest.mark.parametrize("error", [NetworkError("x"), ServerError("x"), AnswerError("x")])
def test_passing_faults_get_the_extra_tries(error: ProxyctlError) -> None:
    assert _run(error) == [0.5, 1, 2, 4]
    assert _run(error, retries=0) == []


@pytest.mark.parametrize(
    "error",
    [
        NetworkError("certificate", repeatable=False),
        AnswerError("too large", repeatable=False),
        RefusedError("x"),
        AuthenticationError("x"),
        ProxyctlError("x"),
    ],
)
def test_lasting_faults_get_none(error: ProxyctlError) -> None:
    assert _run(error) == []


def test_a_429_is_a_try_of_the_impatient() -> None:
    assert _run(ThrottledError("x"), patient=False) == [0.5, 1, 2, 4]
    assert _run(ThrottledError("x"), retries=0, patient=False) == []


def test_to_the_patient_a_429_is_no_try_but_it_ends_in_bounded_time() -> None:
    delays = _run(ThrottledError("x"), retries=0)
    assert 20 <= len(delays) <= 30
    assert sum(delays) <= 600


def test_retry_after_is_waited_for_unless_it_is_too_long() -> None:
    asks = [
        ThrottledError("x", problem=Problem(429, retry_after=seconds)) for seconds in (30.0, 300.0, 301.0)
    ]
    assert [Tries(4, lambda: 1.0).after(error) for error in asks] == [30.0, 300.0, None]
    server = ServerError("x", problem=Problem(503, retry_after=7.0))
    assert Tries(4, lambda: 1.0).after(server) == 7.0


NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("3", 3.0),
        (" 3 ", 3.0),
        ("0", 0.0),
        ("86400", 86400.0),
        ("86401", None),
        ("-5", None),
        ("abc", None),
        ("1e309", None),
        ("nan", None),
        ("", None),
        ("٣", None),
        ("9" * 5000, None),
        ("Fri, 31 Dec 2099 23:59:59 GMT", None),
        (formatdate(NOW + 10, usegmt=True), 10.0),
        (formatdate(NOW - 10, usegmt=True), None),
    ],
)
def test_retry_after_in_all_its_forms(text: str, seconds: float | None) -> None:
    assert retry_after({"Retry-After": text}, NOW) == seconds


def test_a_date_is_taken_against_the_answers_own() -> None:
    headers = {"Retry-After": formatdate(1_000_060, usegmt=True), "Date": formatdate(1_000_000, usegmt=True)}
    assert retry_after(headers, NOW) == 60.0
    assert retry_after(headers | {"Date": "yesterday"}, 1_000_050) == 10.0


@given(st.text(), st.text(), st.floats(0, 4e9))
def test_retry_after_never_raises_and_stays_in_bounds(text: str, date: str, now: float) -> None:
    seconds = retry_after({"Retry-After": text, "Date": date}, now)
    assert seconds is None or 0 <= seconds <= 86400


@given(st.datetimes(), st.datetimes())
def test_retry_after_dates_stay_in_bounds(moment: object, date: object) -> None:
    headers = {
        "Retry-After": f"{moment:%a, %d %b %Y %H:%M:%S} GMT",
        "Date": f"{date:%a, %d %b %Y %H:%M:%S} GMT",
    }
    seconds = retry_after(headers, NOW)
    assert seconds is None or 0 <= seconds <= 86400
