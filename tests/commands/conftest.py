"""A sandbox over HTTP beside the program: what was asked of it is in its ledger, and it can be made to fail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from proxyctl.sandbox.behaviour import ACCOUNT_SID, AUTH_TOKEN, Sandbox
from proxyctl.sandbox.world.store import Store
from tests.commands.doctor_support import STARTUP_VARIABLES
from tests.commands.profile_support import Home
from tests.sandbox.serving import Served, served
from tests.support import Cli


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """The database of ``server``, which is also that of the commands of `sandbox`."""
    (tmp_path / "state").mkdir(mode=0o700)
    with Store(tmp_path / "state" / "sandbox.db") as store:
        yield store


@pytest.fixture
def sandbox(store: Store) -> Sandbox:
    """What ``server`` serves."""
    return Sandbox(store)


@pytest.fixture
def server(sandbox: Sandbox) -> Iterator[Served]:
    """A sandbox without limits and faults, at first."""
    with served(sandbox) as server:
        yield server


@pytest.fixture
def remote(server: Served, tmp_path: Path) -> Cli:
    """The program, talking to ``server``."""
    environ = {
        "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
        "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
        "PROXYCTL_BASE_URL": server.url,
    }
    return Cli(tmp_path, environ)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """The program with a config file of its own."""
    return Home(tmp_path)


@pytest.fixture
def own_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The doctor looks at the process's own environment: let it see nothing of the user's."""
    for name in (*STARTUP_VARIABLES, "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
