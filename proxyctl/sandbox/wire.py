"""Requests, answers and Twilio's refusals as values: what a server or a transport hands over, and gets back."""

from __future__ import annotations

import functools
import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl

_FIELDS_AT_MOST = 1000
_MESSAGE_AT_MOST = 400

# code: (HTTP status, message)
_REFUSALS: dict[int, tuple[int, str]] = {
    20001: (400, "A parameter is invalid"),
    20003: (401, "Authenticate"),
    20004: (405, "Method not allowed"),
    20007: (400, "Page size too large: the maximum is 1000"),
    20400: (400, "Bad request"),
    20403: (403, "Forbidden"),
    20404: (404, "The requested resource was not found"),
    20413: (413, "The request's body is too large"),
    20421: (421, "The request is for another host"),
    20429: (429, "Too many concurrent requests"),
    20431: (431, "The request's headers are too large"),
    20500: (500, "An internal server error has occurred"),
    20503: (503, "Service unavailable"),
    20504: (504, "Gateway timeout"),
    21402: (400, "The URL is not valid"),
    21403: (400, "The HTTP method is not valid: GET or POST"),
    21710: (409, "Phone Number is already in this Messaging Service"),
    21712: (409, "Phone Number is associated with another Messaging Service"),
    21714: (400, "The Messaging Service has reached its maximum of senders"),
    21715: (400, "Phone Number lacks the SMS capability that a Messaging Service requires"),
    70002: (400, "The page can't be found: the page token is missing, damaged or of another list"),
    80101: (400, "PhoneNumber has already been added to another Service"),
    80104: (400, "PhoneNumber has already been added to Service"),
    80301: (400, "Phone Number is not associated with your Account"),
    80406: (400, "Invalid Phone Number Did"),
    80407: (400, "Invalid Phone Number Sid"),
    80408: (400, "Invalid Service Sid"),
    80409: (400, "Invalid Session Sid"),
    80601: (400, "PhoneNumber is not available. It may be bound to a number pool"),
    80602: (400, "Service UniqueName must be unique"),
    80611: (400, "Proxy Number is in active Sessions and can't be removed"),
    80621: (429, "Too many requests to this endpoint of the Service"),
    80622: (400, "The Service has reached its maximum pool size"),
    80701: (400, "A parameter is invalid"),
}


@dataclass(frozen=True, slots=True)
class Request:
    """One request. ``path`` is raw (percent-encoded, no query); ``headers`` have lower-case names.

    ``base_url`` is the origin that the client used (``http://host:port``): page URLs are built on it.
    ``concurrent`` is the number of requests under way, this one included.
    """

    method: str
    path: str
    query: list[tuple[str, str]] = field(default_factory=list)
    form: list[tuple[str, str]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    base_url: str = "http://127.0.0.1:8181"
    concurrent: int = 1

    @classmethod
    def from_wire(
        cls,
        method: str,
        target: str,
        headers: dict[str, str],
        body: bytes,
        base_url: str,
        *,
        concurrent: int = 1,
    ) -> Request:
        """Build a request from the request line's target and the raw body; unreadable parts never raise."""
        path, _, query = target.partition("?")
        return cls(
            method=method,
            path=path,
            query=parse_pairs(query) if query else [],
            form=parse_pairs(body.decode("utf-8", "surrogateescape")) if body else [],
            headers=headers,
            base_url=base_url,
            concurrent=concurrent,
        )


@dataclass(frozen=True, slots=True)
class Response:
    """One answer. ``body`` is None for a 204; a server adds Content-Length and its own connection headers."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes | None


class ApiError(Exception):
    """A refusal in Twilio's shape. ``headers`` are added to the answer's own."""

    def __init__(
        self,
        code: int,
        message: str | None = None,
        *,
        status: int | None = None,
        headers: Iterable[tuple[str, str]] = (),
    ) -> None:
        known_status, known_message = _REFUSALS.get(code, (400, "The request was refused"))
        self.code = code
        self.status = status or known_status
        self.message = (message or known_message)[:_MESSAGE_AT_MOST]
        self.headers = tuple(headers)
        super().__init__(f"{self.status} / {self.code}: {self.message}")

    def body(self) -> dict[str, Any]:
        """The answer's JSON object."""
        return {
            "code": self.code,
            "message": self.message,
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }


def not_found(path: str) -> ApiError:
    """20404 for ``path``, which is shown as it was sent."""
    return ApiError(20404, f"The requested resource {path} was not found")


def answer(status: int, body: dict[str, Any] | None, headers: Iterable[tuple[str, str]] = ()) -> Response:
    """Return an answer that holds ``body`` as JSON, or none."""
    if body is None:
        return Response(status, [*headers], None)
    return Response(status, [("Content-Type", "application/json"), *headers], json.dumps(body).encode())


def problem(error: ApiError) -> Response:
    """Return the answer that ``error`` stands for."""
    return answer(error.status, error.body(), error.headers)


def with_platform_headers(response: Response, now: float, concurrent: int = 1) -> Response:
    """Add what the platform puts on every answer, where it is not there yet."""
    names = {name for name, _ in response.headers}
    platform = {
        "Date": _http_date(int(now)),
        "Twilio-Request-Id": "RQ" + secrets.token_hex(16),
        "Twilio-Concurrent-Requests": str(concurrent),
    }
    missing = [header for header in platform.items() if header[0] not in names]
    return replace(response, headers=[*response.headers, *missing])


@functools.lru_cache(maxsize=8)
def _http_date(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)


def parse_pairs(encoded: str) -> list[tuple[str, str]]:
    """Decode ``a=1&b=2``. Bytes that are not UTF-8 become lone surrogates, which the rules refuse by name.

    Of a form with more than 1000 fields only the first 1000 count: no request has use for more.
    """
    parts = encoded.split("&", _FIELDS_AT_MOST)[:_FIELDS_AT_MOST]
    return parse_qsl("&".join(parts), keep_blank_values=True, errors="surrogateescape")
