"""A secret that is a word or a letter: errors stay readable for programs and people, and their commands run."""

from __future__ import annotations

import json

import pytest

from proxyctl.text import REDACTED
from tests.api.stubs import AC
from tests.commands.doctor_support import answering
from tests.support import Cli

KEYS = ["kind", "message", "hint", "status", "code", "more_info", "request_id", "exit_code"]
SUMMARY = ["verb", "service", "profile", "started", "seconds", "counts", "exit_code", "error"]
SECRETS = (
    "e",
    "o",
    "1",
    ":",
    '"',
    "ok",
    "error",
    "service",
    "message",
    "auth",
    "exit_code",
    "authentication",
)
REFUSED = {"code": 20003, "message": "Authenticate", "status": 401}


@pytest.mark.parametrize("secret", SECRETS)
def test_errors_stay_whole(bare: Cli, secret: str) -> None:
    if secret == '"':
        secret = 'a"b'  # a quote at either end is refused
    with answering(json.dumps(REFUSED).encode(), "401 Unauthorized") as (port, _):
        environ = {
            "TWILIO_ACCOUNT_SID": AC,
            "TWILIO_AUTH_TOKEN": secret,
            "PROXYCTL_BASE_URL": f"http://127.0.0.1:{port}",
        }
        ran = bare("service", "list", "-o", "json", environ=environ)
        people = bare("service", "list", environ=environ)
        bare("pool", "status", "--all", "--summary-json", str(bare.directory / "summary"), environ=environ)
        doctor = bare("doctor", "-o", "jsonl", environ=environ)
    assert (ran.code, list(ran.error), ran.error["kind"], ran.error["exit_code"]) == (
        3, KEYS, "authentication", 3,
    )  # fmt: skip
    assert "proxyctl auth login" in ran.error["hint"] and "proxyctl auth login" in people.err
    assert all(list(row) == ["check", "state", "detail", "hint"] for row in doctor.rows)
    assert {row["state"] for row in doctor.rows} <= {"ok", "warning", "fail"}
    assert doctor.code == 3
    summary = json.loads((bare.directory / "summary").read_text())
    assert list(summary) == SUMMARY and list(summary["error"]) == KEYS


def test_a_short_secret_in_a_response_is_gone(bare: Cli) -> None:
    said = {**REFUSED, "message": "token 'hunter2' of hunter2s is bad"}
    with answering(json.dumps(said).encode(), "401 Unauthorized") as (port, _):
        environ = {
            "TWILIO_ACCOUNT_SID": AC,
            "TWILIO_AUTH_TOKEN": "hunter2",
            "PROXYCTL_BASE_URL": f"http://127.0.0.1:{port}",
        }
        for form in ("json", "tsv"):
            ran = bare("service", "list", "-o", form, "-vv", environ=environ)
            assert f"token '{REDACTED}' of hunter2s is bad" in ran.err
