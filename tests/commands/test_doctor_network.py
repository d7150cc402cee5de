"""`proxyctl doctor` against servers on loopback that are good, absent, distrusted, refusing or of another time."""

from __future__ import annotations

import json
import re
import shutil
import socket
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest

from proxyctl import doctor
from tests.api.stubs import AC, raw_server
from tests.commands.doctor_support import (
    AROUND,
    CANARY,
    LOCAL,
    NETWORK,
    REQUEST_ID,
    answering,
    examine,
    found,
    states,
)
from tests.support import Cli

pytestmark = pytest.mark.usefixtures("own_surroundings")


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_all_is_well(remote: Cli) -> None:
    ran = remote("doctor", "-o", "json")
    assert ran.code == 0, ran.err
    assert [row["check"] for row in ran.json] == LOCAL + NETWORK + AROUND
    assert all(list(row) == ["check", "state", "detail", "hint"] for row in ran.json)
    assert all((row["hint"] is None) == (row["state"] == "ok") for row in ran.json)
    assert not [row for row in ran.json if row["state"] == "fail"]
    call = next(row for row in ran.json if row["check"] == "call")
    assert re.fullmatch(r"GET /v1/Services: 200 in \d+ ms, request id RQ[0-9a-f]{32}", call["detail"])
    assert re.fullmatch("all \\d+ checks are ok\\.", ran.err.strip())
    assert remote("doctor", "-q").err == ""


def test_it_changes_nothing_and_asks_once(bare: Cli) -> None:
    before = set(bare.directory.rglob("*"))
    with answering() as (port, seen):
        ran = examine(bare, "-o", "jsonl", url=f"http://127.0.0.1:{port}")
    assert ran.code == 0, ran.err
    assert [request.split(b"\r\n")[0] for request in seen] == [b"GET /v1/Services?PageSize=1 HTTP/1.1"]
    assert set(bare.directory.rglob("*")) == before
    assert "can be created" in found(ran)["state"]["detail"]


def test_a_refused_port(bare: Cli) -> None:
    port = free_port()
    ran = examine(bare, "-o", "jsonl", url=f"http://127.0.0.1:{port}")
    assert (ran.code, states(ran, "fail")) == (7, ["call"])
    assert "127.0.0.1 refused the connection" in found(ran)["call"]["detail"]
    assert "clock" not in found(ran)
    assert (ran.error["kind"], ran.error["exit_code"]) == ("network", 7)
    assert ran.error["message"] == "1 of 7 checks failed: call."


def test_credentials_that_are_refused(bare: Cli) -> None:
    body = json.dumps({"code": 20003, "message": "Authenticate", "status": 401}).encode()
    with answering(body, "401 Unauthorized", off=-900) as (port, seen):
        ran = examine(bare, "-o", "jsonl", url=f"http://127.0.0.1:{port}")
    assert (ran.code, states(ran, "fail"), len(seen)) == (3, ["call", "clock"], 1)
    row = found(ran)["call"]
    assert "20003" in row["detail"] and REQUEST_ID in row["detail"] and "auth login" in row["hint"]
    assert (ran.error["code"], ran.error["request_id"]) == (20003, REQUEST_ID)


def test_an_answer_that_is_none(bare: Cli) -> None:
    with answering(b"<html>Welcome to our hotel</html>", off=None) as (port, _):
        ran = examine(bare, "-o", "jsonl", url=f"http://127.0.0.1:{port}")
    assert (ran.code, states(ran, "fail")) == (1, ["call"])
    assert "login pages of networks" in found(ran)["call"]["detail"]


def test_a_server_that_is_silent_is_asked_once_and_not_for_long(
    bare: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "PATIENCE", 0.2)

    def handle(connection: socket.socket) -> None:
        while connection.recv(1000):
            pass

    with raw_server(handle) as port:
        ran = examine(bare, "-o", "jsonl", url=f"http://127.0.0.1:{port}")
    assert (ran.code, states(ran, "fail")) == (7, ["call"])


@pytest.mark.parametrize(
    ("off", "state", "code", "words"),
    [(0, "ok", 0, "the server"), (-60, "warning", 0, "ahead of"), (60, "warning", 0, "behind"),
     (-900, "fail", 8, "ahead of"), (86400, "fail", 8, "behind")],
)  # fmt: skip
def test_the_clock(bare: Cli, off: float, state: str, code: int, words: str) -> None:
    with answering(off=off) as (port, _):
        ran = examine(bare, "-o", "jsonl", url=f"http://127.0.0.1:{port}")
    assert ran.code == code, ran.err
    row = found(ran)["clock"]
    assert row["state"] == state and words in row["detail"]
    assert ("set-ntp" in str(row["hint"])) == (state != "ok")


