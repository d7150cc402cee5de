"""How a callback is made: signed, to whom it may go, within which bounds, and in whose thread."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from twilio.request_validator import RequestValidator

from proxyctl.sandbox.behaviour import Sandbox
from proxyctl.sandbox.callbacks.addresses import NotAllowed, addresses_of
from proxyctl.sandbox.callbacks.courier import Courier
from proxyctl.sandbox.callbacks.delivery import Caller, recent
from proxyctl.sandbox.callbacks.signature import sign
from proxyctl.sandbox.context import Callback
from proxyctl.sandbox.world.store import Store
from tests.api.certificates import make_certificates, serving
from tests.api.stubs import answering, raw_server
from tests.sandbox.asking import Ask
from tests.sandbox.receiver import Form, Reply, receiving
from tests.sandbox.serving import Client, served, wait_for

TOKEN = "12345"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/path",
        "http://127.0.0.1:9000/path?a=1&b=2",
        "http://user:pass@example.com:8080/",
        "http://example.com",
    ],
)
def test_the_library_accepts_the_signature(url: str) -> None:
    form = {"To": "+14155550100", "Body": "smile \U0001f600 & more", "aLower": "", "Digits": "1"}
    assert RequestValidator(TOKEN).validate(url, form, sign(TOKEN, url, form))
    assert not RequestValidator(TOKEN).validate(url, {**form, "To": "x"}, sign(TOKEN, url, form))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "localhost", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_called(host: str) -> None:
    assert addresses_of(host, 80, ())


@pytest.mark.parametrize(
    "host", ["10.0.0.1", "0.0.0.0", "example.invalid", "2130706433", "localhost.example"]
)
def test_others_have_to_be_named(host: str) -> None:
    """A name that was not given is not even looked up: it might stand for this machine."""
    with pytest.raises(NotAllowed, match="--callbacks-to"):
        addresses_of(host, 80, {"example.com"})


def test_a_named_host_is_called() -> None:
    assert addresses_of("10.0.0.1", 80, {"10.0.0.1"}) == ["10.0.0.1"]


@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "fe80::1", "::ffff:169.254.169.254", "2852039166", "0xa9fea9fe", "169.254.43518"],
)
def test_link_local_addresses_never(host: str) -> None:
    """The last are names for which the resolver has such an address."""
    with pytest.raises(NotAllowed, match="link-local"):
        addresses_of(host, 80, {host})


def at(port: int) -> str:
    return f"http://127.0.0.1:{port}/"


def silent(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


def call(store: Store, url: str, seconds: float = 5.0) -> dict[str, Any]:
    Caller(seconds=seconds).call(store, Callback("interaction", url, {"a": "b"}, "KS" + "0" * 32))
    with store.reading() as db:
        return recent(db, 1)[0]


def dribble(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        for byte in OK * 1000:
            connection.sendall(bytes([byte]))
            time.sleep(0.005)


@pytest.mark.parametrize("script", [silent, dribble])
def test_no_receiver_is_waited_for_longer(store: Store, script: Callable[[socket.socket], object]) -> None:
    started = time.monotonic()
    with raw_server(script) as port:
        record = call(store, at(port), 0.1)
    assert time.monotonic() - started < 2
    assert (record["status"], record["error"]) == (None, "no answer within 0.1 s")
    assert record["milliseconds"] >= 100


def test_an_endless_answer_is_cut(store: Store) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 99999999\r\n\r\n"
    with raw_server(answering(head + b"x" * 200_000)) as port:
        record = call(store, at(port))
    assert (record["status"], record["error"], record["answer"]) == (200, None, "x" * 2000)


@pytest.mark.parametrize(
    "said", [b"SSH-2.0-OpenSSH_9.6\r\n\r\n", b"", b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000]
)
def test_what_is_no_answer(store: Store, said: bytes) -> None:
    with raw_server(answering(said)) as port:
        record = call(store, at(port))
    assert record["status"] is None
    assert record["error"]


def test_redirects_and_proxies_are_not_followed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    head = b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    with raw_server(answering(head)) as port:
        record = call(store, at(port))
    assert (record["status"], record["error"]) == (307, None)


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("http://127.0.0.1:1/", "Connection refused"),
        ("https://example.com/hook", "example.com is not this machine, and --callbacks-to does not name it"),
        ("http://169.254.169.254/latest", "--callbacks-to"),
        ("http://bücher.example/", "--callbacks-to"),
    ],
)
def test_what_was_not_called_is_kept_with_the_reason(store: Store, url: str, error: str) -> None:
    record = call(store, url)
    assert (record["url"], record["status"], record["parameters"]) == (url, None, {"a": "b"})
    assert error in record["error"]


def test_certificates_are_checked(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = serving(make_certificates(tmp_path), "good")
    with raw_server(answering(OK), context) as port:
        refused = call(store, f"https://127.0.0.1:{port}/")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        taken = call(store, f"https://localhost:{port}/")
    assert (refused["status"], "certificate" in refused["error"].lower()) == (None, True)
    assert (taken["status"], taken["error"]) == (200, None)


def test_what_a_receiver_sees(store: Store) -> None:
    seen = bytearray()

    def script(connection: socket.socket) -> None:
        while not seen.endswith(b"a=b"):
            seen.extend(connection.recv(65536))
        connection.sendall(OK)

    with raw_server(script) as port:
        host = f"127.0.0.1:{port}"
        record = call(store, f"http://me:se%20cret@{host}/hö?x=ü#part")
    assert (record["status"], record["answer"]) == (200, "ok")
    lines = bytes(seen).decode().lower().split("\r\n")
    assert lines[0] == "post /h%c3%b6?x=%c3%bc http/1.1"
    assert f"host: {host}" in lines
    assert any(line.startswith("authorization: basic ") for line in lines)


def test_only_the_latest_are_kept(store: Store) -> None:
    with store.writing() as db:
        db.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) INSERT INTO callbacks"
            " (id, service_sid, kind, url, parameters, date_created) SELECT i, '', '', '', '{}', 0 FROM n"
        )
    call(store, "http://example.com/")
    with store.reading() as db:
        ids = [row["id"] for row in recent(db, None)]
    assert (len(ids), ids[0], ids[-1]) == (10_000, 10_001, 2)


def people(ask: Ask, service: str, count: int) -> list[str]:
    """Make Sessions of one participant, and return the paths where messages are sent to them."""
    paths = []
    for index in range(count):
        path = ask.session(service)
        sid = ask.join(path, f"+1415555{index:04}").body["sid"]
        paths.append(f"{path}/Participants/{sid}/MessageInteractions")
    return paths


def test_a_dead_receiver_holds_up_no_request(store: Store) -> None:
    ask = Ask(store)
    with socket.create_server(("127.0.0.1", 0), backlog=128) as dead, Courier() as courier:
        service = ask.service(CallbackUrl=f"http://127.0.0.1:{dead.getsockname()[1]}/")
        ask.filled(service, 1)
        paths = people(ask, service, 20)
        with served(Sandbox(store, caller=courier)) as server:
            client = Client(server.port)
            for path in paths:
                assert client("POST", path, Body="hi")[0] == 200
            started = time.monotonic()
            assert {client("GET", service)[0] for _ in range(200)} == {200}
            took = time.monotonic() - started
            client.close()
    assert took < 4  # of 15 s that one callback may take
    assert time.monotonic() - started < took + 3  # and nobody waits for it at the end


def test_a_message_that_waits_for_its_interception_holds_up_no_other(store: Store) -> None:
    ask = Ask(store)
    answered = threading.Event()

    def late(form: Form) -> Reply:
        assert answered.wait(10)
        return 403, "text/plain", ""

    with receiving() as receiver, Courier() as courier:
        receiver.answers["/first"] = late
        ask.sandbox = Sandbox(store, clock=ask.clock, caller=courier)
        service = ask.service(InterceptCallbackUrl=f"{receiver.url}/first")
        ask.filled(service, 1)
        path = ask.session(service)
        ann, _ = (ask.join(path, person).body for person in ("+14155550123", "+14155550124"))
        with ThreadPoolExecutor(1) as pool:
            received = pool.submit(ask.sandbox.receive, "+14155550123", ann["proxy_identifier"], "hello")
            wait_for(lambda: len(receiver.calls) == 1)
            assert ask.post(path, Ttl="60").status == 200
            assert not received.done()
            answered.set()
            assert received.result(10).status == "blocked"


def test_only_so_many_requests_wait_for_a_slow_receiver(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those past them are not asked: each holds a connection of the server."""
    monkeypatch.setattr("proxyctl.sandbox.callbacks.courier._ASKED_AT_ONCE", 1)
    answered = threading.Event()

    def late(form: Form) -> Reply:
        assert answered.wait(10)
        return 403, "text/plain", ""

    with receiving() as receiver, Courier() as courier, ThreadPoolExecutor(1) as pool:
        receiver.answers["/"] = late
        callback = Callback("intercept", f"{receiver.url}/", {}, "KS" + "0" * 32)
        first = pool.submit(courier.call, store, callback)
        wait_for(lambda: len(receiver.calls) == 1)
        assert courier.call(store, callback).status is None
        with store.reading() as db:
            assert recent(db, 1)[0]["error"] == "too many callbacks wait for a slow receiver"
        answered.set()
        assert first.result(10).status == 403
        assert courier.call(store, callback).status == 403


