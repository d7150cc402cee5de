"""Networks that lie, drip, redirect and fall silent: credentials stay home, and the end comes in stated time."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import subprocess
import threading
import time
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.api.stubs import AC, KS, http, raw_server, read_request
from tests.battery.test_memory import peak_of
from tests.support import Cli, Ran

SECRET = "canary/5e11+ab1e=do~not-sing"
BASIC = base64.b64encode(f"{AC}:{SECRET}".encode()).decode()
SERVICE = {"sid": KS, "unique_name": "masking", "account_sid": AC}
LIST = ("service", "list", "-o", "jsonl")


class Recorder:
    """A server that gives the same answer to all, and keeps what it was sent."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = answers or (http(b"{}"),)
        self.requests: list[bytes] = []
        self.port = 0

    def handle(self, connection: socket.socket) -> None:
        while request := read_request(connection):
            self.requests.append(request)
            connection.sendall(self.answers[min(len(self.requests), len(self.answers)) - 1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def writes(self) -> list[bytes]:
        return [request for request in self.requests if not request.startswith(b"GET ")]


@contextlib.contextmanager
def recording(*answers: bytes) -> Iterator[Recorder]:
    """Serve a Recorder for the length of the block."""
    recorder = Recorder(*answers)
    with raw_server(recorder.handle) as recorder.port:
        yield recorder


def program(directory: Path, url: str, **environ: str) -> Cli:
    """The program before a server, with the canary for a secret."""
    known = {"TWILIO_ACCOUNT_SID": AC, "TWILIO_AUTH_TOKEN": SECRET, "PROXYCTL_BASE_URL": url}
    return Cli(directory, {**known, **environ})


def run(cli: Cli, *arguments: str) -> Ran:
    """Run a process to its end; the canary is nowhere in what it says."""
    ran = cli.run_process(*arguments)
    for form in (SECRET, BASIC, SECRET.replace("/", "%2F")):
        assert form not in ran.out + ran.err
    assert "Traceback" not in ran.err
    return ran


def listed(*services: object, following: str | None = None) -> bytes:
    """One page of Services."""
    meta = {"key": "services", "next_page_url": following}
    return http(json.dumps({"meta": meta, "services": services}).encode())


@pytest.mark.parametrize("status", ["301 Moved Permanently", "307 Temporary Redirect"])
def test_a_redirect_is_not_followed(tmp_path: Path, status: str) -> None:
    with (
        recording() as foreign,
        recording(http(b"", status, f"Location: {foreign.url}/v1/Services")) as server,
    ):
        ran = run(program(tmp_path, server.url), *LIST)
        assert ran.code == 7
        assert "redirect" in ran.error["message"].lower()
        assert (len(server.requests), foreign.requests) == (1, [])


def test_a_foreign_next_page_gets_no_credentials_and_no_request(tmp_path: Path) -> None:
    with recording() as foreign:
        following = f"{foreign.url}/v1/Services?PageSize=100&Page=1&PageToken=PT1"
        last = listed({**SERVICE, "sid": KS[:-1] + "2"})
        with recording(listed(SERVICE, following=following), last) as server:
            ran = run(program(tmp_path, server.url), *LIST)
            # Only its query was used, on the own origin.
            assert ran.code == 0
            assert len(ran.rows) == 2
            assert b"PageToken=PT1" in server.requests[1].split(b"\r\n")[0]
            assert f"Basic {BASIC}".encode() in server.requests[1]
        assert foreign.requests == []


def test_netrc_is_not_read(tmp_path: Path) -> None:
    with recording(listed(SERVICE)) as server:
        cli = program(tmp_path, server.url)
        home = Path(cli.environ["HOME"])
        home.mkdir(mode=0o700)
        netrc = home / ".netrc"
        netrc.write_text(
            "machine 127.0.0.1 login mallory password elsewhere\ndefault login mallory password x\n"
        )
        netrc.chmod(0o600)
        cli.environ["NETRC"] = str(netrc)
        assert run(cli, *LIST).code == 0
        assert f"Basic {BASIC}".encode() in server.requests[0]


def test_a_black_hole_ends_in_stated_time(tmp_path: Path) -> None:
    # A full backlog answers nothing at all.
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        began = time.monotonic()
        ran = run(program(tmp_path, url), *LIST, "--timeout", "0.5", "--retries", "0")
        assert time.monotonic() - began < 2.5
    assert ran.code == 7
    assert "0.5 s" in ran.error["message"]


def bomb(connection: socket.socket) -> None:
    """Answer with 1 GB of spaces in 1 MB: one stream that goes on and on."""
    packer = zlib.compressobj(wbits=31)
    packed = packer.compress(b" " * 1_000_000) + packer.flush(zlib.Z_FULL_FLUSH)
    more = packer.compress(b" " * 1_000_000) + packer.flush(zlib.Z_FULL_FLUSH)  # fits after any full flush
    body = packed + more * 999
    read_request(connection)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body)


def test_a_gzip_bomb_takes_no_memory(tmp_path: Path) -> None:
    with raw_server(bomb) as port:
        cli = program(tmp_path, f"http://127.0.0.1:{port}")
        code, err, peak = peak_of(cli, *LIST, "--retries", "0", out=tmp_path / "out")
    assert code == 1
    assert json.loads(err)["error"]["kind"] == "answer"
    assert peak < 200


# The secret


def echo(connection: socket.socket, *, reads: bool = True) -> None:
    """Say what was asked back in an error, credentials and all, in every form; without ``reads``, of writes alone."""
    while request := read_request(connection):
        if not reads and request.startswith(b"GET "):
            connection.sendall(listed())
            continue
        told = next(line for line in request.split(b"\r\n") if line.lower().startswith(b"authorization"))
        message = f"no: {told.decode()} {SECRET} {SECRET.replace('/', '%2F').replace('+', '%2B')}"
        body = json.dumps({"code": 20001, "message": message, "status": 400, "more_info": message}).encode()
        connection.sendall(http(body, "400 Bad Request", f"Twilio-Request-Id: {SECRET}"))


def test_the_secret_is_in_nothing_that_is_said_or_kept(tmp_path: Path) -> None:
    create = ("service", "create", "x", "-vv", "-o", "json")
    lines = (
        ("service", "list", "-vv"),
        create,
        ("number", "add", KS, "+14155550100", "-vv"),
        ("api", "GET", "/v1/Services", "-vv"),
        ("auth", "status", "-vv"),
    )
    for handle, asked in ((echo, lines), (partial(echo, reads=False), (create,))):
        with raw_server(handle) as port:
            cli = program(tmp_path, f"http://127.0.0.1:{port}", PROXYCTL_DEBUG="1")
            for line in asked:
                ran = cli.run_process(*line)
                assert ran.code != 0
                assert "Traceback" in ran.err
                assert_silent((ran.out + ran.err).encode())
                assert "[redacted]" in ran.err or line[0] == "auth"
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert_silent(path.read_bytes())
    assert list(tmp_path.rglob("*.jsonl")), "a write was recorded"


def test_the_secret_is_on_no_command_line(tmp_path: Path) -> None:
    asked, seen = threading.Event(), threading.Event()

    def wait(connection: socket.socket) -> None:
        read_request(connection)
        asked.set()
        seen.wait(10)
        connection.sendall(listed(SERVICE))

    with raw_server(wait) as port:
        cli = program(tmp_path, f"http://127.0.0.1:{port}")
        process = cli.process(*LIST)
        assert asked.wait(10)
        assert_silent(command_lines())
        seen.set()
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert_silent(out)


def command_lines() -> bytes:
    """The arguments of all processes that this user can see."""
    lines = subprocess.run(
        ["ps", "-A", "-ww", "-o", "args="], capture_output=True, text=True, check=True
    ).stdout
    assert "service list" in lines
    return lines.encode()


def assert_silent(data: bytes) -> None:
    """Check that no form of the canary is in ``data``."""
    forms = [SECRET, BASIC, base64.b64encode(SECRET.encode()).decode().rstrip("=")]
    for form in (*forms, quote(SECRET, safe=""), quote(BASIC, safe="")):
        assert form.encode() not in data, form
