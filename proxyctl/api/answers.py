"""Reading what came back: a bounded body, JSON as the API writes it, and errors sorted by what to do next.

Apart from the client because it decides and sends nothing: an answer in, a value or an error out. Whatever a
server says, it never crashes, is never dumped, and is never taken for what it is not.
"""

from __future__ import annotations

import json
import math
import re
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from proxyctl import errors
from proxyctl.api import codes
from proxyctl.api.resources import Call
from proxyctl.text import cut

if TYPE_CHECKING:
    import httpx

LARGEST = 32 * 1024 * 1024  # bytes, decoded
LARGEST_ERROR = 64 * 1024
LARGEST_WIDE = LARGEST // 4  # of text beyond ASCII, a character of which takes four bytes
MOST_ROWS = 1000  # of a page: the API never sends more
MOST_VALUES = 250 * MOST_ROWS  # a row has up to 60
LONGEST_MESSAGE = 500
LONGEST_WAIT = 300.0  # seconds: a Retry-After above this ends the command
_DAY = 24 * 3600.0
_GAP = re.compile(r"[\s:,]*").match
_OBJECTS = re.compile(r"\}\s*,\s*\{").findall

Clean = Callable[[str], str]


def read_answer(response: httpx.Response, check: Callable[[], object], *, lenient: bool) -> Any:
    """Read and decode an answer's body; with ``lenient``, as an error's, it is short, and what can't be read counts as
    empty (its status says enough).
    """
    import httpx

    chunks = cast("Iterable[bytes]", response.stream)  # raw: httpx would unpack without a bound
    encoding, most = response.headers.get("Content-Encoding", ""), LARGEST_ERROR if lenient else LARGEST
    try:
        return decode(read_body(chunks, encoding, check, most))
    except (errors.AnswerError, httpx.TransportError):
        if lenient:
            return None
        raise


def read_body(
    chunks: Iterable[bytes], encoding: str, check: Callable[[], object], most: int = LARGEST
) -> bytearray:
    """Join a body of at most ``most`` bytes, decoded; ``check`` is called between the chunks and may raise.

    gzip and deflate are unpacked here, piece by piece with a bound: 200 KB of gzip can become 200 MB.
    """
    encoding = encoding.strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
        raise errors.AnswerError("the response has an encoding that was not requested")
    unpack = None if encoding in ("", "identity") else zlib.decompressobj(zlib.MAX_WBITS | 32)
    body = bytearray()
    for chunk in chunks:
        check()
        if unpack and unpack.eof:
            break  # what follows is no part of it, and may have no end
        body += _unpacked(unpack, chunk, most - len(body) + 1) if unpack else chunk
        if len(body) > most:
            raise _too_large()
    if unpack and body and not unpack.eof:
        raise errors.AnswerError("the response is incomplete")
    return body


def _too_large() -> errors.AnswerError:
    # Asking again would only fetch it again.
    return errors.AnswerError("the response is larger than any response of the API", repeatable=False)


def _unpacked(unpack: Any, chunk: bytes, most: int) -> bytes:
    try:
        return bytes(unpack.decompress(chunk, most))
    except zlib.error:
        raise errors.AnswerError("the response is damaged (it can't be decompressed)") from None


def decode(body: bytes | bytearray) -> Any:
    """Return the JSON value of ``body``, None where it is empty; AnswerError for all that is not JSON.

    What would take far more memory than its bytes is refused before it is parsed. Each value has a comma or a bracket.
    """
    if not body or body.isspace():
        return None
    wide = not body.isascii() or b"\\u" in body
    if (wide and len(body) > LARGEST_WIDE) or sum(map(body.count, (b",", b"[", b"{"))) > MOST_VALUES:
        raise _too_large()
    try:
        text = body.decode("utf-8-sig")
        if len(_OBJECTS(text)) >= MOST_ROWS:  # in any lists, or in texts
            _count_rows(text)
        return json.loads(text, parse_constant=_finite, parse_float=_finite)
    except (ValueError, RecursionError):
        html = body[:100].lstrip()[:1] == b"<"
        what = "an HTML page, as login pages of networks are" if html else "not JSON"
        raise errors.AnswerError(f"the response is {what}") from None


def _count_rows(text: str) -> None:
    """Refuse an object with a list of more rows than a page has. No row behind those is parsed."""
    read, at, rows, in_list = json.JSONDecoder().raw_decode, _between(text, 0), 0, False
    if not text.startswith("{", at):
        return
    at = _between(text, at + 1)
    while at < len(text) and text[at] != "}":
        if text[at] == "]" or (text[at] == "[" and not in_list):
            rows, in_list, end = 0, text[at] == "[", at + 1
        else:
            rows, end = rows + in_list, read(text, at)[1]
        if rows > MOST_ROWS:
            raise _too_large()
        at = _between(text, end)


def _between(text: str, at: int) -> int:
    """Return where the next key, value or end is."""
    found = _GAP(text, at)
    return found.end() if found else at


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("not finite")
    return number


