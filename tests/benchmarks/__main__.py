"""`python -m tests.benchmarks [NAME...]`: run workloads and print their figures; see the package's docstring."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from tests.benchmarks import __doc__ as how_to_read
from tests.benchmarks import (
    bulk_runs,
    many_sessions,
    other_runs,
    peers,
    pool_runs,
    session_runs,
    startup,
    status_runs,
)
from tests.benchmarks.figures import HEADER, Figure, Noise, line, medians, table

Workload = Callable[[bool], Iterable[Figure]]

WORKLOADS: dict[str, Workload] = {
    "startup": startup.startup,
    "window": bulk_runs.window,
    "hidden-limit": bulk_runs.hidden_limit,
    "latency": bulk_runs.latency,
    "requests": bulk_runs.requests,
    "memory": bulk_runs.memory,
    "apply": pool_runs.apply,
    "export": pool_runs.export,
    "status": status_runs.status,
    "peers": peers.peers,
    "listing": other_runs.listing,
    "adding": other_runs.adding,
    "serving": other_runs.serving,
    "sessions": many_sessions.sessions,
    "reading-sessions": session_runs.reading,
}


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description="Measure proxyctl as a whole process.",
        epilog=how_to_read,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="a workload; all without one")
    parser.add_argument("--list", action="store_true", help="list the workloads")
    parser.add_argument(
        "--quick", action="store_true", help="smaller workloads, under a minute and a half in all"
    )
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="print medians of N runs of each")
    parsed = parser.parse_args(arguments)
    unknown = [name for name in parsed.names if name not in WORKLOADS]
    if unknown:
        parser.error(f"no workload {', '.join(unknown)}; there are {', '.join(WORKLOADS)}")
    return parsed


def once(workload: Workload, quick: bool) -> list[Figure]:
    """Run a workload; each of its figures is told how busy the machine was with other things."""
    noise = Noise()
    figures = list(workload(quick))
    return [replace(figure, others=noise.share()) for figure in figures]


def main(arguments: Sequence[str]) -> int:
    """Print a table; 1 where a target was missed at full size."""
    asked = parse(arguments)
    if asked.list:
        for name, workload in WORKLOADS.items():
            print(f"{name:14} {(workload.__doc__ or '').splitlines()[0]}")
        return 0
    print(line(HEADER))
    started, missed = time.monotonic(), 0
    for name in asked.names or WORKLOADS:
        runs = [once(WORKLOADS[name], asked.quick) for _ in range(max(1, asked.repeat))]
        figures = list(medians(runs))
        missed += sum(figure.missed for figure in figures)
        for text in table(figures):
            print(text, flush=True)
    print(
        f"\n{missed or 'no'} target{'s' if missed > 1 else ''} missed, in {time.monotonic() - started:.0f} s"
    )
    return 1 if missed and not asked.quick else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
