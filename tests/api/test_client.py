"""ProxyClient against a strict stub: what is sent, what each answer means, and when it is sent again."""

from __future__ import annotations

import base64
import gzip
import os
import platform
from email.utils import formatdate
from typing import Any

import httpx
import pytest

from proxyctl import __version__
from proxyctl.api.client import Call, Credentials, Endpoint, ProxyClient, form
from proxyctl.api.retry import TooLargeError
from proxyctl.errors import (
    AnswerError,
    AuthenticationError,
    NetworkError,
    NotFoundError,
    ProxyctlError,
    RefusedError,
    ServerError,
    ThrottledError,
)
from proxyctl.redact import Redactor
from tests.api.stubs import KS, PN, SECRET, answer, refusal, scripted, sent, slept

LIST = Call("GET", "/v1/Services")
ITEM = f"/v1/Services/{KS}"
POOL = f"/v1/Services/{KS}/PhoneNumbers"
CREATE = Call("POST", "/v1/Services", data=form(unique_name="a b+c"), expect="sid")
UPDATE = Call("POST", ITEM, data=form(default_ttl=3), expect="sid")
DELETE = Call("DELETE", ITEM)


def test_a_request_as_it_leaves() -> None:
    reply = answer({"sid": KS}, 201, Twilio_Request_Id="RQ1")
    with scripted(("POST /v1/Services", reply)) as client:
        got = client.send(CREATE)
        request = sent(client)[0]
    assert (got.status, got.body, got.request_id) == (201, {"sid": KS}, "RQ1")
    assert got.duration >= 0
    assert request.content == b"UniqueName=a+b%2Bc"
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert request.headers["Authorization"] == "Basic " + base64.b64encode(f"SK1:{SECRET}".encode()).decode()
    system = f"{os.uname().sysname.lower()} {os.uname().machine}"
    python = platform.python_version()
    agent = f"proxyctl/{__version__} ({system}) Python/{python} httpx/{httpx.__version__}"
    assert request.headers["User-Agent"] == agent


def test_query_and_no_body_on_a_get() -> None:
    call = Call("GET", "/v1/Services", params=(("PhoneNumber", "+1415"), ("PageSize", "5")))
    with scripted(("GET /v1/Services?PhoneNumber=%2B1415&PageSize=5", answer([]))) as client:
        assert client.send(call).body == []
        assert "Content-Type" not in sent(client)[0].headers


@pytest.mark.parametrize(
    ("call", "status", "code", "kind", "unsure"),
    [
        (LIST, 401, 20003, AuthenticationError, False),
        (CREATE, 403, 20006, AuthenticationError, False),
        (CREATE, 429, 80621, ThrottledError, False),
        (CREATE, 429, 20429, ThrottledError, False),
        (LIST, 500, 20500, ServerError, False),
        (CREATE, 500, 20500, ServerError, True),
        (UPDATE, 503, None, ServerError, True),
        (DELETE, 504, None, ServerError, True),
        (Call("GET", ITEM), 404, 20404, NotFoundError, False),
        (Call("GET", ITEM), 404, None, NotFoundError, False),
        (Call("GET", ITEM), 400, 80408, NotFoundError, False),
        (Call("GET", f"{POOL}/{PN}"), 400, 80407, NotFoundError, False),
        (DELETE, 400, 80307, NotFoundError, False),
        (DELETE, 400, 80503, NotFoundError, False),
        (Call("POST", POOL), 400, 80408, NotFoundError, False),
        (Call("POST", POOL), 404, 20404, NotFoundError, False),
        (Call("POST", POOL), 400, 80407, RefusedError, False),
        (Call("POST", f"{POOL}/{PN}"), 400, 80407, NotFoundError, False),
        (Call("POST", POOL), 400, 80104, RefusedError, False),
        (Call("POST", POOL), 409, None, RefusedError, False),
        (CREATE, 422, None, RefusedError, False),
        (CREATE, 418, None, RefusedError, False),
        (CREATE, 302, None, NetworkError, False),
    ],
)
def test_what_each_status_and_code_means(
    call: Call, status: int, code: int | None, kind: type[ProxyctlError], unsure: bool
) -> None:
    script = (f"{call.method} {call.path}", refusal(status, code, "so it says", Twilio_Request_Id="RQ9"))
    with scripted(script) as client, pytest.raises(kind) as caught:
        client.send(call)
    error = caught.value
    assert type(error) is kind
    assert error.may_have_happened is unsure
    assert error.problem is not None
    assert (error.problem.status, error.problem.code, error.problem.request_id) == (status, code, "RQ9")
    assert str(call) in error.message
    if status != 302:
        assert "so it says" in error.message


