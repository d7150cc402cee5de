"""What a workload tells: figures with their targets, medians of several runs, and the table of them."""

from __future__ import annotations

import os
import resource
import statistics
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tests.benchmarks.bare_server import Ledger


@dataclass(frozen=True)
class Target:
    """A ratio at most (or at least) so much."""

    value: float
    at_most: bool = True
    percent: bool = False

    def reached(self, ratio: float) -> bool:
        return ratio <= self.value if self.at_most else ratio >= self.value

    def __str__(self) -> str:
        return f"{'<=' if self.at_most else '>='} {shown(self.value, self.percent)}"


def at_most(value: float, *, percent: bool = False) -> Target:
    return Target(value, True, percent)


def at_least(value: float) -> Target:
    return Target(value, False)


def shown(ratio: float, percent: bool = False) -> str:
    return f"{ratio:.2%}" if percent else f"{ratio:.3f}" if ratio < 10 else f"{ratio:.1f}"


@dataclass(frozen=True)
class Figure:
    """One row: ``ratio`` is what the target is about; ``others`` the share of the processors that others used."""

    workload: str
    measured: str
    bound: str = ""
    ratio: float | None = None
    target: Target | None = None
    traffic: str = ""
    others: float | None = None
    spread: str = ""

    @property
    def missed(self) -> bool:
        return self.target is not None and self.ratio is not None and not self.target.reached(self.ratio)

    def cells(self) -> tuple[str, ...]:
        """Text for each column."""
        percent = self.target is not None and self.target.percent
        return (
            self.workload,
            self.measured,
            self.bound,
            ("" if self.ratio is None else shown(self.ratio, percent)) + self.spread,
            "" if self.target is None else f"{self.target}{' !' if self.missed else ''}",
            self.traffic,
            "" if self.others is None else f"{self.others:.0%}",
        )


HEADER = ("workload", "measured", "bound", "ratio", "to reach", "requests", "others")
WIDTHS = (47, 21, 9, 21, 10, 30, 6)


def line(cells: Sequence[str]) -> str:
    """A line of the table; a cell that is too long pushes the rest aside."""
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=True)).rstrip()


def traffic(ledger: Ledger) -> str:
    """What was sent, and what of it turned away."""
    return f"{ledger.requests:,}, {ledger.refused:,} × 429"


def medians(runs: Sequence[Sequence[Figure]]) -> Iterator[Figure]:
    """Of each figure the run in the middle, with the ends of the spread."""
    for figures in zip(*runs, strict=True):
        ratios = [figure.ratio for figure in figures if figure.ratio is not None]
        if len(ratios) < 2 or len(ratios) < len(figures):
            yield figures[-1]
            continue
        middle = statistics.median_low(ratios)
        percent = figures[0].target is not None and figures[0].target.percent
        spread = f" ({shown(min(ratios), percent)}-{shown(max(ratios), percent)})"
        yield replace(next(figure for figure in figures if figure.ratio == middle), spread=spread)


class Noise:
    """How much of the processors other programs use, between its making and `share`."""

    def __init__(self) -> None:
        self._busy, self._own, self._at = _busy(), _own(), time.monotonic()

    def share(self) -> float | None:
        """Of all processors, from 0 to 1; None where the system does not tell."""
        busy = _busy()
        if busy is None or self._busy is None:
            return None
        whole = (time.monotonic() - self._at) * (os.cpu_count() or 1)
        return max(0.0, (busy - self._busy) - (_own() - self._own)) / whole


def _busy() -> float | None:
    """Seconds that all processors have been busy since the system started."""
    path = Path("/proc/stat")
    if sys.platform != "linux" or not path.exists():
        return None
    ticks = [int(text) for text in path.read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")


def _own() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def table(figures: Iterable[Figure]) -> Iterator[str]:
    for figure in figures:
        yield line(figure.cells())
