"""Reading answers: whatever the bytes, a value or an AnswerError comes of them."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import json
import math
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxyctl.api import answers
from proxyctl.api.resources import Call
from proxyctl.errors import AnswerError, NetworkError, ProxyctlError
from tests.api.stubs import answer, scripted

_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
_FIELDS = st.dictionaries(st.sampled_from(["code", "message", "more_info", "type", "title", "detail"]), _JSON)


@given(_JSON)
def test_json_comes_through_untouched(value: Any) -> None:
    for data in (json.dumps(value).encode(), b"\xef\xbb\xbf" + json.dumps(value).encode()):
        assert answers.decode(data) == value


def test_lone_surrogates_come_through() -> None:
    assert answers.decode(b'"\\ud800"') == "\ud800"


def test_no_row_behind_the_last_that_a_page_may_have_is_parsed() -> None:
    rows = ['{"sid": "KS1", "links": {"a": [{}, []]}, "b": "},{"}'] * answers.MOST_ROWS
    page = '\ufeff { "meta": {"key": "services"}, "other": [], "services" : [%s] }'
    body = page % ", ".join(rows)
    assert answers.decode(body.encode()) == json.loads(body[1:])
    with pytest.raises(AnswerError, match="larger than"):
        answers.decode((page % " ,".join([*rows, rows[0], "this is no JSON"])).encode())
    text = json.dumps("{" * 2000)
    assert answers.decode(text.encode()) == json.loads(text)


@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_are_a_value_or_an_answer_error(data: bytes) -> None:
    with contextlib.suppress(AnswerError):
        value = answers.decode(data)
        assert not (isinstance(value, float) and not math.isfinite(value))


@given(st.binary(max_size=200), st.lists(st.integers(1, 20), max_size=5))
def test_packed_bytes_come_through_in_any_cuts(data: bytes, cuts: list[int]) -> None:
    packed = gzip.compress(data)
    edges = sorted({0, len(packed), *(cut for cut in cuts if cut < len(packed))})
    chunks = [packed[a:b] for a, b in itertools.pairwise(edges)]
    assert answers.read_body(chunks, "gzip", lambda: None) == data


@given(st.binary(max_size=200))
def test_any_bytes_said_to_be_packed_are_unpacked_or_refused(data: bytes) -> None:
    with contextlib.suppress(AnswerError):
        assert isinstance(answers.read_body([data], "gzip", lambda: None), bytearray)


@given(st.integers(300, 999), _JSON | _FIELDS, st.sampled_from(["GET", "POST", "DELETE"]))
def test_any_error_body_makes_an_error_of_bounded_length(status: int, body: Any, method: str) -> None:
    problem = answers.problem_of(status, body, {}, 0.0, str)
    error = answers.error_of(Call(method, "/v1/Services"), problem)
    assert isinstance(error, ProxyctlError)
    assert len(error.message) < 800
    assert problem.code is None or 0 < problem.code < 10**9


def test_the_deadline_is_kept_between_chunks_of_any_transport() -> None:
    with scripted(("GET /v1/Services", answer({})), timeout=0.0) as client, pytest.raises(NetworkError):
        client.send(Call("GET", "/v1/Services"))


def test_a_good_answer_that_stops_halfway_is_a_broken_connection() -> None:
    class Halfway(httpx.SyncByteStream):
        def __iter__(self) -> Any:
            yield b'{"a":'
            raise httpx.ReadError("reset")

    reply = httpx.Response(201, stream=Halfway())
    with scripted(("POST /v1/Services", reply)) as client, pytest.raises(NetworkError) as caught:
        client.send(Call("POST", "/v1/Services"))
    assert caught.value.may_have_happened
