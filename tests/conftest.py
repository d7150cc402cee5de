"""Fixtures that all tests share."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from proxyctl.sandbox.behaviour import ACCOUNT_SID, AUTH_TOKEN, Sandbox
from proxyctl.sandbox.world.store import Store
from tests.sandbox.serving import served
from tests.support import Cli

# Under nohup or a daemon some signals are ignored, and what is ignored at the start proxyctl leaves ignored: the
# tests that send them start from the usual state.
for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)

# How long an example takes says how busy the machine is.
settings.register_profile("proxyctl", deadline=None)
settings.load_profile("proxyctl")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: many tests wait, for a server or for a signal."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture
def bare(tmp_path: Path) -> Cli:
    """The program without any credentials."""
    return Cli(tmp_path)


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """The program on the in-process sandbox, which is empty."""
    return Cli(tmp_path, {"PROXYCTL_PROFILE": "sandbox"})


@pytest.fixture(params=["in process", "served"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cli]:
    """The program on an empty sandbox, in process and over HTTP: the answers have to be the same."""
    if request.param == "in process":
        yield Cli(tmp_path, {"PROXYCTL_PROFILE": "sandbox"})
        return
    (tmp_path / "state").mkdir(mode=0o700)
    with Store(tmp_path / "state" / "sandbox.db") as store, served(Sandbox(store)) as server:
        yield Cli(
            tmp_path,
            {
                "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
                "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
                "PROXYCTL_BASE_URL": server.url,
            },
        )
