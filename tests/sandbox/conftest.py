"""Fixtures: a sandbox's store, who asks it directly, the running server, and a client on one connection."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from proxyctl.sandbox.behaviour import Sandbox
from proxyctl.sandbox.world.store import Store
from tests.sandbox.asking import Ask
from tests.sandbox.serving import Client, Served, served


@pytest.fixture
def store() -> Iterator[Store]:
    with Store(":memory:") as store:
        yield store


@pytest.fixture
def ask(store: Store) -> Ask:
    return Ask(store)


@pytest.fixture
def server(store: Store) -> Iterator[Served]:
    with served(Sandbox(store)) as running:
        yield running


@pytest.fixture
def call(server: Served) -> Iterator[Client]:
    client = Client(server.port)
    yield client
    client.close()