def check_answer(call: Call, status: int, body: Any) -> None:
    """AnswerError unless a 2xx answer is what ``call`` expects: its status, its shape, and whom it is about.

    SIDs are compared whatever their case: they are hexadecimal.
    """
    if call.good and status not in call.good:
        good = " or ".join(map(str, call.good))
        raise errors.AnswerError(f"the status of the response is {status}, not {good}")
    if call.expect is None:
        return
    if not isinstance(body, dict):
        raise errors.AnswerError(f"the response is {'empty' if body is None else 'not a JSON object'}")
    value = body.get(call.expect)
    if call.expect == "sid":
        if not isinstance(value, str) or not value:
            raise errors.AnswerError("the response has no sid")
        if call.sid is not None and value.lower() != call.sid.lower():
            raise errors.AnswerError("the response is about another resource than the request")
    elif not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise errors.AnswerError(f"the response has no list of {call.expect}")


def problem_of(
    status: int, body: Any, headers: Mapping[str, str], now: float, clean: Clean
) -> errors.Problem:
    """Read an error's body in either shape, Twilio's or RFC 9457; any part of it may be missing or of a wrong
    type.

    Its text is cleaned of secrets first and cut to 500 characters then.
    """
    said: Mapping[str, Any] = body if isinstance(body, dict) else {}
    message = _words(said, "message", "detail", "title")
    info = _words(said, "more_info", "type")
    return errors.Problem(
        status=status,
        code=_code(said.get("code")),
        message=_cut(message, clean) if message else None,
        more_info=_cut(info, clean) if info and info.startswith("https://") else None,
        request_id=request_id(headers),
        retry_after=retry_after(headers, now),
    )


def request_id(headers: Mapping[str, str]) -> str | None:
    """Return the id to quote to Twilio's support, if it has the form of one."""
    text = headers.get("Twilio-Request-Id", "")
    return text if text.isascii() and text.isalnum() and len(text) <= 64 else None


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds that Retry-After asks for, or None where it says nothing sensible.

    A date is taken against the answer's own Date, so that a wrong clock on either side does no harm; ``now``
    (seconds since 1970) stands in where there is none. Never negative, never above 24 hours.
    """
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        seconds: float | None = float(text)
    else:
        until, base = timestamp(text), timestamp(headers.get("Date", ""))
        seconds = None if until is None else until - (now if base is None else base)
    return seconds if seconds is not None and 0 <= seconds <= _DAY else None


def timestamp(date: str) -> float | None:
    """Return the seconds since 1970 of a date as HTTP writes it; None where it is none."""
    from datetime import UTC
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(date)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError, OSError):
        return None


def _words(said: Mapping[str, Any], *keys: str) -> str | None:
    return next((text for key in keys if isinstance(text := said.get(key), str) and text.strip()), None)


def _code(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**9 else None


def _cut(text: str, clean: Clean) -> str:
    # Cleaned before it is cut, since half a secret is not recognised; but not all of 32 MiB.
    return cut(clean(cut(text, 4 * LONGEST_MESSAGE)), LONGEST_MESSAGE)


def error_of(call: Call, problem: errors.Problem) -> errors.ProxyctlError:
    """Return the error that an answer other than 2xx stands for."""
    status, said, later = problem.status, _said(problem), "Run the same command again later."
    if 300 <= status < 400:
        return errors.NetworkError(
            f"{call}: the server redirects ({status}). It is not followed: the credentials must not go there",
            hint="Check the base URL. The network may have a login page.",
            problem=problem,
            repeatable=False,
        )
    if status in (401, 403):
        why = "the credentials are not accepted" if status == 401 else "the credentials do not allow this"
        hint = "'proxyctl auth status' shows which are used. 'proxyctl auth login' replaces them."
        return errors.AuthenticationError(f"{call}: {why}{said}", hint=hint, problem=problem)
    if status == 429:
        limit = "too many requests" + ("" if problem.code == codes.RATE_LIMITED else " in parallel")
        if (asked := problem.retry_after or 0.0) > LONGEST_WAIT:
            said += f". The API asks to wait {asked:.0f} s"
        return errors.ThrottledError(f"{call}: {limit}{said}", hint=later, problem=problem)
    if status >= 500:
        what = f"{call}: the server failed{said}"
        return errors.ServerError(what, hint=later, problem=problem, may_have_happened=call.writes)
    if _is_missing(call, problem):
        return errors.NotFoundError(f"{call}: not found{said}", problem=problem)
    if 400 <= status < 500:
        return errors.RefusedError(f"{call}: refused{said}", problem=problem)
    return errors.AnswerError(f"{call}: the response has an unknown status{said}", problem=problem)


def _said(problem: errors.Problem) -> str:
    code = f"{problem.status}, code {problem.code}" if problem.code else str(problem.status)
    return f" ({code}): {problem.message}" if problem.message else f" ({code})"


def _is_missing(call: Call, problem: errors.Problem) -> bool:
    """Is the resource of the path not there? To a create, a code about a SID that its path lacks judges the
    form.
    """
    if problem.status == 404 or problem.code == codes.RESOURCE_NOT_FOUND:
        return True
    if problem.status != 400 or problem.code not in codes.MISSING:
        return False
    return not call.creates or f"/{codes.MISSING[problem.code]}" in call.path
