"""The stage that most cases play on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.battery.scene import Scene, scene


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Scene]:
    """One Service, an empty pool, 40 numbers; time passes a hundred times as fast."""
    with scene(tmp_path) as ready:
        yield ready