def test_silence_does_not_block(store: Store) -> None:
    ask = Ask(store)
    with raw_server(silent) as port:
        ask.sandbox = Sandbox(store, clock=ask.clock, caller=Caller(seconds=0.1))
        service = ask.service(InterceptCallbackUrl=at(port))
        ask.filled(service, 1)
        path = ask.session(service)
        ann, _ = (ask.join(path, person).body for person in ("+14155550123", "+14155550124"))
        assert ask.sandbox.receive("+14155550123", ann["proxy_identifier"], "hello").status == "delivered"


def test_each_session_is_told_in_order(store: Store) -> None:
    ask = Ask(store)
    with receiving() as receiver, Courier() as courier:
        ask.sandbox = Sandbox(store, clock=ask.clock, caller=courier)
        service = ask.service(CallbackUrl=f"{receiver.url}/status")
        ask.filled(service, 1)
        paths = people(ask, service, 5)
        for body in ("one", "two"):
            for path in paths:
                ask.post(path, Body=body)
        wait_for(lambda: len(receiver.calls) == 30)
    for path in paths:
        forms = [form for _, form in receiver.calls if form["interactionSessionSid"] in path]
        told = [
            (json.loads(form["interactionData"])["body"], form["outboundResourceStatus"]) for form in forms
        ]
        assert told == [
            (body, status) for body in ("one", "two") for status in ("queued", "sent", "delivered")
        ]
