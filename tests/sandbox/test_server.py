"""The sandbox's server on real sockets: HTTP as clients use it, addresses, start and stop."""

from __future__ import annotations

import json
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from proxyctl.errors import UsageError
from proxyctl.sandbox.behaviour import Sandbox
from proxyctl.sandbox.server.faults import FaultPlan, Scripted
from proxyctl.sandbox.server.policies import Policies
from proxyctl.sandbox.server.server import Server
from proxyctl.sandbox.world.store import Store
from tests.sandbox.serving import BASIC, Client, Served, ask, problem, raw, served, wait_for


def test_a_service_over_keep_alive(call: Client) -> None:
    status, created, headers = call("POST", "/v1/Services", UniqueName="shop")
    assert status == 201
    assert re.fullmatch("RQ[0-9a-f]{32}", headers["Twilio-Request-Id"])
    assert headers["Twilio-Concurrent-Requests"] == "1"
    sock = call.http.sock
    assert call("GET", f"/v1/Services/{created['sid']}")[:2] == (200, created)
    assert call("DELETE", f"/v1/Services/{created['sid']}")[:2] == (204, None)
    assert call("GET", f"/v1/Services/{created['sid']}")[0] == 404
    assert call.http.sock is sock


def test_urls_are_built_on_the_host_that_was_asked(server: Served) -> None:
    for host in ("localhost:81", "127.1.2.3", "[::1]:9"):
        answer = raw(server.port, ask("GET /v1/Services", host=host))
        body = json.loads(answer.partition(b"\r\n\r\n")[2])
        assert body["meta"]["url"].startswith(f"http://{host}/v1/Services?")


def test_pipelined_requests_are_answered_in_order(server: Served) -> None:
    three = ask("GET /v1/Services") + ask("POST /v1/Services", body="UniqueName=a") + ask("GET /v1/Services")
    pipeline = three.replace(b"Connection: close\r\n", b"") + ask("GET /v1/none")
    answer = raw(server.port, pipeline)
    assert re.findall(rb"HTTP/1.1 (\d+) ", answer) == [b"200", b"201", b"200", b"404"]


def test_head_is_get_without_the_body(server: Served) -> None:
    head, get = (raw(server.port, ask(f"{method} /v1/Services")) for method in ("HEAD", "GET"))
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert head.endswith(b"\r\n\r\n")
    length = re.search(rb"Content-Length: (\d+)", get)
    assert length is not None and length[0] in head


@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW", "get"])
def test_other_methods_are_refused(server: Served, method: str) -> None:
    assert problem(raw(server.port, ask(f"{method} /v1/Services"))) == (405, 20004)


def test_http_1_0_is_answered_and_closed(server: Served) -> None:
    answer = raw(server.port, f"GET /v1/Services HTTP/1.0\r\nAuthorization: {BASIC}\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert f"http://127.0.0.1:{server.port}/v1/Services".encode() in answer


def test_a_client_may_wait_for_100_continue(server: Served) -> None:
    head = ask("POST /v1/Services", "Expect: 100-continue", body="UniqueName=a").removesuffix(b"UniqueName=a")
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as sock:
        sock.sendall(head)
        assert sock.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b"UniqueName=a")
        assert sock.recv(4000).startswith(b"HTTP/1.1 201 ")


def test_chunked_bodies_are_read(server: Served) -> None:
    head = ask("POST /v1/Services", "Transfer-Encoding: chunked")
    answer = raw(server.port, head + b"7\r\nUniqueN\r\n5\r\name=a\r\n0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 201 ")
    assert server.ledger.effects[0].form == (("UniqueName", "a"),)


@pytest.mark.parametrize("sent", ["http://localhost:1/v1/Services?PageSize=3", "/v1/Services?PageSize=3"])
def test_a_target_may_be_absolute(server: Served, sent: str) -> None:
    assert b'"page_size": 3' in raw(server.port, ask(f"GET {sent}"))


