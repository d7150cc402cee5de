"""Threads and files where the machine grants few of either: a run goes on with what it has."""

from __future__ import annotations

import resource
import threading
from collections.abc import Callable
from pathlib import Path

RESERVED_FILES = 32  # for what else a run opens: history, modules, certificates


def hire(work: Callable[[], None], name: str) -> threading.Thread | None:
    """Start a thread that does ``work``; None where no more can be started.

    It is a daemon: a process that was told to end does not wait for answers (so no ThreadPoolExecutor is used).
    """
    thread = threading.Thread(target=work, name=name, daemon=True)
    try:
        thread.start()
    except (RuntimeError, MemoryError):
        return None
    return thread


def affordable_ceiling(ceiling: int) -> int:
    """Return how many of ``ceiling`` requests can be under way with the files that may still be opened, at least 1."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit == resource.RLIM_INFINITY:
        return ceiling
    try:
        opened = sum(1 for _ in Path("/dev/fd").iterdir())
    except OSError:
        opened = RESERVED_FILES
    return max(1, min(ceiling, limit - opened - RESERVED_FILES))
