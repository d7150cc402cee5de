"""`api METHOD PATH`: any other request, never to another host, with the body as JSON."""

from __future__ import annotations

import pytest

from proxyctl.sandbox.context import ACCOUNT_SID
from tests.sandbox.serving import Served
from tests.support import Cli


def test_the_three_apis_are_reached(either: Cli) -> None:
    numbers = either.seed(3)
    made = either.ok("api", "POST", "/v1/Services", "-d", "UniqueName=a", "-d", "DefaultTtl=60").json
    assert (made["unique_name"], made["default_ttl"]) == ("a", 60)
    path = f"/v1/Services/{made['sid']}"
    assert either.ok("api", "GET", path).json == made
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


PATHS = (
    *("https://evil.example/v1/Services", "//evil.example/v1/Services", "evil.example/v1", "v1/Services", ""),
    *("/v2/Services", "/v1", "/v1/../2010-04-01/x", "/v1/%2e%2e/x", "/v1/a b", "/v1/a\nb", "/v1/a\\b"),
    *("/v1//Services", "/v1/Services#x", "/v1/\u202e", "@evil.example/v1/Services", "/v1/%zz"),
)


@pytest.mark.parametrize(
    "arguments",
    [*(("GET", path) for path in PATHS), ("POST", "/v1/Services", "-d", "UniqueName=\udcff")],
    ids=repr,
)
def test_a_path_never_leaves_its_server(remote: Cli, server: Served, arguments: tuple[str, ...]) -> None:
    ran = remote("api", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert "\u202e" not in ran.err
    assert server.ledger.entries == []


def test_a_path_that_is_too_long_for_a_request(cli: Cli) -> None:
    for words in (("/v1/" + "x" * 70_000,), ("/v1/Services", "-d", "Q=" + "x" * 70_000)):
        ran = cli("api", "GET", *words)
        assert (ran.code, "too long" in ran.err) == (2, True)
