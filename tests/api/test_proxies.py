"""Proxies of the environment: what goes through them, what never does, and what they get to know."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from proxyctl.api import environment
from proxyctl.api.endpoint import Endpoint
from proxyctl.api.resources import Call
from proxyctl.errors import NetworkError, ProxyctlError, UsageError
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
    assert environment.proxy_for("api.twilio.com") is None
    assert environment.proxy_for("proxy.twilio.com") is not None


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize(
    ("text", "said"),
    [("socks5://who:hunter2@h", "SOCKS"), ("SOCKS5h://who:hunter2@h:1080/", "h:1080 "),
     ("socks5://who:1/hunter2@h:1080", "SOCKS"), ("http://who:hunter2@[", "http://"),
     ("ftp://hunter2", "http://"), ("http://", "http://"),
     ("'http://who:hunter2@h:1'", "http://")],
)  # fmt: skip
def test_a_proxy_that_cannot_be_used_is_named_and_not_echoed(
    name: str, text: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, text)
    with pytest.raises(UsageError) as caught:
        environment.proxy_for("proxy.twilio.com")
    assert name in caught.value.message and said in caught.value.message
    assert "hunter2" not in f"{caught.value.message} {caught.value.hint}"
    monkeypatch.setenv("NO_PROXY", ".twilio.com")
    assert environment.proxy_for("proxy.twilio.com") is None


def failure(proxy: str, monkeypatch: pytest.MonkeyPatch, timeout: float = 5) -> ProxyctlError:
    """Return what a call to Twilio through this proxy raises."""
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with client_of(Endpoint.twilio(), timeout=timeout) as client, pytest.raises(ProxyctlError) as caught:
        client.send(CREATE)
    found = caught.value
    assert not found.may_have_happened
    assert "hunter2" not in f"{found.message} {found.hint}"
    assert "HTTPS_PROXY" in found.message
    return found


def test_a_proxy_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    found = failure(f"http://who:hunter2@127.0.0.1:{port}", monkeypatch)
    assert f"the proxy 127.0.0.1:{port} (HTTPS_PROXY) refused the connection" in found.message
    assert isinstance(found, NetworkError) and found.repeatable


def test_a_proxy_that_has_no_address_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    found = failure("http://who:hunter2@proxy.invalid:3128", monkeypatch)
    assert "the name of the proxy proxy.invalid:3128 (HTTPS_PROXY) can't be resolved" in found.message
    assert isinstance(found, NetworkError)


@pytest.mark.parametrize(("user", "said"), [("", "wants a user name"), ("who:hunter2@", "does not accept")])
def test_a_proxy_that_wants_a_password(user: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wants = http(b"", "407 Proxy Authentication Required", "Proxy-Authenticate: Basic")
    with raw_server(answering(wants)) as port:
        found = failure(f"http://{user}127.0.0.1:{port}", monkeypatch)
    assert isinstance(found, UsageError)
    assert said in found.message and f"127.0.0.1:{port}" in found.message
    assert f"HTTPS_PROXY=http://USER:PASSWORD@127.0.0.1:{port}" in (found.hint or "")


@pytest.mark.parametrize("status", ["403 Forbidden", "502 Bad Gateway", "503 hunter2"])
def test_a_proxy_that_gives_no_connection(status: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with raw_server(answering(http(b"", status))) as port:
        found = failure(f"http://127.0.0.1:{port}", monkeypatch)
    assert f"gives no connection to proxy.twilio.com (status {status[:3]})" in found.message
    assert isinstance(found, NetworkError)


@pytest.mark.parametrize("said", [b"", b"\x05\x00 not HTTP\r\n\r\n"])
def test_what_is_no_http_proxy_is_named(said: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    with raw_server(answering(said)) as port:
        found = failure(f"http://127.0.0.1:{port}", monkeypatch)
        assert f"the proxy 127.0.0.1:{port} (HTTPS_PROXY) closed the connection" in found.message
        found = failure(f"https://127.0.0.1:{port}", monkeypatch, timeout=0.5)  # it waits for the rest
    assert f"127.0.0.1:{port}" in found.message


def test_an_http_proxy_that_is_named_as_https(monkeypatch: pytest.MonkeyPatch) -> None:
    def handle(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with raw_server(handle) as port:
        found = failure(f"https://127.0.0.1:{port}", monkeypatch)
    assert f"the proxy 127.0.0.1:{port} (HTTPS_PROXY): it does not speak TLS" in found.message
    assert "http://" in (found.hint or "")


def test_a_proxy_that_is_silent_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def handle(connection: socket.socket) -> None:
        while connection.recv(1000):
            pass

    with raw_server(handle) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        with client_of(Endpoint.twilio(), timeout=0.3) as client, pytest.raises(NetworkError) as caught:
            client.send(CREATE)
    assert f"no complete response from the proxy 127.0.0.1:{port}" in caught.value.message
    assert not caught.value.may_have_happened


def test_behind_a_proxy_the_server_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails once the proxy has given a connection is told of the server."""

    def handle(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        connection.recv(1000)
        connection.sendall(b"no TLS at all\r\n\r\n")

    with raw_server(handle) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        with client_of(Endpoint.twilio(), timeout=5) as client, pytest.raises(NetworkError) as caught:
            client.send(CREATE)
    assert "proxy.twilio.com" in caught.value.message and "HTTPS_PROXY" not in caught.value.message
