"""An empty history, and the clock that it goes by."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxyctl.state.history import History
from tests.support import StandingClock


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
def history(tmp_path: Path, clock: StandingClock) -> History:
    return History(tmp_path / "state" / "history", clock=clock)
