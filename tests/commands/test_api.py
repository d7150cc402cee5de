"""`api METHOD PATH`: any other request, never to another host, with the body as JSON."""

from __future__ import annotations

import pytest

from proxyctl.sandbox.context import ACCOUNT_SID
from tests.sandbox.serving import Served
from tests.support import Cli

NOBODY = "KS" + "1" * 32


def test_the_three_apis_are_reached(either: Cli) -> None:
    numbers = either.seed(3)
    made = either.ok("api", "POST", "/v1/Services", "-d", "UniqueName=a", "-d", "DefaultTtl=60").json
    assert (made["unique_name"], made["default_ttl"]) == ("a", 60)
    path = f"/v1/Services/{made['sid']}"
    assert either.ok("api", "GET", path).json == made
    assert either.ok("api", "post", path, "-d", "CallbackUrl=https://a.example/?a=b").json[
        "callback_url"
    ] == ("https://a.example/?a=b")
    assert either.ok("api", "GET", "/messaging/v1/Services").json["services"] == []
    account = f"/2010-04-01/Accounts/{ACCOUNT_SID}/IncomingPhoneNumbers"
    listed = either.ok("api", "GET", f"{account}.json", "-d", "PageSize=2").json
    assert len(listed["incoming_phone_numbers"]) == 2
    one = either.ok("api", "GET", f"{account}/{numbers[0]['sid']}.json").json
    assert one["phone_number"] == numbers[0]["phone_number"]
    asking = either("api", "DELETE", path)
    assert asking.code == 2 and "--yes" in asking.err, "what it takes away does not come back"
    assert either.ok("api", "GET", path).json["unique_name"] == "a"
    gone = either.ok("api", "DELETE", path, "--yes")
    assert gone.out == ""
    assert either("api", "GET", path).code == 4


def test_paginate_prints_one_array_of_all_items(either: Cli) -> None:
    sids = [row["sid"] for row in either.seed(5)]
    account = f"/2010-04-01/Accounts/{ACCOUNT_SID}/IncomingPhoneNumbers.json"
    items = either.ok("api", "GET", account, "-d", "PageSize=2", "--paginate").json
    assert sorted(item["sid"] for item in items) == sorted(sids)
    query = either.ok("api", "GET", f"{account}?PageSize=2", "--paginate", "-o", "ids").lines
    assert sorted(query) == sorted(sids)
    assert either.ok("api", "GET", "/v1/Services", "--paginate").json == []
    for name in "abc":
        either.ok("service", "create", name, "-q")
    rows = either.ok("api", "GET", "/v1/Services", "--paginate", "-d", "PageSize=1", "-o", "jsonl").rows
    assert [row["unique_name"] for row in rows] == ["a", "b", "c"]
    chosen = ("api", "GET", "/v1/Services", "--paginate", "--fields", "unique_name")
    assert either.ok(*chosen).json == [{"unique_name": name} for name in "abc"]
    assert either.ok(*chosen, "-o", "csv", "--no-header").lines == ["a", "b", "c"]
    refused = either("api", "POST", "/v1/Services", "--paginate")
    assert refused.code == 2 and "GET" in refused.err


def test_fields_choose_of_one_answer(either: Cli) -> None:
    ask = ("api", "GET", "/v1/Services")
    assert either.ok(*ask, "--fields", "meta.key,services").json == {"meta.key": "services", "services": []}
    assert either.ok(*ask, "--fields", "meta.key", "-o", "jsonl").lines == ['{"meta.key":"services"}']
    assert len(either.ok(*ask, "-o", "jsonl").lines) == 1
    unknown = either(*ask, "--fields", "mata")
    assert (unknown.code, unknown.out) == (2, "") and "did you mean meta" in unknown.err
    made = either.ok("api", "POST", "/v1/Services", "-d", "UniqueName=a", "--fields", "unique_name,nope")
    assert made.json == {"unique_name": "a", "nope": None} and "warning" in made.err
    empty = either("api", "POST", "/v1/Services", "-d", "UniqueName=b", "--fields", ",")
    assert empty.code == 2 and either("service", "show", "b").code == 4


@pytest.mark.parametrize(
    "path",
    [
        *(
            "https://evil.example/v1/Services",
            "//evil.example/v1/Services",
            "evil.example/v1",
            "v1/Services",
            "",
        ),
        *("/v2/Services", "/v1", "/v1/../2010-04-01/x", "/v1/%2e%2e/x", "/v1/a b", "/v1/a\nb", "/v1/a\\b"),
        *("/v1//Services", "/v1/Services#x", "/v1/\u202e", "@evil.example/v1/Services", "/v1/%zz"),
    ],
)
def test_a_path_never_leaves_its_server(remote: Cli, server: Served, path: str) -> None:
    ran = remote("api", "GET", path)
    assert (ran.code, ran.out) == (2, "")
    assert "\u202e" not in ran.err
    assert server.ledger.entries == []


def test_what_else_is_no_request(remote: Cli, server: Served) -> None:
    for arguments in (
        ("FOO", "/v1/Services"),
        ("HEAD", "/v1/Services"),
        ("POST", "/v1/Services", "-d", "UniqueName"),
        ("POST", "/v1/Services", "-d", "=x"),
        ("POST", "/v1/Services", "-d", "UniqueName=\udcff"),
        ("GET",),
        (),
        ("GET", "/v1/Services", "more"),
    ):
        assert remote("api", *arguments).code == 2, arguments
    assert server.ledger.entries == []


def test_refusals_have_the_codes_of_other_commands(either: Cli) -> None:
    either.ok("service", "create", "a", "-q")
    assert either("api", "POST", "/v1/Services", "-d", "UniqueName=a").code == 5
    assert either("api", "PUT", "/v1/Services").code == 5
    assert either("api", "GET", "/v1/Nothing").code == 4
    missing = either("api", "DELETE", f"/v1/Services/{NOBODY}", "--yes", "-o", "json")
    assert (missing.code, missing.out, missing.error["code"]) == (4, "", 20404)
    wrong = either("api", "GET", "/v1/Services", environ={"TWILIO_AUTH_TOKEN": "wrong"})
    assert wrong.code == (3 if "TWILIO_AUTH_TOKEN" in either.environ else 0)


def test_no_list_no_pages(either: Cli) -> None:
    sid = either.ok("service", "create", "a", "-o", "ids").lines[0]
    ran = either("api", "GET", f"/v1/Services/{sid}", "--paginate")
    assert ran.code == 1 and "not a page of a list" in ran.err


def test_verbose_tells_each_request_and_no_secret(remote: Cli) -> None:
    ran = remote.ok("api", "GET", "/v1/Services", "-vv")
    assert ran.err.startswith("GET /v1/Services 200 RQ")
    assert remote.environ["TWILIO_AUTH_TOKEN"] not in ran.err
    assert remote.ok("api", "GET", "/v1/Services", "-v").err == ""
