"""Certificates: what is trusted, what is refused with a cause, and where they are loaded from."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import pytest

from proxyctl.api.client import ProxyClient
from proxyctl.api.endpoint import Endpoint
from proxyctl.api.environment import tls_context
from proxyctl.api.resources import Call
from proxyctl.errors import NetworkError, UsageError
from tests.api.certificates import make_certificates, serving
from tests.api.stubs import answering, client_of, http, raw_server

LIST = Call("GET", "/v1/Services")
CREATE = Call("POST", "/v1/Services")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


def _client(port: int) -> ProxyClient:
    return client_of(Endpoint.at(f"https://127.0.0.1:{port}"), timeout=60)


def test_an_authority_of_ones_own_is_trusted_once_it_is_named(
    certificates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates / "ca.pem"))
    with raw_server(answering(http(b"{}")), serving(certificates, "good")) as port, _client(port) as client:
        assert client.send(LIST).status == 200


@pytest.mark.parametrize(
    ("name", "named", "cause", "hint"),
    [
        ("good", None, "signed by an authority that is not trusted", "SSL_CERT_FILE"),
        ("ca", None, "signed by an authority that is not trusted", "SSL_CERT_FILE"),
        ("expired", "ca.pem", "has expired", "clock"),
        ("early", "ca.pem", "not valid yet", "clock"),
        ("stranger", "ca.pem", "another host", "base URL"),
    ],
    ids=["unknown authority", "self-signed", "expired", "early", "wrong host"],
)
def test_what_is_not_trusted(
    name: str, named: str | None, cause: str, hint: str, certificates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    if named:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificates / named))
    context = serving(certificates, name)
    with (
        raw_server(answering(http(b"{}")), context) as port,
        _client(port) as client,
        pytest.raises(NetworkError, match=cause) as caught,
    ):
        client.send(CREATE)
    error = caught.value
    assert (error.exit_code, error.repeatable, error.may_have_happened) == (7, False, False)
    assert hint in str(error.hint)
    assert ("SSL_CERT_FILE" in str(error.hint)) is (named is None)


@pytest.mark.parametrize("said", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b""], ids=["no TLS", "closed"])
def test_a_server_that_closes_in_the_handshake_is_worth_another_try(said: bytes) -> None:
    """One that speaks no TLS is not."""

    def handle(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(said)

    with raw_server(handle) as port, _client(port) as client, pytest.raises(NetworkError) as caught:
        client.send(CREATE)
    assert caught.value.repeatable is not bool(said)
    assert not caught.value.may_have_happened


def test_the_environment_wins_and_what_cannot_be_read_is_named(certificates: Path, tmp_path: Path) -> None:
    context = tls_context({"SSL_CERT_FILE": str(certificates / "ca.pem")})
    assert [dict(sum(ca["subject"], ()))["commonName"] for ca in context.get_ca_certs()] == ["proxyctl tests"]
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    junk = tmp_path / "junk.pem"
    junk.write_text("no certificate")
    for environ in (
        {"SSL_CERT_FILE": str(tmp_path / "absent.pem")},
        {"SSL_CERT_FILE": str(junk)},
        {"SSL_CERT_DIR": str(tmp_path / "absent")},
    ):
        with pytest.raises(UsageError, match="SSL_CERT"):
            tls_context(environ)
    assert tls_context({"SSL_CERT_DIR": str(tmp_path)}).get_ca_certs() == []


def test_a_hashed_directory_is_used_on_demand_and_a_bundle_else(
    certificates: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = str(certificates / "ca.pem")

    def paths(cafile: str | None, capath: str | None) -> None:
        value = ssl.DefaultVerifyPaths(cafile, capath, "SSL_CERT_FILE", "", "SSL_CERT_DIR", "")
        monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: value)

    paths(bundle, str(tmp_path))
    assert len(tls_context({}).get_ca_certs()) == 1
    (tmp_path / "0a1b2c3d.0").write_text("")
    assert tls_context({}).get_ca_certs() == []
    paths(None, None)
    assert len(tls_context({}).get_ca_certs()) > 50
