"""Questions to the account: what is asked often is asked once. Many lists at once are complete whatever happens, within
both limits, and over where credentials are refused.
"""

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
from proxyctl.input.items import Item
from proxyctl.pools.account import Account
from proxyctl.writes.reading import Reader
from tests.api.stubs import AC, KS, PN, Reply, answer, page, read_by, refusal
from tests.support import StandingClock

PAGE = 2
Fault = Callable[[str, int], httpx.Response | None]


def sids(count: int) -> list[str]:
    return [f"KS{place:032x}" for place in range(count)]


class Lists(httpx.BaseTransport):
    """Pools of so many pages each; ``fault`` may answer in their place. Remembers when what was asked for."""

    def __init__(self, pages: int, clock: StandingClock, fault: Fault | None = None) -> None:
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
) -> Iterator[tuple[Account, Lists]]:
    clock = StandingClock()
    transport = Lists(pages, clock, fault)
    gates = Gates(rate, random=lambda: 0.5, ceiling=ceiling, clock=clock)
    endpoint, credentials = Endpoint.at("http://127.0.0.1:9"), Credentials(AC, "SK1", lambda: "secret")
    with ProxyClient(endpoint, credentials, transport=transport, clock=clock, retries=retries) as client:
        yield Account(Reader(client, gates)), transport


def test_all_pools_come_whole() -> None:
    with reading(5) as (account, transport):
        pools = dict(account.pools(sids(40)))
    assert sorted(pools) == sids(40)
    assert {(len(pool.by_sid), pool.reserved) for pool in pools.values()} == {(5 * PAGE, 5 * PAGE)}
    assert len(transport.asked) == 40 * 5


def test_only_the_fields_that_are_wanted_are_kept() -> None:
    with reading(1) as (account, _):
        ((_, pool),) = account.pools(sids(1), fields=("is_reserved",))
    assert [number.raw for number in pool.by_sid.values()] == [
        {"sid": f"PN{place:032x}", "is_reserved": True} for place in range(PAGE)
    ]