@pytest.mark.parametrize(
    ("body", "code", "message", "more_info"),
    [
        (
            {"code": 80104, "message": "m", "more_info": "https://x/80104", "status": 400},
            80104,
            "m",
            "https://x/80104",
        ),
        (
            {"type": "https://x/1", "title": "T", "status": 400, "code": 80104, "detail": "D"},
            80104,
            "D",
            "https://x/1",
        ),
        ({"title": "T", "code": "80104"}, 80104, "T", None),
        ({"message": "x" * 600}, None, "x" * 499 + "…", None),
        ({"message": ["x"], "code": True, "more_info": 3}, None, None, None),
        ({"code": -1, "message": " "}, None, None, None),
        ({"code": 10**40}, None, None, None),
        ({"message": "%s {0} {x}", "more_info": "javascript:1"}, None, "%s {0} {x}", None),
        ([], None, None, None),
        (None, None, None, None),
        ("text", None, None, None),
    ],
)
def test_error_bodies_of_all_shapes(body: Any, code: Any, message: Any, more_info: Any) -> None:
    with scripted(("GET /v1/Services", answer(body, 400))) as client, pytest.raises(RefusedError) as caught:
        client.send(LIST)
    problem = caught.value.problem
    assert problem is not None
    assert (problem.code, problem.message, problem.more_info) == (code, message, more_info)


@pytest.mark.parametrize(
    "content", [b"", b"<html>Bad <b>Gateway</b></html>", b"\xff\xfe\x00", b"{", b"[" * 100_000]
)
@pytest.mark.parametrize(
    ("status", "kind"), [(502, ServerError), (400, RefusedError), (401, AuthenticationError)]
)
def test_errors_whose_body_is_no_json(content: bytes, status: int, kind: type[ProxyctlError]) -> None:
    reply = httpx.Response(status, content=content)
    with scripted(("GET /v1/Services", reply)) as client, pytest.raises(kind) as caught:
        client.send(LIST)
    assert "html" not in caught.value.message
    assert str(status) in caught.value.message


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"null",
        b"[]",
        b'"text"',
        b"NaN",
        b'{"sid": NaN}',
        b'{"sid": "KS1", "x": 1e999}',
        b'{"sid": 5}',
        b'{"sid": ""}',
        b'{"sid": "KS1"',
        b"\xff\xfe",
        b'{"sid": "\xff"}',
        b"[" * 100_000,
        b'{"sid": ' + b"9" * 5000 + b"}",
        b"<html>Please log in to the hotel's network: canary</html>",
    ],
)
@pytest.mark.parametrize("call", [CREATE, UPDATE, Call("GET", ITEM, expect="sid")])
def test_good_status_with_a_bad_body(call: Call, content: bytes) -> None:
    script = (f"{call.method} {call.path}", httpx.Response(200, content=content))
    with scripted(script) as client, pytest.raises(AnswerError) as caught:
        client.send(call)
    assert caught.value.may_have_happened is call.writes
    assert "canary" not in caught.value.message
    assert len(caught.value.message) < 300
    assert caught.value.problem is not None


