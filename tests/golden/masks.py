"""The short names of golden files: of what differs from run to run, and of numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from proxyctl.sandbox.behaviour import ACCOUNT_SID

MASKS = (
    (r"\b([A-Z]{2})0{26}(\d{6})\b", lambda found: f"{found[1]}{int(found[2])}"),
    (re.escape(ACCOUNT_SID), "AC1"),
    (r"\bRQ[0-9a-f]{32}\b", "RQ…"),
    (r"\bpid \d+ on \S+", "pid PID on HOST"),
    (r"\b\d+ ms\b", "MS ms"),
    (r" by \S+@\S+ \(", " by USER@HOST ("),
    (r"(?<=faint )\S+@\S+, ", "USER@HOST, "),
    # How long pauses are is drawn by lot, and so is whether there is a speed to tell.
    (
        r" in [0-9hm.]+s( \([0-9.]+/s(, (?=.)|\)))?",
        lambda found: f" in TIME{' (' if found[2] == ', ' else ''}",
    ),
)


def made_sid(prefix: str, number: int) -> str:
    return f"{prefix}{number:032d}"


def indices(text: str) -> Iterator[int]:
    """Read ``1-3,7``."""
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)
