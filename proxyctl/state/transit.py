"""Runs that may have left numbers between two pools: a small file for each, from before its first departure until no
number is in transit any more. Which numbers these are, its record in the history says.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from proxyctl.files import open_private, refuse_foreign, state_directory, write_new, writing
from proxyctl.identifiers import checked_sid


class Transit(NamedTuple):
    """A run, the Services that it concerns, and its command as it was typed.

    ``attaches``: how many numbers it puts into a Messaging Service, where it does only that.
    """

    run: str
    services: tuple[str, ...]
    command: str
    attaches: int = 0


class Transits:
    """The files of one account in ``directory``, which is made with the first."""

    def __init__(self, directory: Path, account_sid: str) -> None:
        self._directory = directory
        self._account_sid = account_sid

    def begin(self, transit: Transit) -> None:
        """Keep that numbers may be in transit from now on. OutputError: it can't be written."""
        path = self._path(transit.run)
        with writing(path):
            state_directory(self._directory)
            write_new(path, json.dumps(transit._asdict()).encode())

    def end(self, run: str) -> None:
        """Forget a run: none of its numbers is in transit."""
        path = self._path(run)
        with writing(path):
            path.unlink(missing_ok=True)

    def of(self, service_sids: Collection[str | None]) -> list[Transit]:
        """Return the runs that concern one of these Services, the oldest first; a torn file is left out: its run had
        sent nothing. StateError: the directory is not ours.
        """
        refuse_foreign(self._directory)
        found = (read(path) for path in sorted(self._directory.glob(f"{self._account_sid}-*.json")))
        return [one for one in found if one is not None and set(one.services) & set(service_sids)]

    def _path(self, run: str) -> Path:
        return self._directory / f"{checked_sid(self._account_sid)}-{run}.json"


def read(path: Path) -> Transit | None:
    """Read one file; None where it is torn, damaged or not ours to read."""
    try:
        with open(open_private(path, os.O_RDONLY), "rb") as file:
            facts = json.load(file)
        return Transit(
            str(facts["run"]), tuple(facts["services"]), str(facts["command"]), int(facts["attaches"])
        )
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
