"""Errors: a short paragraph or one JSON object on stderr, the exit codes, no traceback, no secret."""

from __future__ import annotations

import pytest

from proxyctl.cli import end_as_asked, finish
from proxyctl.errors import DeadlineError, Interrupted, PartialError, ProxyctlError
from proxyctl.runtime import Runtime
from proxyctl.sandbox.server.faults import FaultPlan
from tests.sandbox.serving import Served
from tests.support import Cli, Ran, stream, written

KEYS = ["kind", "message", "hint", "status", "code", "more_info", "request_id", "exit_code"]
NOBODY = "KS" + "1" * 32
CANARY = "canary-5f8e-secret"


def test_the_json_error_is_one_line_with_all_keys_the_last_of_stderr(either: Cli) -> None:
    either.ok("service", "create", "a", "-q")
    for arguments, kind, code in (
        (("service", "show", "b"), "not_found", 4),
        (("service", "show", NOBODY), "not_found", 4),
        (("service", "create", "a"), "refused", 5),
        (("service", "update", "a"), "usage", 2),
        (("service", "delete", "a"), "usage", 2),
        (("number", "add", "a", "foo"), "input", 2),
        (("number", "add", "a", "+14155550100"), "refused", 5),
        (("number", "add", "a", "+14155550100", "+14155550101"), "partial", 6),
        (("service", "list", "--fields", "nope"), "usage", 2),
        (("api", "GET", "/nope"), "usage", 2),
    ):
        for form in ("json", "jsonl"):
            ran = either(*arguments, "-o", form)
            assert ran.code == code, (arguments, ran.err)
            assert list(ran.error) == KEYS
            assert ran.error["kind"] == kind and ran.error["exit_code"] == code, arguments
            assert ran.error["message"] and ran.err.isascii() and ran.err.endswith("}\n")


def test_no_credentials_and_three_ways_on(bare: Cli) -> None:
    for arguments in (
        ("service", "list"),
        ("number", "add", "a", "+14155550100"),
        ("api", "GET", "/v1/Services"),
    ):
        ran = bare(*arguments)
        assert (ran.code, ran.out) == (3, "")
        assert "auth login" in ran.err and "--sandbox" in ran.err and "TWILIO_ACCOUNT_SID" in ran.err
    half = bare("service", "list", environ={"TWILIO_ACCOUNT_SID": "AC" + "1" * 32})
    assert half.code in (2, 3) and "TWILIO_AUTH_TOKEN" in half.err


def test_wrong_credentials_end_with_3_at_once(remote: Cli, server: Served) -> None:
    remote.ok("service", "create", "a", "-q")
    server.ledger.clear()
    for arguments in (
        ("service", "list"),
        ("service", "create", "b"),
        ("number", "add", "a", "+14155550100"),
    ):
        server.ledger.clear()
        ran = remote(*arguments, "-vv", environ={"TWILIO_AUTH_TOKEN": CANARY})
        assert (ran.code, ran.out) == (3, "")
        assert CANARY not in ran.err
        assert len(server.ledger.entries) == 1, "a refusal is not repeated"


@pytest.mark.parametrize(
    ("fault", "code", "kind"),
    [
        ("500", 7, "server"),
        ("503", 7, "server"),
        ("html", 7, "server"),
        ("reset", 7, "network"),
        ("429", 7, "throttled"),
        ("401", 3, "authentication"),
        ("403", 3, "authentication"),
        ("truncate", 7, "network"),
        ("empty", 1, "answer"),
        ("garbage-list", 1, "answer"),
    ],
)
def test_faults_of_the_server_have_their_codes(
    remote: Cli, server: Served, fault: str, code: int, kind: str
) -> None:
    server.policies.faults = FaultPlan.parse([f"{fault}=1"], 1)
    options = ("--retries", "0") if fault != "429" else ("--retries", "0", "--timeout", "1")
    if fault == "429":
        server.policies.retry_after = "3600"
    ran = remote("service", "list", *options, "-o", "json")
    assert (ran.code, ran.error["kind"]) == (code, kind), ran.err
    assert "Traceback" not in ran.err and "<html" not in ran.err.lower()


def test_nobody_listens(bare: Cli) -> None:
    environ = {
        "TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
        "TWILIO_AUTH_TOKEN": CANARY,
        "PROXYCTL_BASE_URL": "http://127.0.0.1:9",
    }
    ran = bare("service", "list", "--retries", "0", "-o", "json", environ=environ)
    assert (ran.code, ran.error["kind"]) == (7, "network")
    assert CANARY not in ran.err
    for url in ("http://evil.example", "http://u:p@127.0.0.1", "ftp://127.0.0.1", "127.0.0.1:9"):
        wrong = bare("service", "list", environ={**environ, "PROXYCTL_BASE_URL": url})
        assert wrong.code == 2 and "u:p" not in wrong.err, url


def test_a_defect_is_told_without_a_traceback(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    from proxyctl.writes.reading import Reader

    def broken(self: Reader, call: object) -> None:
        secret = CANARY  # a local variable: it must not come out
        raise LookupError(f"oops {len(secret)}")

    monkeypatch.setattr(Reader, "pages", broken)
    ran = cli("service", "list")
    assert ran.code == 1 and "internal error" in ran.err and "oops 18" in ran.err
    assert "Traceback" not in ran.err and CANARY not in ran.err
    traced = cli("service", "list", environ={"PROXYCTL_DEBUG": "1"})
    assert traced.code == 1 and "Traceback" in traced.err
    assert f"secret = '{CANARY}'" not in traced.err


@pytest.mark.parametrize("error", [DeadlineError("time is up"), PartialError("2 failed"), None])
def test_a_signal_that_was_obeyed_decides_the_exit_code(error: ProxyctlError | None) -> None:
    out, err = stream(), stream()
    runtime = Runtime(environ={"PROXYCTL_OUTPUT": "json"}, stdout=out, stderr=err)

    def work() -> None:
        runtime.stop.request(Interrupted(15))
        if error is not None:
            raise error
        end_as_asked(runtime)

    ran = Ran(finish(runtime, work), written(out), written(err))
    assert (ran.code, ran.error["kind"], ran.error["exit_code"]) == (143, "interrupted", 143)
    assert (error.message if error else "all was done") in ran.error["message"]
