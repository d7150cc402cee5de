"""Proxies of the environment: what goes through them, what never does, and what they get to know."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from proxyctl.api import wire
from proxyctl.api.endpoint import Endpoint
from proxyctl.api.resources import Call
from proxyctl.errors import NetworkError
from tests.api.stubs import answering, client_of, http, raw_server, read_request

pytestmark = pytest.mark.usefixtures("no_proxies")
LIST = Call("GET", "/v1/Services")
CREATE = Call("POST", "/v1/Services", data=(("UniqueName", "a"),))
OK = http(b'{"sid": "KS1"}')


def _refusing_proxy(seen: list[bytes]) -> Callable[[socket.socket], None]:
    def handle(connection: socket.socket) -> None:
        seen.append(read_request(connection))
        connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    return handle


def test_a_loopback_server_is_never_reached_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []
    with raw_server(_refusing_proxy(seen)) as proxy, raw_server(answering(OK)) as port:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy}")
        with client_of(port) as client:
            assert client.send(LIST).status == 200
    assert seen == []


def test_a_proxy_is_asked_to_connect_and_gets_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []
    with raw_server(_refusing_proxy(seen)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://who:pass@127.0.0.1:{proxy}")
        monkeypatch.setenv("NO_PROXY", "api.twilio.com")
        with (
            client_of(Endpoint.twilio(), timeout=5) as client,
            pytest.raises(NetworkError, match="HTTPS_PROXY") as caught,
        ):
            client.send(CREATE)
    assert len(seen) == 1
    assert seen[0].startswith(b"CONNECT proxy.twilio.com:443 ")
    assert b"\r\nauthorization" not in seen[0].lower()
    assert b"Proxy-Authorization: Basic d2hvOnBhc3M=" in seen[0]
    assert not caught.value.may_have_happened
    assert "pass" not in caught.value.message
    assert wire.proxy_for("api.twilio.com") is None
    assert wire.proxy_for("proxy.twilio.com") is not None


@pytest.mark.parametrize(
    "text", ["socks5://who:hunter2@h", "http://who:hunter2@[", "ftp://hunter2", "http://"]
)
def test_a_proxy_that_cannot_be_used_is_not_echoed(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", text)
    with pytest.raises(NetworkError, match="HTTPS_PROXY") as caught:
        wire.proxy_for("proxy.twilio.com")
    assert "hunter2" not in caught.value.message
    assert not caught.value.repeatable
