"""ProxyClient against a strict stub: what is sent, and what each answer means."""

from __future__ import annotations

import base64
import gzip
import os
import platform
from typing import Any

import httpx
import pytest

from proxyctl import __version__
from proxyctl.api.endpoint import Endpoint
from proxyctl.api.resources import Call, form
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
from proxyctl.text import Redactor
from tests.api.stubs import KS, PN, SECRET, answer, refusal, scripted, sent

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
        ({"message": "x" * 600}, None, "x" * 497 + "...", None),
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


@pytest.mark.parametrize(
    "reply", [httpx.Response(204), answer({"sid": KS}), httpx.Response(200, content=b"")]
)
def test_a_delete_may_answer_with_or_without_a_body(reply: httpx.Response) -> None:
    with scripted((f"DELETE {ITEM}", reply)) as client:
        assert client.send(DELETE).status == reply.status_code


def _packed(content: bytes, encoding: str = "gzip") -> httpx.Response:
    # Raw, for httpx would unpack it while it builds the answer.
    return httpx.Response(200, headers={"Content-Encoding": encoding}, stream=httpx.ByteStream(content))


def test_gzip_is_unpacked_with_a_bound() -> None:
    bomb = gzip.compress(b"\0" * (33 * 2**20))
    assert len(bomb) < 40_000
    with scripted(("GET /v1/Services", _packed(gzip.compress(b'{"a": 1}')))) as client:
        assert client.send(LIST).body == {"a": 1}
    for reply in (_packed(bomb), httpx.Response(200, content=b" " * (32 * 2**20 + 1))):
        with scripted(("GET /v1/Services", reply)) as client, pytest.raises(AnswerError, match="larger than"):
            client.send(LIST)


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


@pytest.mark.parametrize("location", ["https://u:p@evil.example/v1/Services", "/login", "https://\x1b[31m/"])
def test_a_redirect_is_not_followed(location: str) -> None:
    script = ("GET /v1/Services", httpx.Response(302, headers=[(b"Location", location.encode())]))
    with scripted(script) as client, pytest.raises(NetworkError, match="redirects") as caught:
        client.send(LIST)
    assert not caught.value.repeatable
    assert caught.value.exit_code == 7
    assert "u:p" not in caught.value.message and "\x1b" not in caught.value.message


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
    script = ("GET /v1/Services", refusal(401, 20003, echo, Twilio_Request_Id="RQ7"))
    with (
        scripted(script, log=lines.append, redactor=Redactor()) as client,
        pytest.raises(AuthenticationError) as caught,
    ):
        client.send(LIST)
    assert [line.split(" ")[:4] for line in lines] == [["GET", "/v1/Services", "401", "RQ7"]]
    everything = "\n".join([*lines, caught.value.message, str(caught.value.hint), str(caught.value.problem)])
    assert SECRET not in everything
    assert caught.value.message.endswith("bad token [redacted] in Basic [redacted]")


def test_a_secret_cut_at_the_limit_is_not_half_shown() -> None:
    reply = refusal(400, 1, "x" * (500 - len(SECRET) // 2) + SECRET)
    with scripted(("GET /v1/Services", reply)) as client, pytest.raises(RefusedError) as caught:
        client.send(LIST)
    assert SECRET[:6] not in caught.value.message


def test_authentication_errors_say_what_to_type() -> None:
    script = ("GET /v1/Services", refusal(401, 20003))
    with scripted(script) as client, pytest.raises(AuthenticationError) as caught:
        client.send(LIST)
    assert "proxyctl auth login" in str(caught.value.hint)


def test_odd_request_ids_are_dropped() -> None:
    for text in ("\x1b[31m", "x" * 65, "RQ 1"):
        reply = httpx.Response(200, json={}, headers=[(b"Twilio-Request-Id", text.encode())])
        with scripted(("GET /v1/Services", reply)) as client:
            assert client.send(LIST).request_id is None
