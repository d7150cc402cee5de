"""Many pools read at once by `pool status --all`: as fast as one alone, within the documented window, in little
memory.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.benchmarks.bare_server import PAGE, Settings, service_name
from tests.benchmarks.figures import Figure, at_most, traffic
from tests.benchmarks.stage import program, server

LATENCY = 0.08
MOST_MEMORY = 120


def status(quick: bool) -> Iterator[Figure]:
    """`pool status --all` of twenty Services under the documented window, against the pages of one alone."""
    services, each = (5, 1000) if quick else (20, 2750)
    settings = Settings(each, reserved=each - 400, latency=LATENCY, window=True, services=services)
    with server(settings) as running, program(running.url) as proxyctl:
        alone = proxyctl("pool", "status", service_name(1), "-o", "jsonl")
        ended = proxyctl("pool", "status", "--all", "-o", "jsonl")
        ledger = running.end()
    if (alone.lines, ended.lines) != (1, services):
        raise RuntimeError(f"{ended.lines} of {services} Services came")
    name = f"status --all: {services} Services x {each:,} numbers, 80 ms"
    pages = -(-each // PAGE)
    yield Figure(
        f"{name}: time, against one alone",
        f"{ended.seconds:.2f} s",
        f"{alone.seconds:.2f} s",
        ended.seconds / alone.seconds,
        at_most(1.5),
        f"{traffic(ledger)}, {ended.cpu:.1f} s of processor; {pages} pages take {pages * LATENCY:.2f} s",
    )
    yield Figure(
        f"{name}: 429s",
        str(ledger.refused),
        ratio=ledger.refused / ledger.requests,
        target=at_most(0.0, percent=True),
    )
    yield Figure(
        f"{name}: memory",
        f"{ended.peak:.0f} MB",
        f"{MOST_MEMORY} MB",
        ended.peak / MOST_MEMORY,
        at_most(1.0),
    )
