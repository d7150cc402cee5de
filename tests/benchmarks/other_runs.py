"""Workloads besides bulk runs on the bare server: a list of a million rows, and the sandbox in process and served."""

from __future__ import annotations

from collections.abc import Iterator

from tests.benchmarks.bare_server import PAGE, SERVICE_SID, Settings
from tests.benchmarks.figures import Figure, at_least, at_most, traffic
from tests.benchmarks.stage import program, server


def listing(quick: bool) -> Iterator[Figure]:
    """A million numbers listed as jsonl: memory and rows a second."""
    count, most = 100_000 if quick else 1_000_000, 60
    with server(Settings(count)) as running, program(running.url) as proxyctl:
        ended = proxyctl("number", "list", SERVICE_SID, "-o", "jsonl")
        ledger = running.end()
    if ended.lines != count:
        raise RuntimeError(f"{ended.lines:,} of {count:,} rows came")
    name = f"listing {count:,} numbers as jsonl"
    yield Figure(
        f"{name}: memory",
        f"{ended.peak:.1f} MB",
        f"{most} MB",
        ended.peak / most,
        at_most(1.0),
        traffic(ledger),
    )
    speed = f"{count / ended.seconds:,.0f} rows/s"
    yield Figure(
        f"{name}: time",
        f"{ended.seconds:.1f} s",
        traffic=f"{speed}, {ended.seconds / count * PAGE * 1e3:.2f} ms/page",
    )


def adding(quick: bool) -> Iterator[Figure]:
    """Numbers added to a pool of the sandbox in process, by one command."""
    count, seconds = 1000 if quick else 5000, 3.0 if quick else 15.0
    with program() as proxyctl:
        seeded = proxyctl("sandbox", "seed", "--numbers", str(count), "--seed", "1", "-o", "ids", keep=True)
        file = proxyctl.directory / "sids.txt"
        file.write_text(seeded.out)
        proxyctl("service", "create", "bench", "--sandbox")
        ended = proxyctl("number", "add", "bench", "-f", str(file), "--reserved", "--sandbox", "-o", "ids")
    if ended.lines != count:
        raise RuntimeError(f"{ended.lines:,} of {count:,} numbers were added")
    yield Figure(
        f"--sandbox: {count:,} numbers added in process",
        f"{ended.seconds:.2f} s",
        f"{seconds:.0f} s",
        ended.seconds / seconds,
        at_most(1.0),
        f"{count / ended.seconds:,.0f}/s, {ended.peak:.0f} MB",
    )


def serving(quick: bool) -> Iterator[Figure]:
    """Requests a second of `sandbox serve` without its rate limit."""
    from tests.benchmarks.server_throughput import TO_REACH, measured

    for row in measured((16,) if quick else (1, 16, 50), *((1500, 10_000) if quick else (3000, 100_000))):
        bound = TO_REACH.get(row.workload)
        yield Figure(
            f"serve: {row.workload}, {row.connections} at a time",
            f"{row.rate:,.0f}/s",
            f"{bound:,}/s" if bound else "",
            row.rate / bound if bound else None,
            at_least(1.0) if bound and row.connections > 1 else None,
            f"median {row.median * 1e3:.2f} ms, 99 % {row.slowest * 1e3:.1f} ms",
        )
