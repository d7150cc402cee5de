"""Whole pools: several Services changed by one `pool apply`, as fast as one alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.bare_server import Ledger, Settings, phone_number, service_name
from tests.benchmarks.figures import Figure, at_most, traffic
from tests.benchmarks.stage import WHOLE_POOLS, Ended, program, server


def pool_file(directory: Path, services: int, each: int) -> str:
    """Write a pool file that wants all numbers of these Services reserved."""
    path = directory / "pool.toml"
    with open(path, "w") as file:
        file.write("version = 1\n")
        for place in range(services):
            numbers = ",\n".join(
                f'"{phone_number(index)}"' for index in range(place * each, (place + 1) * each)
            )
            file.write(f"[services.{service_name(place)}.numbers]\nreserved = [\n{numbers}\n]\n")
    return str(path)


def applied(services: int, each: int) -> tuple[Ledger, Ended]:
    """Reserve all numbers of so many Services by one file."""
    settings = Settings(each, latency=0.08, window=True, services=services)
    with server(settings) as running, program(running.url) as proxyctl:
        file = pool_file(proxyctl.directory, services, each)
        ended = proxyctl("pool", "apply", file, "--yes", *WHOLE_POOLS, "-o", "jsonl")
        ledger = running.end()
    if ledger.changed != services * each:
        raise RuntimeError(f"{ledger.changed} of {services * each} numbers were changed")
    return ledger, ended


def apply(quick: bool) -> Iterator[Figure]:
    """Ten Services changed by one `pool apply` under the documented window, against one alone."""
    each = 200 if quick else 1000
    alone, _ = applied(1, each)
    ledger, ended = applied(10, each)
    name = f"apply: 10 Services x {each:,} reserves, 80 ms"
    yield Figure(
        f"{name}: time, against one alone",
        f"{ledger.seconds:.2f} s",
        f"{alone.seconds:.2f} s",
        ledger.seconds / alone.seconds,
        at_most(1.10),
        traffic(ledger),
    )
    yield Figure(
        f"{name}: 429s",
        f"{ledger.refused} of {ledger.writes:,}",
        ratio=ledger.refused / ledger.writes,
        target=at_most(0.005, percent=True),
        traffic=f"{ended.cpu:.1f} s of processor, {ended.peak:.0f} MB",
    )


def export(quick: bool) -> Iterator[Figure]:
    """`pool export --all` of twenty Services under the documented window, against the pages of one alone."""
    services, each, most = (5, 1000, 120) if quick else (20, 2750, 120)
    latency = 0.08
    settings = Settings(each, latency=latency, window=True, services=services)
    with server(settings) as running, program(running.url) as proxyctl:
        alone = proxyctl("pool", "export", service_name(1))
        ended = proxyctl("pool", "export", "--all")
        ledger = running.end()
    name = f"export --all: {services} Services x {each:,} numbers, 80 ms"
    yield Figure(
        f"{name}: time, against one alone",
        f"{ended.seconds:.2f} s",
        f"{alone.seconds:.2f} s",
        ended.seconds / alone.seconds,
        at_most(1.5),
        traffic(ledger),
    )
    yield Figure(f"{name}: memory", f"{ended.peak:.0f} MB", f"{most} MB", ended.peak / most, at_most(1.0))
