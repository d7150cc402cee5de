"""Many lists read at once: complete whatever happens, within both limits, and over where credentials are refused."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from proxyctl.api.client import ProxyClient
from proxyctl.api.endpoint import Credentials, Endpoint
from proxyctl.bulk.gates import Gates
from proxyctl.errors import AuthenticationError, NotFoundError, ServerError, ThrottledError
from proxyctl.pools.reading import read_pools, tell_pools
from proxyctl.writes.reading import Reader
from tests.api.stubs import AC, CountingClock, answer, refusal

PAGE = 2
Fault = Callable[[str, int], httpx.Response | None]


def sids(count: int) -> list[str]:
    return [f"KS{place:032x}" for place in range(count)]


class Lists(httpx.BaseTransport):
    """Pools of so many pages each; ``fault`` may answer in their place. Remembers when what was asked for."""

    def __init__(self, pages: int, clock: CountingClock, fault: Fault | None = None) -> None:
        self.pages = pages
        self.clock = clock
        self.fault = fault
        self.asked: list[tuple[str, float]] = []
        self.answered: Counter[str] = Counter()
        self.running = self.most = 0
        self._lock = threading.Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        with self._lock:
            self.running += 1
            self.most = max(self.most, self.running)
            self.asked.append((path, self.clock.monotonic()))
            count = len(self.asked)
        try:
            page = int(request.url.params.get("Page", "0"))
            return (self.fault and self.fault(path, count)) or self.page(path, page)
        finally:
            with self._lock:
                self.running -= 1

    def page(self, path: str, page: int) -> httpx.Response:
        self.answered[path] += 1
        rows = [
            {"sid": f"PN{page * PAGE + place:032x}", "is_reserved": True, "friendly_name": "x", "in_use": 0}
            for place in range(PAGE)
        ]
        following = f"https://elsewhere.example{path}?Page={page + 1}&PageToken=PT{page + 1}"
        last = page + 1 == self.pages
        meta = {"key": "phone_numbers", "next_page_url": None if last else following}
        return answer({"meta": meta, "phone_numbers": rows})


@contextmanager
def reading(
    pages: int, *, fault: Fault | None = None, rate: float = 0.0, ceiling: int = 100, retries: int = 4
) -> Iterator[tuple[Reader, Lists]]:
    clock = CountingClock()
    transport = Lists(pages, clock, fault)
    gates = Gates(rate, random=lambda: 0.5, ceiling=ceiling, clock=clock)
    endpoint, credentials = Endpoint.at("http://127.0.0.1:9"), Credentials(AC, "SK1", "secret")
    with ProxyClient(endpoint, credentials, transport=transport, clock=clock, retries=retries) as client:
        yield Reader(client, gates), transport


def test_all_pools_come_whole() -> None:
    with reading(5) as (reader, transport):
        pools = dict(read_pools(reader, sids(40)))
    assert sorted(pools) == sids(40)
    assert {(len(pool.by_sid), pool.reserved) for pool in pools.values()} == {(5 * PAGE, 5 * PAGE)}
    assert len(transport.asked) == 40 * 5


def test_only_the_fields_that_are_wanted_are_kept() -> None:
    with reading(1) as (reader, _):
        ((_, pool),) = read_pools(reader, sids(1), fields=("is_reserved",))
    assert [number.raw for number in pool.by_sid.values()] == [
        {"sid": f"PN{place:032x}", "is_reserved": True} for place in range(PAGE)
    ]


@pytest.mark.parametrize("pages", [150, 151, 700])
def test_a_long_list_keeps_within_the_window(pages: int) -> None:
    """150 requests in any 5 s are all that Twilio lets through, for each Service by itself."""
    with reading(pages, rate=30.0) as (reader, transport):
        counts = dict(tell_pools(reader, sids(1), lambda _, read: sum(1 for _ in read)))
        elapsed = reader.client.clock.monotonic()
    assert list(counts.values()) == [pages]
    times = [when for _, when in transport.asked]
    assert all(late - early > 5.0 for early, late in zip(times, times[150:], strict=False))
    assert elapsed <= 5.3 * ((pages - 1) // 150), "and no slower than that"


def test_services_do_not_wait_for_each_other() -> None:
    with reading(150, rate=30.0) as (reader, transport):
        assert len(dict(tell_pools(reader, sids(4), lambda _, read: sum(1 for _ in read)))) == 4
        assert reader.client.clock.monotonic() == 0
    assert len(transport.asked) == 600


def test_no_more_at_once_than_the_account_may_have() -> None:
    with reading(3, ceiling=1) as (reader, transport):
        assert len(dict(read_pools(reader, sids(10)))) == 10
    assert (transport.most, len(transport.asked)) == (1, 30)


@pytest.mark.parametrize("code", [80621, 20429])
def test_a_429_costs_nothing_but_time(code: int) -> None:
    def fault(path: str, count: int) -> httpx.Response | None:
        return refusal(429, code, retry_after="1") if count % 7 == 3 else None

    with reading(4, rate=30.0, fault=fault) as (reader, transport):
        pools = dict(read_pools(reader, sids(6)))
        assert reader.client.clock.monotonic() > 0
    assert {len(pool.by_sid) for pool in pools.values()} == {4 * PAGE}
    assert set(transport.answered.values()) == {4}


def test_faults_that_pass_are_tried_again_and_those_that_stay_are_told() -> None:
    with reading(4, fault=lambda _, count: refusal(503) if count % 3 == 0 else None) as (reader, transport):
        assert {len(pool.by_sid) for _, pool in read_pools(reader, sids(3))} == {4 * PAGE}
    assert set(transport.answered.values()) == {4}
    with reading(4, fault=lambda _, count: refusal(503)) as (reader, _), pytest.raises(ServerError):
        list(read_pools(reader, sids(3)))


def test_after_refused_credentials_nothing_more_is_asked() -> None:
    with reading(4, fault=lambda _, count: refusal(401, 20003)) as (reader, transport):
        with pytest.raises(AuthenticationError):
            list(read_pools(reader, sids(200)))
        asked = len(transport.asked)
        with pytest.raises(AuthenticationError):
            next(reader.account_numbers())
    assert asked <= 4, "those that were under way at the first refusal"
    assert len(transport.asked) == asked


@pytest.mark.parametrize("code", [80621, 20429])
@pytest.mark.parametrize("retries", [0, 4])
def test_a_single_read_that_is_turned_away_gives_up_after_its_retries(code: int, retries: int) -> None:
    fault: Fault = lambda _, count: refusal(429, code)  # noqa: E731
    with reading(4, rate=30.0, fault=fault, retries=retries) as (reader, transport):
        with pytest.raises(ThrottledError) as caught:
            next(reader.numbers(sids(1)[0]))
        assert reader.client.clock.monotonic() < 60
    assert (caught.value.exit_code, len(transport.asked)) == (7, retries + 1)


def test_one_that_is_turned_away_while_others_get_through_goes_on() -> None:
    other, patient = sids(2)

    def fault(path: str, count: int) -> httpx.Response | None:
        if patient not in path or count > 40:
            return None
        next(reader.numbers(other))
        return refusal(429, 80621)

    with reading(1, fault=fault, retries=0) as (reader, transport):
        next(reader.numbers(other))
        assert len(next(reader.numbers(patient)).items) == PAGE
    assert len(transport.asked) > 40


@pytest.mark.parametrize("closed", ["2010-04-01", "messaging"])
def test_what_a_key_is_kept_from_ends_the_reads_of_that_api_alone(closed: str) -> None:
    def fault(path: str, count: int) -> httpx.Response | None:
        return refusal(403, 20403) if path.startswith(f"/{closed}/") else None

    with reading(3, fault=fault) as (reader, transport):
        refused = reader.account_numbers if closed == "2010-04-01" else reader.messaging_services
        for _ in range(3):
            with pytest.raises(AuthenticationError):
                next(refused())
        assert sum(1 for _ in reader.numbers(sids(1)[0])) == 3
    assert len(transport.asked) == 1 + 3


def test_a_service_that_is_gone_is_told_and_frees_its_place() -> None:
    def fault(path: str, count: int) -> httpx.Response | None:
        return refusal(404, 20404) if sids(1)[0] in path else None

    def count(_: str, read: Iterator[object]) -> int:
        try:
            return sum(1 for _ in read)
        except NotFoundError:
            return -1

    with reading(2, fault=fault, ceiling=1) as (reader, _):
        assert sorted(dict(tell_pools(reader, sids(3), count)).values()) == [-1, 2, 2]
