"""Bulk runs against the bare server: how near they come to what its limits allow, and what they cost."""

from __future__ import annotations

import math
from collections.abc import Iterator

from tests.benchmarks.bare_server import BURST, PAGE, SERVICE_NAME, SERVICE_SID, WINDOW, Ledger, Settings
from tests.benchmarks.figures import Figure, at_least, at_most, traffic
from tests.benchmarks.stage import WHOLE_POOLS, Ended, program, server


def bulk(settings: Settings, *arguments: str, service: str = SERVICE_SID) -> tuple[Ledger, Ended]:
    """Run a verb on all numbers of a server's pool; every one of them must be changed."""
    with server(settings) as running, program(running.url) as proxyctl:
        verb, *options = arguments
        numbers = proxyctl.file(range(settings.numbers))
        ended = proxyctl("number", verb, service, "-f", numbers, *options, *WHOLE_POOLS, "-o", "jsonl")
        ledger = running.end()
    if ledger.changed != settings.numbers:
        raise RuntimeError(f"{ledger.changed} of {settings.numbers} numbers were changed")
    return ledger, ended


def turned_away(name: str, ledger: Ledger, most: float) -> Figure:
    """How many of the writes were answered 429."""
    share = ledger.refused / ledger.writes
    return Figure(
        f"{name}: 429s",
        f"{ledger.refused} of {ledger.writes:,}",
        ratio=share,
        target=at_most(most, percent=True),
    )


def window(quick: bool) -> Iterator[Figure]:
    """Reserves under the documented window, 80 ms latency."""
    count = 350 if quick else 3075  # not a multiple of 150: else one 429 costs a whole window
    ledger, _ = bulk(Settings(count, latency=0.08, window=True), "reserve")
    bound = WINDOW * ((count - 1) // BURST)
    name = f"window: {count:,} reserves, 80 ms"
    yield Figure(
        name,
        f"{ledger.seconds:.2f} s",
        f"{bound:.0f} s",
        ledger.seconds / bound,
        at_most(1.03),
        traffic(ledger),
    )
    yield turned_away(name, ledger, 0.005)


def hidden_limit(quick: bool) -> Iterator[Figure]:
    """Reserves under a hidden limit of 5 at a time, 100 ms latency, unpaced."""
    count, ceiling, latency = 200 if quick else 600, 5, 0.1
    ledger, _ = bulk(Settings(count, latency=latency, ceiling=ceiling), "reserve", "--rate", "0")
    bound = count * latency / ceiling
    name = f"hidden limit of {ceiling}: {count} reserves, 100 ms"
    yield Figure(
        name,
        f"{ledger.seconds:.2f} s",
        f"{bound:.2f} s",
        bound / ledger.seconds,
        at_least(0.9),
        traffic(ledger),
    )
    yield turned_away(name, ledger, 0.01)


def latency(quick: bool) -> Iterator[Figure]:
    """Reserves at 50 connections with latency alone (80 ms), unpaced."""
    count, connections, seconds = 1000 if quick else 2000, 50, 0.08
    ledger, ended = bulk(
        Settings(count, latency=seconds), "reserve", "--rate", "0", "--concurrency", str(connections)
    )
    bound = count * seconds / connections
    yield Figure(
        f"latency: {count:,} reserves, {connections} at a time, 80 ms",
        f"{ledger.seconds:.2f} s",
        f"{bound:.2f} s",
        bound / ledger.seconds,
        at_least(0.85),
        traffic(ledger),
    )
    yield Figure(
        f"  processor time for each, {ledger.most} at a time at most", f"{ended.cpu / count * 1e3:.2f} ms"
    )


def requests(quick: bool) -> Iterator[Figure]:
    """Requests needed: a list of the pool, the changes, and a look-up where the Service is named."""
    count = 500 if quick else 1050
    reserved = count // 3
    pages = math.ceil(count / PAGE)
    settings = Settings(count, reserved=reserved)
    for service, look_ups in ((SERVICE_SID, 0), (SERVICE_NAME, 1)):
        with server(settings) as running, program(running.url) as proxyctl:
            numbers = proxyctl.file(range(count))
            proxyctl("number", "reserve", service, "-f", numbers, "--rate", "0", *WHOLE_POOLS)
            ledger = running.end()
        needed = pages + (count - reserved) + look_ups
        yield Figure(
            f"requests: pool of {count:,}, {count - reserved} to do, by {'name' if look_ups else 'SID'}",
            f"{ledger.requests:,}",
            f"{needed:,}",
            ledger.requests / needed,
            at_most(1.0),
            traffic(ledger),
        )


def memory(quick: bool) -> Iterator[Figure]:
    """Peak memory of a bulk run on the largest pool there can be: 5,000 reserved and 500 others, all removed."""
    count, most = 5500, 80
    for options in (("--rate", "0"), ("--rate", "0", "--concurrency", "100")):
        if quick and len(options) > 2:
            continue
        ledger, ended = bulk(Settings(count, reserved=5000, latency=0.02), "remove", "--yes", *options)
        yield Figure(
            f"memory: {count:,} numbers removed, {ledger.most} at a time",
            f"{ended.peak:.1f} MB",
            f"{most} MB",
            ended.peak / most,
            at_most(1.0),
            traffic(ledger),
        )
