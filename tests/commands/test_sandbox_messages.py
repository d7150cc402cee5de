"""`sandbox message`, `sandbox callbacks` and `--callbacks-to`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.receiver import Receiver, receiving
from tests.sandbox.serving import Client, wait_for
from tests.support import Cli

ANN, BOB = "+14155550123", "+14155550124"


@pytest.fixture(scope="module")
def application() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def number(cli: Cli, application: Receiver) -> str:
    """Make a Service with callbacks and a Session of Ann and Bob, and return the number that Ann texts."""
    application.calls.clear()
    sid = cli.seed(1)[0]["sid"]
    urls = (
        "--callback-url",
        f"{application.url}/status",
        "--intercept-callback-url",
        f"{application.url}/first",
    )
    service = cli.ok("service", "create", "rides", *urls, "-o", "ids").out.strip()
    cli.ok("number", "add", "rides", sid, "-q")
    sessions = f"/v1/Services/{service}/Sessions"
    session = cli.ok("api", "POST", sessions).json["sid"]
    path = f"{sessions}/{session}/Participants"
    ann, _ = (cli.ok("api", "POST", path, "-d", f"Identifier={person}").json for person in (ANN, BOB))
    return str(ann["proxy_identifier"])


def test_a_message_makes_its_callbacks(cli: Cli, application: Receiver, number: str) -> None:
    spaced = f"{number[:2]} {number[2:]}"
    row = cli.ok("sandbox", "message", "+1 415 555 0123", spaced, "On my way", "-o", "json").json
    assert list(row) == ["status", "interaction_sid", "session_sid", "callbacks"]
    assert row["status"] == "delivered" and row["interaction_sid"].startswith("KI")
    assert [one["kind"] for one in row["callbacks"]] == ["intercept", *["interaction"] * 3]
    assert {one["status"] for one in row["callbacks"]} == {204}
    listed = cli.ok("sandbox", "callbacks", "-o", "json").json
    assert [one["kind"] for one in listed] == [*["interaction"] * 3, "intercept"]  # the newest first
    assert listed[0]["parameters"] == application.calls[-1][1]
    assert len(cli.ok("sandbox", "callbacks", "--limit", "2", "-o", "ids").out.split()) == 2
    seen = cli("sandbox", "message", ANN, number, "again", tty=True)
    assert "intercept 204, interaction 204, interaction 204" in " ".join(seen.out.split())
    national = ("(415) 555-0123", number, "Stop", "--default-country", "US")
    assert cli.ok("sandbox", "message", *national, "-o", "json").json["status"] == "dropped"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("x", "+14155550100", "hi"), 2, "neither a PN SID"),
        ((ANN, "+14155550100", "hi"), 4, "sandbox seed"),
        ((ANN, "NUMBER", "hi\0"), 5, "UTF-8"),
        ((ANN, "NUMBER", "hi", "--callbacks-to", "169.254.169.254"), 2, "never called"),
        ((ANN, "NUMBER", "hi", "--callbacks-to", "http://example.com"), 2, "without a port"),
        ((ANN, "NUMBER", "hi", "--fields", "sid"), 2, "no field"),
    ],
)
def test_what_is_refused(cli: Cli, number: str, arguments: tuple[str, ...], code: int, words: str) -> None:
    ran = cli("sandbox", "message", *(number if word == "NUMBER" else word for word in arguments))
    assert ran.code == code and words in ran.err, ran.err
    assert cli.ok("sandbox", "callbacks", "-o", "json").json == []


def test_a_number_of_no_pool(cli: Cli) -> None:
    ran = cli("sandbox", "message", ANN, cli.seed(1)[0]["sid"], "hi")
    assert ran.code == 5 and "number add" in ran.err


def test_a_served_sandbox_calls_back(cli: Cli, application: Receiver, number: str) -> None:
    """Through the server's own requests, and only to hosts that it was given."""
    cli.ok("service", "update", "rides", "--intercept-callback-url", "http://other.invalid/", "-q")
    with cli.process("sandbox", "serve", "--port", "0", "--callbacks-to", "other.invalid") as process:
        assert process.stdout
        client = Client(int(process.stdout.readline().decode().rpartition(":")[2]))
        sent: dict[str, Any] = {"from": ANN, "to": number, "text": "hello"}
        assert client.json("POST", "/_sandbox/message", sent)["status"] == "delivered"
        wait_for(lambda: len(application.forms("/status")) == 3)
        wait_for(lambda: len(client.json("GET", "/_sandbox/callbacks")["callbacks"]) == 4)
        intercepted = client.json("GET", "/_sandbox/callbacks")["callbacks"][-1]
        assert intercepted["kind"] == "intercept" and "--callbacks-to" not in intercepted["error"]
        refused = client.json("POST", "/_sandbox/message", {**sent, "to": "+14155550100"})
        assert (refused["status"], refused["code"]) == (404, 20001)
        client.close()
        process.terminate()
        assert process.wait(10) == 0
