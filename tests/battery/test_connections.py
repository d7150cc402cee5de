"""Connections that come to nothing, told by their cause: certificates, and files that have run out."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path
from typing import NoReturn

import pytest

from tests.api.certificates import make_certificates, serving
from tests.api.stubs import http, raw_server, read_request
from tests.battery.scene import Scene
from tests.battery.test_network import LIST, program, run

EMPTY = http(b'{"services": [], "meta": {"key": "services", "next_page_url": null}}')


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.mark.parametrize(
    ("name", "named", "code", "said"),
    [
        ("good", True, 0, ""),
        ("good", False, 7, "signed by nobody that is trusted here"),
        ("expired", True, 7, "has expired"),
        ("early", True, 7, "is not valid yet"),
        ("stranger", True, 7, "belongs to another host"),
    ],
)
def test_certificates(
    certificates: Path, tmp_path: Path, name: str, named: bool, code: int, said: str
) -> None:
    """Only for an authority that nobody knows here, SSL_CERT_FILE is the way out."""

    def answer(connection: socket.socket) -> None:
        assert read_request(connection)
        connection.sendall(EMPTY)

    with raw_server(answer, serving(certificates, name)) as port:
        trusted = {"SSL_CERT_FILE": str(certificates / "ca.pem")} if named else {}
        ran = run(program(tmp_path, f"https://127.0.0.1:{port}", **trusted), *LIST)
    assert ran.code == code
    if code:
        assert said in ran.error["message"]
        assert ("SSL_CERT_FILE" in str(ran.error)) is not named


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
@pytest.mark.parametrize(
    "line", [("service", "list"), ("service", "create", "new"), ("pool", "status", "--all")]
)
def test_files_that_have_run_out(
    stage: Scene, monkeypatch: pytest.MonkeyPatch, number: int, line: tuple[str, ...]
) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(socket, "create_connection", refuse)
    ran = stage.run(*line, "--retries", "1")
    assert ran.code == 7
    assert "too many files are open" in ran.error["message"]
    assert "ulimit -n" in ran.error["hint"]
    assert stage.ledger.entries == []