@pytest.mark.parametrize(
    "body", [{}, {"services": None}, {"services": {}}, {"services": [1]}, {"services": [[]]}, []]
)
def test_lists_that_are_no_lists(body: Any) -> None:
    script = ("GET /v1/Services", answer(body))
    with scripted(script) as client, pytest.raises(AnswerError):
        client.send(Call("GET", "/v1/Services", expect="services"))


@pytest.mark.parametrize("status", [200, 201, 202])
def test_success_in_any_of_its_codes(status: int) -> None:
    with scripted(("POST /v1/Services", answer({"sid": KS}, status))) as client:
        assert client.send(CREATE).status == status


@pytest.mark.parametrize(
    "reply", [httpx.Response(204), answer({"sid": KS}), httpx.Response(200, content=b"")]
)
def test_a_delete_may_answer_with_or_without_a_body(reply: httpx.Response) -> None:
    with scripted((f"DELETE {ITEM}", reply)) as client:
        assert client.request(DELETE).status == reply.status_code


def _packed(content: bytes, encoding: str = "gzip") -> httpx.Response:
    # Raw, for httpx would unpack it while it builds the answer.
    return httpx.Response(200, headers={"Content-Encoding": encoding}, stream=httpx.ByteStream(content))


def test_gzip_is_unpacked_with_a_bound() -> None:
    bomb = gzip.compress(b"\0" * (33 * 2**20))
    assert len(bomb) < 40_000
    with scripted(("GET /v1/Services", _packed(gzip.compress(b'{"a": 1}')))) as client:
        assert client.send(LIST).body == {"a": 1}
    for reply in (_packed(bomb), httpx.Response(200, content=b" " * (32 * 2**20 + 1))):
        with scripted(("GET /v1/Services", reply)) as client, pytest.raises(TooLargeError):
            client.request(LIST)


@pytest.mark.parametrize(
    "reply",
    [
        _packed(gzip.compress(b'{"a": 1}')[:-9]),
        _packed(b"no gzip"),
        _packed(b"{}", "br"),
        _packed(b"{}", "gzip, gzip"),
    ],
)
def test_packed_answers_that_are_damaged(reply: httpx.Response) -> None:
    with scripted(("GET /v1/Services", reply)) as client, pytest.raises(AnswerError):
        client.send(LIST)


UNSENT = [httpx.ConnectError("x"), httpx.ConnectTimeout("x"), httpx.PoolTimeout("x"), httpx.ProxyError("x")]
LOST = [httpx.ReadError("x"), httpx.ReadTimeout("x"), httpx.RemoteProtocolError("x"), httpx.WriteTimeout("x")]


@pytest.mark.parametrize("fault", UNSENT + LOST)
@pytest.mark.parametrize("call", [LIST, CREATE, UPDATE, DELETE])
def test_what_a_broken_connection_means(call: Call, fault: httpx.TransportError) -> None:
    script = (f"{call.method} {call.path}", fault)
    with scripted(script) as client, pytest.raises(NetworkError) as caught:
        client.send(call)
    assert caught.value.may_have_happened is (fault in LOST and call.writes)
    assert caught.value.repeatable
    assert "127.0.0.1" in caught.value.message


def test_reading_is_repeated_with_full_jitter_and_then_given_up() -> None:
    faults = [("GET /v1/Services", refusal(503)) for _ in range(5)]
    with scripted(*faults) as client:
        with pytest.raises(ServerError):
            client.request(LIST)
        assert slept(client) == [0.25, 0.5, 1.0, 2.0]


@pytest.mark.parametrize("call", [LIST, UPDATE, DELETE])
@pytest.mark.parametrize("fault", [httpx.ReadError("x"), refusal(502), answer("no object")])
def test_what_is_repeatable_is_repeated(call: Call, fault: httpx.Response | Exception) -> None:
    call = Call(call.method, call.path, data=call.data, expect="sid")
    asked = f"{call.method} {call.path}"
    with scripted((asked, fault), (asked, answer({"sid": KS}))) as client:
        assert client.request(call).body == {"sid": KS}


