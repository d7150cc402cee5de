"""The config file as a set of profiles and settings: read on first use, checked, and replaced whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


class ProfileStore:
    """Profiles and settings of one config file, which need not exist."""

    def __init__(self, path: Path | Callable[[], Path]) -> None:
        self._path = path

    @property
    def path(self) -> Path:
        raise NotImplementedError

    def profiles(self) -> dict[str, Mapping[str, Any]]:
        raise NotImplementedError

    def default_profile(self) -> str | None:
        raise NotImplementedError

    def default_output(self) -> str | None:
        raise NotImplementedError