@pytest.fixture(scope="module")
def self_signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of this machine that nobody else has signed, with its key."""
    folder = tmp_path_factory.mktemp("certificate")
    program = shutil.which("openssl")
    assert program, "the tests of TLS need the openssl program"
    subprocess.run(
        [program, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "9",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"],
        cwd=folder, check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    return folder


def tls_server(folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def test_a_certificate_is_trusted_once_its_authority_is_named(
    bare: Cli, self_signed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering(wrap=tls_server(self_signed)) as (port, seen):
        ran = examine(bare, "-o", "jsonl", url=f"https://127.0.0.1:{port}")
        assert (ran.code, states(ran, "fail"), seen) == (7, ["call"], [])
        row = found(ran)["call"]
        assert (
            "signed by an authority that is not trusted here" in row["detail"]
            and "SSL_CERT_FILE" in row["hint"]
        )
        monkeypatch.setenv("SSL_CERT_FILE", str(self_signed / "cert.pem"))
        ran = examine(bare, "-o", "jsonl", url=f"https://127.0.0.1:{port}")
        assert ran.code == 0, ran.err
        monkeypatch.setenv("SSL_CERT_FILE", str(self_signed / "absent.pem"))
        ran = examine(bare, "-o", "jsonl", url=f"https://127.0.0.1:{port}")
    assert (ran.code, len(seen)) == (2, 1)
    assert "SSL_CERT_FILE" in found(ran)["call"]["detail"]


def test_a_server_that_speaks_no_tls(bare: Cli) -> None:
    def handle(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with raw_server(handle) as port:
        ran = examine(bare, "-o", "jsonl", url=f"https://127.0.0.1:{port}")
    assert ran.code == 7 and "scheme and the port" in found(ran)["call"]["hint"]


def test_a_name_that_nobody_knows(bare: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    ran = examine(bare, "-o", "jsonl", TWILIO_ACCOUNT_SID=AC, TWILIO_AUTH_TOKEN=CANARY, TWILIO_REGION="ie1")
    assert (ran.code, states(ran, "fail")) == (7, ["call"])
    assert "the name of proxy.ie1.twilio.com can't be resolved" in found(ran)["call"]["detail"]
    assert found(ran)["server"]["detail"] == "proxy.ie1.twilio.com (region ie1)"


def test_a_proxy_that_refuses_gets_no_word_of_its_password(
    bare: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering(b"", "403 Forbidden") as (port, seen):
        monkeypatch.setenv("HTTPS_PROXY", f"http://someone:{CANARY}@127.0.0.1:{port}")
        ran = examine(bare, "-o", "jsonl", url="https://proxy.example")
    assert (ran.code, states(ran, "fail"), len(seen)) == (7, ["call"], 1)
    named = f"the proxy 127.0.0.1:{port} (HTTPS_PROXY)"
    assert found(ran)["server"]["detail"].endswith(f"through {named}")
    assert f"{named} gives no connection to proxy.example" in found(ran)["call"]["detail"]
    assert seen[0].startswith(b"CONNECT proxy.example:443")


def test_a_proxy_that_is_not_there_is_named(bare: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
    ran = examine(bare, "-o", "jsonl", url="https://proxy.example")
    assert (ran.code, states(ran, "fail")) == (7, ["call"])
    row = found(ran)["call"]
    assert f"the proxy 127.0.0.1:{port} (HTTPS_PROXY) refused the connection" in row["detail"]
    assert row["hint"] == ran.error["hint"] and row["hint"].startswith("Check HTTPS_PROXY")


@pytest.mark.parametrize(
    ("name", "value"),
    [("HTTPS_PROXY", f"socks5://u:{CANARY}@h"), ("ALL_PROXY", "http://"), ("ALL_PROXY", "socks5://h:1080")],
)
def test_a_proxy_that_cannot_be_used(
    bare: Cli, name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    ran = examine(bare, "-o", "jsonl", url="https://proxy.example")
    assert (ran.code, states(ran, "fail")) == (2, ["server"])
    assert name in found(ran)["server"]["detail"]
    with answering() as (port, _):  # a server on this machine needs none
        ran = examine(bare, "-o", "jsonl", url=f"http://127.0.0.1:{port}")
    assert ran.code == 0, ran.err


COMMANDS = (
    ("auth", "status"),
    ("auth", "status", "--all"),
    ("service", "list"),
    ("number", "reserve", "KS" + "1" * 32, "+14155550100"),
    ("doctor",),
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_knows_a_proxy_that_wants_a_password(
    bare: Cli, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked once: the user has to do something first."""
    with answering(b"", "407 Proxy Authentication Required") as (port, seen):
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        environ = {"TWILIO_ACCOUNT_SID": AC, "TWILIO_AUTH_TOKEN": CANARY}
        ran = bare(*command, environ={**environ, "PROXYCTL_BASE_URL": "https://proxy.example"})
    assert (ran.code, len(seen)) == (2, 1), ran.err
    assert f"the proxy 127.0.0.1:{port} (HTTPS_PROXY) wants a user name and a password" in ran.out + ran.err
    assert "USER:PASSWORD@" in ran.err


