"""What every command costs before it does anything: whole processes against `python -c pass`, and one call against a
bare script with typer and httpx that makes the same call and loads no certificates either.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator, Sequence

from tests.benchmarks.bare_server import Settings
from tests.benchmarks.figures import Figure, Target, at_most
from tests.benchmarks.stage import Ended, Program, credentials, program, run, server

TAB = {"_PROXYCTL_COMPLETE": "complete_bash", "COMP_WORDS": "proxyctl number res", "COMP_CWORD": "2"}
# The slowest: Typer has to make the command with all its options.
TAB_IN_COMMAND = {**TAB, "COMP_WORDS": "proxyctl number reserve --dead", "COMP_CWORD": "3"}
BARE = """
import json, os, httpx, typer
def main(path: str) -> None:
    auth = (os.environ["TWILIO_ACCOUNT_SID"], os.environ["TWILIO_AUTH_TOKEN"])
    with httpx.Client(trust_env=False, verify=False, auth=auth) as client:
        answer = client.get(os.environ["PROXYCTL_BASE_URL"] + path, params={"PageSize": 100})
        answer.raise_for_status()
        print(json.dumps(answer.json()["services"], indent=2))
typer.run(main)
"""
SLOWEST_START, SLOWEST_CALL, MOST_MEMORY = 8.0, 1.2, 45.0


def startup(quick: bool) -> Iterator[Figure]:
    """--version, a TAB and one call, each as a process of its own, in turns."""
    python, ours = [sys.executable], [sys.executable, "-m", "proxyctl"]
    with server(Settings(1)) as running, program(running.url) as proxyctl:
        commands = {
            "pass": ([*python, "-c", "pass"], {}),
            "--version": ([*ours, "--version"], {}),
            "a TAB": (ours, TAB),
            "a TAB in a command": (ours, TAB_IN_COMMAND),
            "help of a command": ([*ours, "number", "reserve", "-h"], {}),
            "bare": ([*python, "-c", BARE, "/v1/Services"], credentials(running.url)),
            "service list -o json": ([*ours, "service", "list", "-o", "json"], {}),
        }
        ends: dict[str, list[Ended]] = {name: [] for name in commands}
        for _ in range(7 if quick else 31):
            for name, (command, environ) in commands.items():
                ends[name].append(ended(command, proxyctl, environ))
    times = {name: statistics.median(one.seconds for one in runs) for name, runs in ends.items()}
    for name in ("--version", "a TAB", "a TAB in a command", "help of a command"):
        target = None if name.startswith("help") else at_most(SLOWEST_START)
        yield figure(name, times, "pass", target)
    yield figure("bare", times, "pass", None)
    yield figure("service list -o json", times, "bare", at_most(SLOWEST_CALL))
    peak = statistics.median(one.peak for one in ends["service list -o json"])
    yield Figure(
        "start: memory of one call",
        f"{peak:.1f} MB",
        f"{MOST_MEMORY:.0f} MB",
        peak / MOST_MEMORY,
        at_most(1.0),
    )


def ended(command: Sequence[str], proxyctl: Program, environ: dict[str, str]) -> Ended:
    """Run one process, which must succeed and print something if it is to."""
    found = run(command, {**proxyctl.environ, **environ}, keep=True)
    if found.code != 0 or (command[-1] != "pass" and not found.out):
        raise RuntimeError(f"{command} ended with {found.code}: {found.err}")
    return found


def figure(name: str, times: dict[str, float], other: str, target: Target | None) -> Figure:
    """Compare two medians."""
    against = "python -c pass" if other == "pass" else "a bare script"
    return Figure(
        f"start: {'the bare script' if name == 'bare' else name}",
        f"{times[name] * 1e3:.0f} ms",
        f"{times[other] * 1e3:.0f} ms",
        times[name] / times[other],
        target,
        f"against {against}",
    )