def test_the_log_has_a_line_for_each_request(server: Served, call: Client) -> None:
    call("POST", "/v1/Services", UniqueName="secret-name")
    call("GET", "/v1/Services?PageSize=1")
    lines = server.log.getvalue().splitlines()
    assert re.fullmatch(r"POST /v1/Services 201 \d+\.\d ms", lines[0])
    assert re.fullmatch(r"GET /v1/Services\?PageSize=1 200 \d+\.\d ms", lines[1])
    assert "secret" not in server.log.getvalue()


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.1.1", "example.com", "", "127.0.0.1.evil.com", "::ffff:1.2.3.4"]
)
def test_only_loopback_is_served(store: Store, host: str) -> None:
    with pytest.raises(UsageError, match="no loopback address"):
        Server(Sandbox(store), host, 0)


@pytest.mark.parametrize(
    ("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("LOCALHOST", "127.0.0.1"), ("127.8.8.8", "127.8.8.8")]
)
def test_loopback_addresses(store: Store, host: str, shown: str) -> None:
    with served(Sandbox(store), host=host) as server:
        assert server.url == f"http://{shown}:{server.port}"
        with socket.create_connection((shown, server.port), timeout=30) as sock:
            sock.sendall(b"BAD\r\n\r\n")
            assert sock.recv(20).startswith(b"HTTP/1.1 400 ")


def test_ipv6_loopback(store: Store) -> None:
    if not socket.has_ipv6 or not Path("/proc/net/if_inet6").exists():
        with pytest.raises(UsageError):
            Server(Sandbox(store), "::1", 0)
        return
    with served(Sandbox(store), host="::1") as server:
        assert server.url == f"http://[::1]:{server.port}"
        with socket.create_connection(("::1", server.port), timeout=30) as sock:
            sock.sendall(b"BAD\r\n\r\n")
            assert sock.recv(20).startswith(b"HTTP/1.1 400 ")


def test_a_port_that_is_taken_names_a_way_out(store: Store, server: Served) -> None:
    with pytest.raises(UsageError, match=f"port {server.port} of 127.0.0.1: it is taken") as caught:
        Server(Sandbox(store), "127.0.0.1", server.port)
    assert caught.value.hint is not None
    assert "--port 0" in caught.value.hint


@pytest.mark.parametrize("port", [-1, 65536, 10**9])
def test_an_impossible_port_is_a_usage_error(store: Store, port: int) -> None:
    with pytest.raises(UsageError, match="can't listen on port"):
        Server(Sandbox(store), "127.0.0.1", port)


def test_a_stopped_server_gives_its_port_back_at_once(store: Store) -> None:
    with served(Sandbox(store)) as first:
        client = Client(first.port)
        assert client("GET", "/v1/Services")[0] == 200
    with served(Sandbox(store), port=first.port) as second:
        assert second.port == first.port
    client.close()


def test_stop_waits_for_no_client(store: Store) -> None:
    policies = Policies(faults=FaultPlan(script=[Scripted("timeout-after", path="/hold", times=None)]))
    with served(Sandbox(store), policies=policies) as server:
        sockets = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(30)]
        for sock in sockets[:10]:
            sock.sendall(b"GET /half")
        for sock in sockets[10:20]:
            sock.sendall(ask("GET /hold"))
        wait_for(lambda: len(server.ledger.entries) == 10)
    for sock in sockets:
        sock.close()


def test_what_is_under_way_is_answered_before_the_stop(store: Store) -> None:
    policies = Policies(latency=30.0)
    with served(Sandbox(store), policies=policies) as server:
        client = Client(server.port)
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(client, "POST", "/v1/Services", UniqueName="late")
            wait_for(lambda: policies.concurrency.running == 1)
            server.server.stop()
            status, _, headers = answer.result()
        assert (status, headers["Connection"]) == (201, "close")
        client.close()
