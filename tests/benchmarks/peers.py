"""The same reserves on the same server by proxyctl and by what people use otherwise, none of which tries again: a loop
over the official Python library, the library with 16 threads, and curl under xargs.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator

from tests.benchmarks.bare_server import ACCOUNT_SID, SERVICE_SID, Ledger, Settings, number_sid
from tests.benchmarks.figures import Figure, traffic
from tests.benchmarks.stage import AUTH_TOKEN, WHOLE_POOLS, Ended, program, run, server

AT_ONCE = 16

Peer = Callable[[str, int], Ended]


def library(threads: int) -> Peer:
    """The official library, with so many threads."""

    def peer(url: str, count: int) -> Ended:
        command = [sys.executable, "-m", "tests.benchmarks.library_peer", url, str(threads), str(count)]
        with program(url) as proxyctl:
            return run(command, proxyctl.environ)

    return peer


def curl(url: str, count: int) -> Ended:
    """A process for each request, 16 at a time."""
    path = f"{url}/v1/Services/{SERVICE_SID}/PhoneNumbers/{{}}"
    user = f"{ACCOUNT_SID}:{AUTH_TOKEN}"
    one = ["curl", "-s", "-o", "/dev/null", "-u", user, "-d", "IsReserved=true", path]
    numbers = "".join(f"{number_sid(index)}\n" for index in range(count))
    with program(url) as proxyctl:
        return run(["xargs", "-P", str(AT_ONCE), "-I", "{}", *one], proxyctl.environ, stdin=numbers)


def proxyctl(*options: str) -> Peer:
    """This program."""

    def peer(url: str, count: int) -> Ended:
        with program(url) as run_it:
            numbers = run_it.file(range(count))
            return run_it("number", "reserve", SERVICE_SID, "-f", numbers, *options, *WHOLE_POOLS)

    return peer


def race(settings: Settings, peers: dict[str, Peer], where: str) -> Iterator[Figure]:
    """Time each of ``peers``, the first being the one that the others are held against."""
    bar: Ledger | None = None
    for name, peer in peers.items():
        with server(settings) as running:
            ended = peer(running.url, settings.numbers)
            ledger = running.end()
        bar = bar or ledger
        undone = settings.numbers - ledger.changed
        yield Figure(
            f"{where}: {name}",
            f"{ledger.seconds:.2f} s, {ended.seconds:.2f} in all",
            f"{bar.seconds:.2f} s",
            ledger.seconds / bar.seconds,
            traffic=f"{traffic(ledger)}" + (f", {undone} NOT DONE" if undone else ""),
        )


def peers(quick: bool) -> Iterator[Figure]:
    """proxyctl beside the official library (a loop, 16 threads) and curl under xargs."""
    count = 100 if quick else 200
    others: dict[str, Peer] = {
        "library, a loop": library(1),
        f"library, {AT_ONCE} threads": library(AT_ONCE),
    }
    if shutil.which("curl") and shutil.which("xargs"):
        others[f"curl, xargs -P {AT_ONCE}"] = curl
    unpaced = {
        f"proxyctl, {AT_ONCE} at a time": proxyctl("--rate", "0", "--concurrency", str(AT_ONCE)),
        **others,
    }
    yield from race(Settings(count, latency=0.08), unpaced, f"{count} reserves, no limit")
    count = 200 if quick else 400
    paced = {"proxyctl": proxyctl(), **others}
    yield from race(Settings(count, latency=0.08, window=True), paced, f"{count} reserves, window")
