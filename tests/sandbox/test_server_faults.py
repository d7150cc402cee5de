"""The limits and the faults over the wire: what the caller sees, and what the ledger knows."""

from __future__ import annotations

import contextlib
import http.client
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any

import pytest

from proxyctl.sandbox.behaviour import Sandbox
from proxyctl.sandbox.server.faults import FaultPlan, Scripted
from proxyctl.sandbox.server.policies import Policies
from proxyctl.sandbox.server.rate_limit import ConcurrencyLimit, SlidingWindow
from proxyctl.sandbox.world.seed import seed_numbers
from proxyctl.sandbox.world.store import Store
from tests.sandbox.serving import Client, Served, ask, problem, raw, served

Running = tuple[Served, Client]


@contextlib.contextmanager
def running(store: Store, policies: Policies) -> Iterator[Running]:
    """A server with these policies, and a client of it."""
    with (
        served(Sandbox(store), policies=policies) as server,
        contextlib.closing(Client(server.port)) as client,
    ):
        yield server, client


def faulty(store: Store, name: str | None, **script: Any) -> AbstractContextManager[Running]:
    """The same, where requests go wrong by a script of one line."""
    return running(store, Policies(faults=FaultPlan(script=[Scripted(name, **script)], hold=0.1)))


def test_the_rate_limit_refuses_without_effect(store: Store) -> None:
    policies = Policies(window=SlidingWindow(seconds=60.0, burst=3), retry_after="3")
    with running(store, policies) as (server, client):
        statuses = [client("POST", "/v1/Services", UniqueName=f"s{n}")[0] for n in range(5)]
        assert statuses == [201, 201, 201, 429, 429]
        status, body, headers = client("POST", "/v1/Services", UniqueName="x")
        assert (status, body["code"], headers["Retry-After"]) == (429, 80621, "3")
        assert headers["Twilio-Request-Duration"] == "0.000"
        assert len(client("GET", "/v1/Services")[1]["services"]) == 3
        assert len(server.ledger.effects) == 3


def test_who_is_nobody_uses_up_no_rate(store: Store) -> None:
    nobody = ask("GET /v1/Services").replace(b"Basic ", b"Basic x")
    with running(store, Policies(window=SlidingWindow(seconds=60.0, burst=1))) as (server, client):
        assert [problem(raw(server.port, nobody)) for _ in range(3)] == [(401, 20003)] * 3
        assert [client("GET", "/v1/Services")[0] for _ in range(2)] == [200, 429]


def test_the_hidden_concurrency_limit(store: Store) -> None:
    policies = Policies(concurrency=ConcurrencyLimit(2), latency=0.1)
    with served(Sandbox(store), policies=policies) as server:

        def one(number: int) -> tuple[int, int | None]:
            client = Client(server.port)
            status, body, _ = client("POST", "/v1/Services", UniqueName=f"s{number}")
            client.close()
            return status, body.get("code")

        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(one, range(6)))
        assert set(answers) == {(201, None), (429, 20429)}
        assert policies.concurrency.most == 2
        assert len(server.ledger.effects) == answers.count((201, None))
        policies.concurrency.ceiling = 0
        assert one(99) == (429, 20429)


@pytest.mark.parametrize("when", ["", "-after"])
@pytest.mark.parametrize("name", ["reset", "close", "timeout"])
def test_broken_connections(store: Store, name: str, when: str) -> None:
    with faulty(store, name + when, method="POST") as (server, client):
        with pytest.raises((ConnectionResetError, http.client.RemoteDisconnected)):
            client("POST", "/v1/Services", UniqueName="a")
        client.close()
        assert [entry.status for entry in server.ledger.entries] == ([201] if when else [None])
        assert server.ledger.entries[0].sent is None
        assert server.ledger.entries[0].fault == name + when
        assert len(client("GET", "/v1/Services")[1]["services"]) == bool(when)


def test_a_reset_is_a_reset(store: Store) -> None:
    with (
        faulty(store, "reset") as (server, _),
        socket.create_connection(("127.0.0.1", server.port), timeout=30) as sock,
    ):
        sock.sendall(ask("GET /v1/Services"))
        with pytest.raises(ConnectionResetError):
            sock.recv(1)


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        *(
            ("401", 401, 20003),
            ("403", 403, 20403),
            ("404", 404, 20404),
            ("503", 503, 20503),
            ("504", 504, 20504),
        ),
        *(("500", 500, 20500), ("500-after", 500, 20500), ("html", 502, None)),
        ("429", 429, 20429),  # what comes at random in the wild; 80621 comes from the rate limit alone
    ],
)
def test_other_answers(store: Store, name: str, status: int, code: int | None) -> None:
    with faulty(store, name, method="POST") as (server, _):
        answer = raw(server.port, ask("POST /v1/Services", body="UniqueName=a"))
        assert answer.startswith(f"HTTP/1.1 {status} ".encode())
        if code is None:
            assert b"text/html" in answer
        else:
            assert problem(answer) == (status, code)
        assert len(server.ledger.effects) == name.endswith("-after")


def test_a_truncated_answer(store: Store) -> None:
    with faulty(store, "truncate", method="POST") as (server, client):
        with pytest.raises(http.client.IncompleteRead):
            client("POST", "/v1/Services", UniqueName="a")
        client.close()
        assert len(server.ledger.effects) == 1


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("empty", b""),
        ("garbage-object", b"{}"),
        ("garbage-null", b"null"),
        ("garbage-list", b"[]"),
        ("garbage-nan", b"NaN"),
    ],
)
def test_garbage_for_an_answer(store: Store, name: str, body: bytes) -> None:
    with faulty(store, name, method="POST") as (server, _):
        answer = raw(server.port, ask("POST /v1/Services", body="UniqueName=a"))
        assert answer.startswith(b"HTTP/1.1 201 ")
        assert answer.partition(b"\r\n\r\n")[2] == body
        assert server.ledger.effects[0].sent == 201


def test_a_204_has_no_body_to_spoil(store: Store) -> None:
    with faulty(store, "garbage", method="DELETE") as (_, client):
        sid = client("POST", "/v1/Services", UniqueName="a")[1]["sid"]
        assert client("DELETE", f"/v1/Services/{sid}")[:2] == (204, None)


def test_another_actor_may_come_between(store: Store) -> None:
    (number,) = seed_numbers(store, 1)
    with faulty(store, None, method="POST", path="PhoneNumbers", action=store.reset) as (_, client):
        sid = client("POST", "/v1/Services", UniqueName="a")[1]["sid"]
        assert client("POST", f"/v1/Services/{sid}/PhoneNumbers", Sid=number["sid"])[0] == 404
