"""Commands that read Sessions: how much they ask for, which time they go by, and what is left where reading fails."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from proxyctl.sandbox.behaviour import ACCOUNT_SID, AUTH_TOKEN, Sandbox
from proxyctl.sandbox.server.faults import FaultPlan, Scripted
from proxyctl.sandbox.world.store import Store
from tests.api.stubs import http, raw_server, read_request
from tests.sandbox.serving import Served, served
from tests.support import Cli, StandingClock

KS, KC, KP = "KS" + "1" * 32, "KC" + "2" * 32, "KP" + "3" * 32


def masked(cli: Cli, count: int) -> list[str]:
    """A Service with ``count`` numbers, of which the first has two Sessions and the second one; return the numbers."""
    numbers = [row["phone_number"] for row in cli.ok(*seed(count)).json]
    cli.ok("service", "create", "masking")
    cli.ok("number", "add", "masking", *numbers, "--unreserved")
    for number, sessions in zip(numbers, ("2", "1"), strict=False):
        cli.ok("sandbox", "busy", number, sessions)
    return numbers


def seed(count: int) -> tuple[str, ...]:
    return ("sandbox", "seed", "--numbers", str(count), "--seed", "1", "-o", "json")


def participants_read(server: Served) -> int:
    return sum("/Participants" in entry.path for entry in server.ledger.entries)


def test_in_process_and_over_http_the_answers_are_the_same(either: Cli) -> None:
    numbers = masked(either, 3)
    listed = either.ok("session", "list", "masking", "--with-participants", "-o", "json").json
    assert [len(row["participants"]) for row in listed] == [2, 2, 2]
    held = either.ok("session", "list", "--all", "--number", numbers[0], "-o", "json").json
    assert [row["sid"] for row in held] == [row["sid"] for row in listed[:2]]
    person = listed[2]["participants"][0]["identifier"]
    ran = either.ok("session", "list", "masking", "--participant", person, "--count")
    assert int(ran.out) >= 1
    shown = either.ok("session", "show", "masking", listed[0]["sid"], "-o", "json").json
    assert (shown["participants"], shown["ends_about"]) == (listed[0]["participants"], None)


def test_a_numbers_holders_cost_no_closed_session_and_no_further_one(remote: Cli, server: Served) -> None:
    numbers = masked(remote, 2)
    for _ in range(3):
        sid = remote.ok("api", "POST", f"/v1/Services/{service(remote)}/Sessions").json["sid"]
        remote.ok("api", "POST", f"/v1/Services/{service(remote)}/Sessions/{sid}", "-d", "Status=closed")
    server.ledger.clear()
    ran = remote.ok("session", "list", "masking", "--number", numbers[1], "-o", "ids")
    assert len(ran.lines) == 1
    assert "stopped reading, because in_use says" in ran.err
    assert participants_read(server) == 3  # the active ones
    remote.ok("sandbox", "busy", numbers[1], "0")
    server.ledger.clear()
    assert remote.ok("session", "list", "masking", "--number", numbers[1]).out.count("\n") == 1
    assert participants_read(server) == 0


def service(cli: Cli) -> str:
    return cli.ok("service", "show", "masking", "-o", "ids").lines[0]


def test_a_list_that_fails_prints_what_was_read(sandbox: Sandbox, remote: Cli, server: Served) -> None:
    masked(remote, 2)
    sandbox.rules = replace(sandbox.rules, max_page_size=2)  # within a page they are asked in parallel
    server.policies.faults = FaultPlan(script=[Scripted("503", path="Participants", first=3, times=None)])
    ran = remote("session", "list", "masking", "--with-participants", "-o", "jsonl", "--retries", "0")
    assert (ran.code, len(ran.rows)) == (7, 2)
    assert "warning: the list is not complete. It ends after 2 Sessions" in ran.err


def test_a_session_that_is_deleted_meanwhile_is_left_out(remote: Cli, server: Served) -> None:
    masked(remote, 2)
    server.policies.faults = FaultPlan(script=[Scripted("404", path="Participants", times=1)])
    assert len(remote.ok("session", "list", "masking", "--with-participants", "-o", "ids").lines) == 2


@pytest.fixture
def ahead(tmp_path: Path) -> Iterator[tuple[Cli, StandingClock]]:
    """A server whose clock is years ahead of ours."""
    clock = StandingClock(3_000_000_000.0)
    with Store(":memory:") as store, served(Sandbox(store, clock=clock)) as server:
        names = {"TWILIO_ACCOUNT_SID": ACCOUNT_SID, "TWILIO_AUTH_TOKEN": AUTH_TOKEN}
        yield Cli(tmp_path, {**names, "PROXYCTL_BASE_URL": server.url}), clock


def test_now_is_the_servers_time(ahead: tuple[Cli, StandingClock]) -> None:
    cli, clock = ahead
    ks = cli.ok("service", "create", "masking", "-o", "ids").lines[0]
    cli.ok("api", "POST", f"/v1/Services/{ks}/Sessions", "-d", "UniqueName=ride")
    idle = ("session", "list", "masking", "--idle-for", "1h", "--count")
    assert cli.ok(*idle).out == "0\n"
    clock.sleep(3600)
    assert cli.ok(*idle).out == "1\n"


def test_a_refusal_names_the_command_where_sessions_cannot_be_read(remote: Cli, server: Served) -> None:
    numbers = masked(remote, 3)
    server.policies.faults = FaultPlan(script=[Scripted("403", path="/Sessions", times=None)])
    ran = remote("number", "remove", "masking", numbers[0], "--yes")
    assert ran.code == 5
    assert "is held by" not in ran.err
    assert f"'proxyctl session list masking --number {numbers[0]} --with-participants' shows all" in ran.err


def test_naming_the_holders_takes_five_seconds_at_most(remote: Cli) -> None:
    """At the documented rate, more Sessions than a burst are read before the one that is sought."""
    numbers = masked(remote, 3)
    remote.ok("sandbox", "busy", numbers[2], "160")
    remote.ok("sandbox", "busy", numbers[1], "0")
    remote.ok("sandbox", "busy", numbers[1], "1")
    clock = remote.clock = StandingClock()
    ran = remote("number", "remove", "masking", numbers[1], "--yes")
    assert (ran.code, clock.time <= 5.0) == (5, True)
    assert "is held by" not in ran.err
    assert f"session list masking --number {numbers[1]} --with-participants' shows all" in ran.err


def test_sessions_are_read_only_where_that_is_asked_for(remote: Cli, server: Served) -> None:
    masked(remote, 2)
    for verb in ("status", "audit"):
        for options in ((), ("--sessions",)):
            server.ledger.clear()
            remote("pool", verb, "masking", *options)
            assert any("/Sessions" in entry.path for entry in server.ledger.entries) is bool(options)


# A server that is not ours: no Date, a status and fields that nobody knows, null where a date is expected.

SESSION = {"sid": KC, "service_sid": KS, "status": "open", "unique_name": "ride 1/2", "date_created": None}
PAGES = {
    "/v1/Services": {"services": [{"sid": KS, "unique_name": "theirs", "account_sid": ACCOUNT_SID}]},
    f"/v1/Services/{KS}": {"sid": KS, "unique_name": "theirs", "account_sid": ACCOUNT_SID},
    f"/v1/Services/{KS}/Sessions": {
        "sessions": [SESSION, {"sid": "KC" + "4" * 32, "status": "paused", "ttl": "60"}]
    },
    f"/v1/Services/{KS}/Sessions/{KC}": SESSION,
    f"/v1/Services/{KS}/Sessions/{KC}/Participants": {
        "participants": [
            {"sid": KP, "identifier": "whatsapp:+12125550177", "proxy_identifier": "whatsapp:+1"}
        ]
    },
    f"/v1/Services/{KS}/Sessions/{KC}/Interactions": {"interactions": [{"sid": "KI" + "5" * 32}]},
}


@pytest.fixture
def theirs(tmp_path: Path) -> Iterator[Cli]:
    def handle(connection: socket.socket) -> None:
        while request := read_request(connection):
            path = re.sub(rb"[? ].*", b"", request.split(b" ", 1)[1], flags=re.DOTALL).decode()
            found = PAGES.get(path, {})
            body = {"meta": {"next_page_url": None}, **found} if "sid" not in found else found
            connection.sendall(http(json.dumps(body).encode(), "200 OK" if found else "404 Not Found"))

    with raw_server(handle) as port:
        names = {"TWILIO_ACCOUNT_SID": ACCOUNT_SID, "TWILIO_AUTH_TOKEN": AUTH_TOKEN}
        yield Cli(tmp_path, {**names, "PROXYCTL_BASE_URL": f"http://127.0.0.1:{port}"})


def test_a_server_that_is_not_ours_will_do(theirs: Cli) -> None:
    listed = theirs.ok("session", "list", "theirs", "-o", "json").json
    assert [row["status"] for row in listed] == ["open", "paused"]
    line = ("session", "list", "theirs", "--active", "--participant", "whatsapp:+12125550177")
    assert theirs.ok(*line, "--with-participants", "-o", "json").json[0]["sid"] == KC
    assert theirs.ok("session", "list", "theirs", "--idle-for", "1s", "-o", "ids").out == ""
    for name in (KC, "ride 1/2"):
        shown = theirs.ok("session", "show", "theirs", name, "-o", "json").json
        assert (shown["ends_about"], len(shown["participants"]), len(shown["interactions"])) == (None, 1, 1)
    assert theirs("session", "show", "theirs", "ride 2").code == 4