SKEY = "SK" + "5" * 32
KEY_PAIR = {"TWILIO_ACCOUNT_SID": AC, "TWILIO_API_KEY": SKEY, "TWILIO_API_SECRET": CANARY}


@pytest.mark.parametrize("quote", ['"', "'", "\u201c"])
@pytest.mark.parametrize("name", [*KEY_PAIR, "TWILIO_AUTH_TOKEN", "TWILIO_REGION", "PROXYCTL_BASE_URL"])
@pytest.mark.parametrize("command", [("doctor",), ("auth", "status"), ("auth", "status", "--all")])
def test_values_in_quotes_are_named_and_nothing_is_sent(
    bare: Cli, command: tuple[str, ...], name: str, quote: str
) -> None:
    with answering() as (port, seen):
        base = {"PROXYCTL_BASE_URL": f"http://127.0.0.1:{port}"}
        environ = {**KEY_PAIR, "TWILIO_REGION": "ie1", **base}
        if name == "TWILIO_AUTH_TOKEN":
            environ = {"TWILIO_ACCOUNT_SID": AC, name: CANARY, **base}
        ran = bare(*command, environ={**environ, name: f"{quote}{environ[name]}{quote}"})
    said = ran.out + ran.err
    assert (ran.code, seen) == (2, []), said
    assert "in quotes" in said and (name in said or name == "PROXYCTL_BASE_URL")
    assert "docker keeps those of an env file" in ran.err
    assert CANARY not in said


@pytest.mark.parametrize("name", ["PROXYCTL_PROFILE", "PROXYCTL_OUTPUT", "HTTPS_PROXY", "SSL_CERT_FILE"])
def test_other_variables_in_quotes(bare: Cli, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, '"http://127.0.0.1:1"')
    environ = {"TWILIO_ACCOUNT_SID": AC, "TWILIO_AUTH_TOKEN": CANARY, name: '"http://127.0.0.1:1"'}
    ran = bare("service", "list", environ={**environ, "PROXYCTL_BASE_URL": "https://proxy.example"})
    assert ran.code == 2 and name in ran.err and "docker keeps those of an env file" in ran.err


@pytest.mark.parametrize("command", [("doctor",), ("auth", "status"), ("service", "list")])
@pytest.mark.parametrize("kept", [("TWILIO_ACCOUNT_SID", "TWILIO_API_KEY"), ("TWILIO_ACCOUNT_SID",), ()])
def test_a_secret_under_another_name_is_noticed(
    bare: Cli, kept: tuple[str, ...], command: tuple[str, ...]
) -> None:
    environ = {name: KEY_PAIR[name] for name in kept} | {"TWILIO_API_KEY_SECRET": CANARY}
    ran = bare(*command, environ=environ)
    assert ran.code == (2 if kept else 3), ran.err
    assert "proxyctl reads TWILIO_API_SECRET. TWILIO_API_KEY_SECRET is set, and is not read." in ran.err
    whole = {**environ, **KEY_PAIR, "PROXYCTL_BASE_URL": "http://127.0.0.1:9"}
    assert "TWILIO_API_KEY_SECRET" not in bare("auth", "status", "--retries", "0", environ=whole).err


@pytest.mark.parametrize("url", ["http://example.com", f"https://u:{CANARY}@example.com", "ftp://x"])
def test_a_base_url_that_is_none(bare: Cli, url: str) -> None:
    ran = examine(bare, "-o", "jsonl", url=url)
    assert (ran.code, states(ran, "fail")) == (2, ["server"])