@pytest.mark.parametrize("fault", [httpx.ReadError("x"), refusal(500), answer({})])
def test_a_create_that_may_have_happened_is_never_repeated_blindly(fault: httpx.Response | Exception) -> None:
    with scripted(("POST /v1/Services", fault)) as client, pytest.raises(ProxyctlError) as caught:
        client.request(CREATE)
    assert caught.value.may_have_happened


@pytest.mark.parametrize("fault", [httpx.ConnectError("x"), refusal(429, 80621)])
def test_a_create_that_was_not_carried_out_is_repeated(fault: httpx.Response | Exception) -> None:
    with scripted(("POST /v1/Services", fault), ("POST /v1/Services", answer({"sid": KS}, 201))) as client:
        assert client.request(CREATE).status == 201
        assert slept(client) == [0.25]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 401, 403, 404, 400])
def test_what_cannot_get_better_is_not_repeated(status: int) -> None:
    with scripted(("GET /v1/Services", refusal(status))) as client:
        with pytest.raises(ProxyctlError):
            client.request(LIST)
        assert slept(client) == []


def test_a_429_is_no_try() -> None:
    throttled = [("POST /v1/Services", refusal(429, 20429)) for _ in range(8)]
    with scripted(*throttled, ("POST /v1/Services", answer({"sid": KS})), retries=0) as client:
        assert client.request(CREATE).status == 200
        assert len(slept(client)) == 8


def test_retry_after_in_seconds_and_as_a_date() -> None:
    date = {"Date": formatdate(1_000_000, usegmt=True), "Retry-After": formatdate(1_000_007, usegmt=True)}
    script = [refusal(429, Retry_After="3"), refusal(429, **date), refusal(429, Retry_After="-5"), answer({})]
    with scripted(*(("GET /v1/Services", reply) for reply in script)) as client:
        client.request(LIST)
        assert slept(client) == [3.0, 7.0, 1.0]


def test_a_retry_after_above_five_minutes_ends_it_and_says_how_long() -> None:
    script = ("POST /v1/Services", refusal(429, 80621, Retry_After="301"))
    with scripted(script) as client, pytest.raises(ThrottledError, match="wait 301 s") as caught:
        client.request(CREATE)
    assert caught.value.exit_code == 7
    assert caught.value.problem is not None
    assert caught.value.problem.retry_after == 301


def test_a_delete_that_finds_nothing_after_an_unsure_try_was_carried_out() -> None:
    gone = refusal(404, 20404)
    script = (
        (f"DELETE {ITEM}", httpx.ReadError("x")),
        (f"DELETE {ITEM}", gone),
        (f"GET {ITEM}", refusal(404, 20404)),
    )
    with scripted(*script) as client:
        assert client.request(DELETE).status == 204


def test_a_delete_that_finds_nothing_at_first_or_after_a_429_was_not() -> None:
    for script in ([refusal(404)], [refusal(429), refusal(404)], [httpx.ConnectError("x"), refusal(404)]):
        with (
            scripted(*((f"DELETE {ITEM}", reply) for reply in script)) as client,
            pytest.raises(NotFoundError),
        ):
            client.request(DELETE)


@pytest.mark.parametrize(
    ("location", "named"),
    [
        ("https://evil.example/v1/Services", "evil.example"),
        ("https://u:p@evil.example/", "evil.example"),
        ("/login", None),
        ("http://[", None),
        ("https://\x1b[31m/", None),
    ],
)
def test_a_redirect_names_where_it_leads_and_is_not_followed(location: str, named: str | None) -> None:
    script = ("GET /v1/Services", httpx.Response(302, headers=[(b"Location", location.encode())]))
    with scripted(script) as client, pytest.raises(NetworkError) as caught:
        client.request(LIST)
    assert not caught.value.repeatable
    assert caught.value.exit_code == 7
    assert (f"to {named}" in caught.value.message) is (named is not None)
    assert "u:p" not in caught.value.message
    assert "\x1b" not in caught.value.message


