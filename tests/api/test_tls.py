"""Certificates: what is trusted, what is refused with a cause, and where they are loaded from."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from proxyctl.api.client import Call, Credentials, Endpoint, ProxyClient
from proxyctl.api.tls import tls_context
from proxyctl.errors import NetworkError, UsageError
from tests.api.stubs import AC, SECRET, http, raw_server, read_request

LIST = Call("GET", "/v1/Services")
CREATE = Call("POST", "/v1/Services")

_CONFIG = """
[ca]
default_ca = here
[here]
dir = .
database = index.txt
new_certs_dir = .
serial = serial
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
"""


def _openssl(folder: Path, *arguments: str) -> None:
    program = shutil.which("openssl")
    assert program, "the tests of TLS need the openssl program"
    subprocess.run([program, *arguments], cwd=folder, check=True, capture_output=True, timeout=60)


def _signed(folder: Path, name: str, host: str, start: str, end: str) -> None:
    _openssl(
        folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}",
        "-addext", f"subjectAltName={host}", "-keyout", f"{name}.key", "-out", f"{name}.csr",
    )  # fmt: skip
    _openssl(
        folder, "ca", "-batch", "-notext", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key",
        "-in", f"{name}.csr", "-out", f"{name}.pem", "-startdate", start, "-enddate", end,
    )  # fmt: skip


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an authority of our own (ca.pem) and certificates that are good, expired and another host's."""
    folder = tmp_path_factory.mktemp("certificates")
    (folder / "ca.cnf").write_text(_CONFIG)
    (folder / "index.txt").write_text("")
    (folder / "serial").write_text("01\n")
    _openssl(
        folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3650",
        "-subj", "/CN=proxyctl tests", "-keyout", "ca.key", "-out", "ca.pem",
    )  # fmt: skip
    here, long_ago, far = "IP:127.0.0.1,DNS:localhost", "20200101000000Z", "20490101000000Z"
    _signed(folder, "good", here, long_ago, far)
    _signed(folder, "expired", here, long_ago, "20200201000000Z")
    _signed(folder, "stranger", "DNS:stranger.example", long_ago, far)
    return folder


def _serve(folder: Path, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    return context


def _answer(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(http(b"{}"))


def _client(port: int) -> ProxyClient:
    return ProxyClient(Endpoint.at(f"https://127.0.0.1:{port}"), Credentials(AC, AC, SECRET), timeout=60)


def test_an_authority_of_ones_own_is_trusted_once_it_is_named(
    certificates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates / "ca.pem"))
    with raw_server(_answer, _serve(certificates, "good")) as port, _client(port) as client:
        assert client.send(LIST).status == 200


@pytest.mark.parametrize(
    ("name", "named", "cause"),
    [
        ("good", None, "unable to get local issuer certificate|self-signed"),
        ("ca", None, "self-signed certificate"),
        ("expired", "ca.pem", "certificate has expired"),
        ("stranger", "ca.pem", "certificate is not valid for '127.0.0.1'"),
    ],
    ids=["unknown authority", "self-signed", "expired", "wrong host"],
)
def test_what_is_not_trusted(
    name: str, named: str | None, cause: str, certificates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    if named:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificates / named))
    context = _serve(certificates, name)
    with (
        raw_server(_answer, context) as port,
        _client(port) as client,
        pytest.raises(NetworkError, match=cause) as caught,
    ):
        client.request(CREATE)
    error = caught.value
    assert (error.exit_code, error.repeatable, error.may_have_happened) == (7, False, False)
    assert "SSL_CERT_FILE" in str(error.hint)


def test_a_server_that_speaks_no_tls() -> None:
    def handle(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with raw_server(handle) as port, _client(port) as client, pytest.raises(NetworkError) as caught:
        client.request(CREATE)
    assert not caught.value.repeatable
    assert not caught.value.may_have_happened


def test_a_server_that_closes_in_the_handshake_is_worth_another_try() -> None:
    def handle(connection: socket.socket) -> None:
        connection.recv(1000)

    with raw_server(handle) as port, _client(port) as client, pytest.raises(NetworkError) as caught:
        client.send(CREATE)
    assert caught.value.repeatable
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
