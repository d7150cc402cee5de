"""The sandbox's own requests, on the port of the emulated API."""

from __future__ import annotations

import contextlib
import http.client
import json
import time
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from proxyctl.sandbox.behaviour import AUTH_TOKEN, Sandbox
from proxyctl.sandbox.server.policies import Policies
from proxyctl.sandbox.server.rate_limit import ConcurrencyLimit, SlidingWindow
from proxyctl.sandbox.world.store import Store
from tests.sandbox.asking import basic
from tests.sandbox.serving import BASIC, Client, Served, problem, raw, served

Control = Callable[..., tuple[int, Any]]
SUB = "AC" + "b" * 32


@pytest.fixture
def strict(store: Store) -> Iterator[Served]:
    """A server whose limits nothing passes."""
    policies = Policies(window=SlidingWindow(burst=0), concurrency=ConcurrencyLimit(0))
    with Store(":memory:") as other, served(Sandbox(store, also={SUB: other}), policies=policies) as server:
        yield server


@pytest.fixture
def control(strict: Served) -> Iterator[Control]:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", strict.port, timeout=60)) as connection:

        def send(line: str, body: Any = None, authorization: str = BASIC) -> tuple[int, Any]:
            method, name = line.split()
            sent = body if body is None or isinstance(body, str) else json.dumps(body)
            connection.request(method, f"/_sandbox/{name}", sent, {"Authorization": authorization})
            answer = connection.getresponse()
            assert answer.headers["Date"]
            return answer.status, json.loads(answer.read())

        yield send


def test_health_needs_no_credentials_and_meets_no_limit(strict: Served) -> None:
    answer = raw(
        strict.port, b"GET /_sandbox/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n") and answer.endswith(b'{"status": "ok"}')
    nobody = b"POST /_sandbox/reset HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    assert problem(raw(strict.port, nobody)) == (401, 20003)


def test_seed_and_reset_do_as_the_commands(control: Control) -> None:
    numbers = control("POST seed", {"numbers": 2, "country": "GB", "seed": 7})[1]["numbers"]
    assert [number["iso_country"] for number in numbers] == ["GB", "GB"]
    assert len(control("POST seed")[1]["numbers"]) == 10
    assert control("POST reset", {})[1]["numbers"] == 0
    assert any(row["service_sid"] for row in control("POST seed", {"scenario": "fleet"})[1]["numbers"])
    assert control("POST seed", {"scenario": "fleet"})[0] == 400
    sub = basic(SUB, AUTH_TOKEN)["authorization"]
    assert control("POST reset", authorization=sub)[1]["services"] == 0
    assert control("POST seed", {"numbers": 0})[1] == {"numbers": []}


@pytest.mark.parametrize(
    ("line", "body", "words"),
    [
        ("POST seed", "nonsense", "JSON object"),
        ("POST seed", "[" * 100_000, "JSON object"),
        ("POST seed", [], "JSON object"),
        ("POST seed", {"number": 1}, "Known fields: numbers, country"),
        ("POST seed", {"numbers": "1"}, "whole number"),
        ("POST seed", {"numbers": True}, "whole number"),
        ("POST seed", {"numbers": -1}, "from 0 to"),
        ("POST seed", {"country": "XX"}, "It knows"),
        ("POST seed", {"numbers": 1, "scenario": "agency"}, "does not go with"),
        ("POST reset", {"x": 1}, "Known fields: none"),
        ("POST clock", {"to": "+x"}, "no time to move to. Write +90s"),
        ("POST clock", {"to": "+1e400d"}, "no time to move to"),
        (
            "POST clock",
            {"to": "9999-12-31T23:59:58Z"},
            "Years are from 1970",
        ),  # a date that can't be shown follows
        ("POST clock", {"to": "0001-01-01T00:00:00Z"}, "Years are from 1970"),
        ("POST clock", {"to": 3}, "has to be text"),
        ("POST faults", {"foo": 0.1}, "unknown fault"),
        ("POST faults", {"500": 2}, "from 0 to 1"),
        ("POST faults", {"500": [1]}, "from 0 to 1"),
        ("POST faults", {"500": 0.6, "429": 0.6}, "above 1"),
    ],
)
def test_what_the_commands_refuse_is_refused(control: Control, line: str, body: Any, words: str) -> None:
    status, answer = control(line, body)
    assert status == 400 and words in answer["message"]


def test_the_clock_moves_for_dates_and_expiry_alike(control: Control, strict: Served) -> None:
    strict.policies.window, strict.policies.concurrency.ceiling = None, None
    client = Client(strict.port)
    path = client("POST", "/v1/Services", UniqueName="a")[1]["links"]["sessions"].partition("1:")[2]
    path = "/" + path.partition("/")[2]
    assert client("POST", path, Ttl="3600")[0] == 201
    assert control("POST clock", {"to": "+2h"})[1]["offset"] == 7200
    _, body, headers = client("GET", path)
    assert body["sessions"][0]["status"] == "closed"
    ahead = parsedate_to_datetime(headers["Date"]).timestamp() - time.time()
    assert 7190 < ahead < 7210
    assert control("POST clock", {"to": "reset"})[1]["offset"] == 0
    assert client("GET", path)[1]["sessions"][0]["status"] == "closed"
    client.close()


@pytest.mark.parametrize("line", ["GET reset", "POST health", "GET nothing", "POST seed/x"])
def test_other_paths_and_methods_are_not_there(control: Control, line: str) -> None:
    assert control(line)[0] == 404


def test_faults_come_and_go_and_requests_are_listed(control: Control, strict: Served) -> None:
    strict.policies.window, strict.policies.concurrency.ceiling = None, None
    client = Client(strict.port)
    assert control("POST faults", {"500": 1})[1] == {"faults": {"500": 1.0}}
    assert client("GET", "/v1/Services?PageSize=1")[0] == 500
    assert control("POST faults", {"close": 1.0})[0] == 200
    with pytest.raises(http.client.RemoteDisconnected):
        client("DELETE", "/v1/Services")
    assert control("POST faults", {})[1] == {"faults": {}}
    assert client("GET", "/v1/Services")[0] == 200
    client.close()
    seen = control("GET requests")[1]["requests"]
    assert [(one["method"], one["path"], one["status"], one["fault"]) for one in seen] == [
        ("GET", "/v1/Services", 500, "500"),
        ("DELETE", "/v1/Services", None, "close"),
        ("GET", "/v1/Services", 200, None),
    ]
    assert all(one["milliseconds"] >= 0 and one["date"].endswith("Z") for one in seen)