class _Crooked(Endpoint):
    """An endpoint with a defect: its URLs lead to somebody else."""

    def url(self, path: str) -> str:
        return f"https://evil.example{path}"


def test_credentials_go_to_the_endpoints_own_origins_only() -> None:
    good = Endpoint.twilio()
    with scripted(endpoint=_Crooked(good.label, good.bases)) as client:
        with pytest.raises(AnswerError, match="another server"):
            client.send(LIST)
        assert sent(client) == []


def test_the_secret_is_in_no_log_line_and_no_error() -> None:
    lines: list[str] = []
    echo = f"bad token {SECRET} in Basic {base64.b64encode(f'SK1:{SECRET}'.encode()).decode()}"
    script = (
        ("GET /v1/Services", refusal(503)),
        ("GET /v1/Services", refusal(401, 20003, echo, Twilio_Request_Id="RQ7")),
    )
    with (
        scripted(*script, log=lines.append, redactor=Redactor()) as client,
        pytest.raises(AuthenticationError) as caught,
    ):
        client.request(LIST)
    assert [line.split(" ")[:4] for line in lines] == [
        ["GET", "/v1/Services", "503", lines[0].split(" ")[3]],
        ["GET", "/v1/Services", "again", "in"],
        ["GET", "/v1/Services", "401", "RQ7"],
    ]
    everything = "\n".join([*lines, caught.value.message, str(caught.value.hint), str(caught.value.problem)])
    assert SECRET not in everything
    assert caught.value.message.endswith("bad token [redacted] in Basic [redacted]")


def test_a_secret_cut_at_the_limit_is_not_half_shown() -> None:
    reply = refusal(400, 1, "x" * (500 - len(SECRET) // 2) + SECRET)
    with scripted(("GET /v1/Services", reply)) as client, pytest.raises(RefusedError) as caught:
        client.send(LIST)
    assert SECRET[:6] not in caught.value.message


def test_authentication_errors_say_what_to_type_and_which_region() -> None:
    endpoint = Endpoint.twilio(region="ie1")
    script = ("GET /v1/Services", refusal(401, 20003))
    with scripted(script, endpoint=endpoint) as client, pytest.raises(AuthenticationError) as caught:
        client.send(LIST)
    assert "proxyctl auth login" in str(caught.value.hint)
    assert "ie1" in str(caught.value.hint)


def test_the_secret_is_fetched_when_the_first_request_is_made() -> None:
    asked: list[int] = []

    def fetch() -> str:
        asked.append(1)
        return SECRET

    transport = httpx.MockTransport(lambda request: answer({}))
    with ProxyClient(
        Endpoint.at("http://localhost"), Credentials("AC1", "AC1", fetch), transport=transport
    ) as client:
        assert asked == []
        client.send(LIST)
        client.send(LIST)
    assert asked == [1]


def test_a_secret_that_cannot_be_sent() -> None:
    transport = httpx.MockTransport(lambda request: answer({}))
    credentials = Credentials("AC1", "AC1", "bad\udcff")
    with (
        ProxyClient(Endpoint.at("http://localhost"), credentials, transport=transport) as client,
        pytest.raises(AuthenticationError) as caught,
    ):
        client.send(LIST)
    assert "bad" not in caught.value.message


def test_odd_request_ids_are_dropped() -> None:
    for text in ("\x1b[31m", "x" * 65, "RQ 1"):
        reply = httpx.Response(200, json={}, headers=[(b"Twilio-Request-Id", text.encode())])
        with scripted(("GET /v1/Services", reply)) as client:
            assert client.send(LIST).request_id is None
