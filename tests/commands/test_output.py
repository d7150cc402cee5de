"""Output of real commands in every format: whole and plain in a pipe, drawn at a terminal, chosen by --fields."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from proxyctl.sandbox.behaviour import ACCOUNT_SID, AUTH_TOKEN, Sandbox
from proxyctl.sandbox.context import Request, Response
from proxyctl.sandbox.server.faults import FaultPlan, Scripted
from proxyctl.sandbox.world.store import Store
from tests.sandbox.serving import Served, served
from tests.support import Cli

HOSTILE = "a\x1b[31m\u202e\t\n[/oops] \x9b=1+1"


@pytest.fixture
def pool(either: Cli) -> Cli:
    """A Service "a" with three numbers of which one is reserved."""
    sids = [row["sid"] for row in either.seed(3)]
    either.ok("service", "create", "a", "-q")
    either.ok("number", "add", "a", *sids, "-q", "--concurrency", "1")  # one by one: in this order
    either.ok("number", "reserve", "a", sids[0], "-q")
    return either


def test_a_terminal_gets_a_table_and_a_pipe_none(pool: Cli) -> None:
    for columns in (80, 200):
        pool.environ["COLUMNS"] = str(columns)
        shown = pool("number", "list", "a", tty=True)
        assert shown.code == 0 and "Phone number" in shown.out and "3 numbers" in shown.out
        plain = pool("number", "list", "a", "--color", "never", tty=True).out
        assert "\x1b" in shown.out and "\x1b" not in plain
        assert max(map(len, plain.splitlines())) <= columns
        for row in pool.ok("number", "list", "a", "-o", "json").json:
            assert row["sid"] in plain and row["phone_number"] in plain
    table = pool.ok("number", "list", "a", "-o", "table")
    assert "\x1b" not in table.out and "…" not in table.out and table.out.isascii()
    assert "\x1b" in pool.ok("number", "list", "a", "-o", "table", "--color", "always").out


def test_the_default_format_by_environment_and_config(pool: Cli) -> None:
    env = {"PROXYCTL_OUTPUT": "ids"}
    assert pool("service", "list", environ=env).out.startswith("KS")
    assert pool("service", "list", "-o", "json", environ=env).out.startswith("[")
    assert pool("service", "list", environ=env, tty=True).out.startswith("KS")
    wrong = pool("service", "list", environ={"PROXYCTL_OUTPUT": "xml"})
    assert wrong.code == 2 and "PROXYCTL_OUTPUT" in wrong.err
    pool.ok("config", "set", "output", "csv")
    assert pool.ok("service", "list").out.startswith("sid,unique_name,")
    assert pool("service", "list", environ=env).out.startswith("KS")


def test_hostile_names_do_no_harm_and_come_back_exactly(either: Cli) -> None:
    either.ok("service", "create", HOSTILE, "-q")
    assert either.ok("service", "show", HOSTILE, "-o", "json").json["unique_name"] == HOSTILE
    listed = either.ok("service", "list", "-o", "json")
    assert listed.json[0]["unique_name"] == HOSTILE and listed.out.isascii()
    tsv = either.ok("service", "list", "--fields", "unique_name", "--no-header").out
    assert tsv.count("\n") == 1 and r"\t\n[/oops]" in tsv
    shown = either("service", "list", "--color", "never", tty=True).out
    assert not set(shown) & set("\x1b\u202e\t\x9b") and "[/oop" in shown
    refused = either("service", "delete", HOSTILE, "--color", "never", stdin="no\n", tty=True)
    assert refused.code == 2 and not set(refused.err) & set("\x1b\u202e\t\x9b")
    taken = either("service", "create", HOSTILE)
    assert taken.code == 5 and "\x1b" not in taken.err
    either.ok("service", "create", "=1+1", "-q")
    assert "'=1+1" in either.ok("service", "list", "-o", "csv", "--fields", "unique_name").lines


class NewerApi:
    """A sandbox whose resources have fields and capabilities that proxyctl has never heard of."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox, self.account_of = sandbox, sandbox.account_of

    def respond(self, request: Request) -> Response:
        answer = self.sandbox.respond(request)
        body = json.loads(answer.body or b"null")
        for item in (body or {}).get("services", []):
            item["brand_new"] = {"deep": [1, None, "x"]}
        for item in (body or {}).get("phone_numbers", []):
            item["capabilities"]["telepathy"] = True
        return replace(answer, body=json.dumps(body).encode())


def test_unknown_fields_of_the_api_are_kept(store: Store, tmp_path: Path) -> None:
    with served(NewerApi(Sandbox(store))) as server:
        environ = {
            "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
            "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
            "PROXYCTL_BASE_URL": server.url,
        }
        cli = Cli(tmp_path, environ)
        cli.ok("service", "create", "a", "-q")
        cli.ok("number", "add", "a", cli.seed(1)[0]["sid"], "-q")
        assert cli.ok("service", "list", "-o", "json").json[0]["brand_new"] == {"deep": [1, None, "x"]}
        chosen = cli.ok("service", "list", "--fields", "unique_name,brand_new.deep", "-o", "jsonl")
        assert chosen.rows == [{"unique_name": "a", "brand_new.deep": [1, None, "x"]}]
        assert "brand_new" not in cli.ok("service", "list").lines[0], "columns are those that scripts know"
        assert cli.ok("number", "list", "a", "--capability", "telepathy", "--count").out == "1\n"
        assert cli.ok("number", "list", "a", "--sort", "capabilities.telepathy", "-o", "ids").lines
        assert cli("number", "list", "a", "--capability", "telepathi").code == 2


def test_rows_already_read_are_printed_when_a_later_page_fails(remote: Cli, server: Served) -> None:
    numbers = remote.seed(120)
    remote.ok("service", "create", "a", "-q")
    remote.ok("number", "add", "a", "-f", "-", "--rate", "0", "-q", stdin=json.dumps(numbers))
    server.policies.faults = FaultPlan(script=[Scripted("500", path="/PhoneNumbers", first=2, times=None)])
    ran = remote("number", "list", "a", "-o", "json", "--retries", "0")
    assert (ran.code, len(ran.json)) == (7, 100), "the array is closed"
    server.policies.faults = FaultPlan(script=[Scripted("500", path="/PhoneNumbers", first=2, times=None)])
    counted = remote("number", "list", "a", "--count", "--retries", "0")
    assert (counted.code, counted.out) == (7, ""), "half a count is none"