@pytest.mark.parametrize("pages", [150, 151, 700])
def test_a_long_list_keeps_within_the_window(pages: int) -> None:
    """150 requests in any 5 s are all that Twilio lets through, for each Service by itself."""
    with reading(pages, rate=30.0) as (account, transport):
        counts = dict(account.each_pool(sids(1), lambda _, read: sum(1 for _ in read)))
        elapsed = account.reader.client.clock.monotonic()
    assert list(counts.values()) == [pages]
    times = [when for _, when in transport.asked]
    assert all(late - early > 5.0 for early, late in zip(times, times[150:], strict=False))
    assert elapsed <= 5.3 * ((pages - 1) // 150), "and no slower than that"


def test_services_do_not_wait_for_each_other() -> None:
    with reading(150, rate=30.0) as (account, transport):
        assert len(dict(account.each_pool(sids(4), lambda _, read: sum(1 for _ in read)))) == 4
        assert account.reader.client.clock.monotonic() == 0
    assert len(transport.asked) == 600


def test_no_more_at_once_than_the_account_may_have() -> None:
    with reading(3, ceiling=1) as (account, transport):
        assert len(dict(account.pools(sids(10)))) == 10
    assert (transport.most, len(transport.asked)) == (1, 30)


@pytest.mark.parametrize("code", [80621, 20429])
def test_a_429_costs_nothing_but_time(code: int) -> None:
    def fault(path: str, count: int) -> httpx.Response | None:
        return refusal(429, code, retry_after="1") if count % 7 == 3 else None

    with reading(4, rate=30.0, fault=fault) as (account, transport):
        pools = dict(account.pools(sids(6)))
        assert account.reader.client.clock.monotonic() > 0
    assert {len(pool.by_sid) for pool in pools.values()} == {4 * PAGE}
    assert set(transport.answered.values()) == {4}


def test_faults_that_pass_are_tried_again_and_those_that_stay_are_told() -> None:
    with reading(4, fault=lambda _, count: refusal(503) if count % 3 == 0 else None) as (account, transport):
        assert {len(pool.by_sid) for _, pool in account.pools(sids(3))} == {4 * PAGE}
    assert set(transport.answered.values()) == {4}
    with reading(4, fault=lambda _, count: refusal(503)) as (account, _), pytest.raises(ServerError):
        list(account.pools(sids(3)))


def test_after_refused_credentials_nothing_more_is_asked() -> None:
    with reading(4, fault=lambda _, count: refusal(401, 20003)) as (account, transport):
        with pytest.raises(AuthenticationError):
            list(account.pools(sids(200)))
        asked = len(transport.asked)
        with pytest.raises(AuthenticationError):
            next(account.own_pages())
    assert asked <= 4, "those that were under way at the first refusal"
    assert len(transport.asked) == asked


@pytest.mark.parametrize("code", [80621, 20429])
@pytest.mark.parametrize("retries", [0, 4])
def test_a_single_read_that_is_turned_away_gives_up_after_its_retries(code: int, retries: int) -> None:
    fault: Fault = lambda _, count: refusal(429, code)  # noqa: E731
    with reading(4, rate=30.0, fault=fault, retries=retries) as (account, transport):
        with pytest.raises(ThrottledError) as caught:
            account.pool(sids(1)[0])
        assert account.reader.client.clock.monotonic() < 60
    assert (caught.value.exit_code, len(transport.asked)) == (7, retries + 1)


def test_one_that_is_turned_away_while_others_get_through_goes_on() -> None:
    other, patient = sids(2)

    def fault(path: str, count: int) -> httpx.Response | None:
        if patient not in path or count > 40:
            return None
        account.pool(other)
        return refusal(429, 80621)

    with reading(1, fault=fault, retries=0) as (account, transport):
        account.pool(other)
        assert len(account.pool(patient).by_sid) == PAGE
    assert len(transport.asked) > 40


@pytest.mark.parametrize("closed", ["2010-04-01", "messaging"])
def test_what_a_key_is_kept_from_ends_the_reads_of_that_api_alone(closed: str) -> None:
    def fault(path: str, count: int) -> httpx.Response | None:
        return refusal(403, 20403) if path.startswith(f"/{closed}/") else None

    with reading(3, fault=fault) as (account, transport):
        for _ in range(3):
            with pytest.raises(AuthenticationError):
                next(account.own_pages()) if closed == "2010-04-01" else account.senders({"PN1"})
        assert len(account.pool(sids(1)[0]).by_sid) == 3 * PAGE
    assert len(transport.asked) == 1 + 3


def test_a_service_that_is_gone_is_left_out_or_told_and_frees_its_place() -> None:
    gone, *others = sids(3)

    def fault(path: str, count: int) -> httpx.Response | None:
        return refusal(404, 20404) if gone in path else None

    with reading(2, fault=fault, ceiling=1) as (account, _):
        assert [sid for sid, _ in account.pools(sids(3), skip_gone=True)] == others
        with pytest.raises(NotFoundError):
            list(account.pools(sids(3)))
        with pytest.raises(NotFoundError, match=f"no Service {gone}"):
            account.pool(gone)


# Services


SERVICES = "GET /v1/Services?PageSize=100"
OURS = {"sid": KS, "unique_name": "mask", "future_field": 1}


def test_services_by_name_or_sid_are_listed_once() -> None:
    others = [{"sid": "KS0", "unique_name": "MASK"}, {"sid": "KS1", "unique_name": None}, {"sid": "KS2"}]
    script = ((SERVICES, page("services", [*others, OURS])), (f"GET /v1/Services/{KS}", answer(OURS)))
    with read_by(*script) as reader:
        account = Account(reader)
        assert account.service("mask").raw == account.service("mask").raw == OURS
        assert account.service(KS).raw == OURS
        assert account.service_named("Mask") is None


@pytest.mark.parametrize(
    ("name", "hint"),
    [("masking-prd", "masking-prod"), ("MASKING-PROD", "masking-prod"), ("qqq", "service list")],
)
def test_a_name_that_is_not_there(name: str, hint: str) -> None:
    listed = page(
        "services", [{"sid": "KS0", "unique_name": "masking-prod"}, {"sid": "KS1", "unique_name": "other"}]
    )
    with read_by((SERVICES, listed)) as reader, pytest.raises(NotFoundError) as caught:
        Account(reader).service(name)
    assert name in caught.value.message
    assert hint in str(caught.value.hint)


def test_a_sid_that_is_not_there() -> None:
    refused = (f"GET /v1/Services/{KS}", refusal(404, 20404))
    with read_by(refused) as reader, pytest.raises(NotFoundError, match=KS) as caught:
        Account(reader).service(KS)
    assert "service list" in str(caught.value.hint)


# The account's own numbers


def test_the_accounts_numbers() -> None:
    """The filter finds parts of numbers as well: only the whole one counts. Each is asked for once."""
    number = {"sid": PN, "phone_number": "+14155550100"}
    longer = {"sid": "PN0", "phone_number": "+141555501000"}
    path = f"GET /2010-04-01/Accounts/{AC}/IncomingPhoneNumbers"
    filtered = f"{path}.json?PhoneNumber=%2B1415555010{{}}&PageSize=50"
    script: list[tuple[str, Reply]] = [
        (filtered.format(0), answer({"incoming_phone_numbers": [longer, number], "next_page_uri": None})),
        (filtered.format(1), answer({"incoming_phone_numbers": [longer], "next_page_uri": None})),
        (f"{path}/{PN}.json", answer(number)),
        (f"{path}/{PN[:-1]}0.json", refusal(404, 20404)),
    ]
    with read_by(*script) as reader:
        account = Account(reader)
        for _ in range(2):
            for text, found in (("+14155550100", True), ("+14155550101", False)):
                assert bool(account.own_numbers([Item(text, None, text)])) is found
            for sid, found in ((PN, True), (f"{PN[:-1]}0", False)):
                assert set(account.own_numbers([Item(sid, sid, None)])) == (
                    {PN, "+14155550100"} if found else set()
                )
