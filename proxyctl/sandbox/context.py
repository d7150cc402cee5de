"""One exchange as values: the request that a server or a transport hands over, the context that its handler works with
(inside a transaction of the store, under the rules in force), and the answer or refusal that goes back.
"""

from __future__ import annotations

import functools
import json
import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    import sqlite3

    from proxyctl.sandbox.guesses import Rules
    from proxyctl.sandbox.world.store import Store

_FIELDS_AT_MOST = 1000
_MESSAGE_AT_MOST = 400

_NO_NUMBER = "This Service has no compatible Proxy numbers for this Participant."

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
    80103: (400, "Participant has already been added to Session"),
    80104: (400, "PhoneNumber has already been added to Service"),
    80201: (400, f"{_NO_NUMBER} No number of the Service has voice capabilities"),
    80202: (400, f"{_NO_NUMBER} No number of the Service has sms capabilities"),
    80203: (400, f"{_NO_NUMBER} No number is of the Participant's country"),
    80205: (400, f"{_NO_NUMBER} This Service has no Proxy numbers configured"),
    80206: (400, f"{_NO_NUMBER} No number meets the Service's GeoMatchLevel"),
    80207: (400, f"{_NO_NUMBER} All numbers that fit are reserved"),
    80208: (
        400,
        f"{_NO_NUMBER} All matching proxies for this Participant are already in use in other Sessions",
    ),
    80301: (400, "Phone Number is not associated with your Account"),
    80308: (400, "Session with the unique name not found"),
    80403: (400, "Invalid Interaction Sid"),
    80404: (400, "Participant identifier provided does not appear to be a valid, reachable phone number"),
    80405: (400, "Invalid Participant Sid"),
    80406: (400, "Invalid Phone Number Did"),
    80407: (400, "Invalid Phone Number Sid"),
    80408: (400, "Invalid Service Sid"),
    80409: (400, "Invalid Session Sid"),
    80601: (400, "PhoneNumber is not available. It may be bound to a number pool"),
    80602: (400, "Service UniqueName must be unique"),
    80603: (400, "Session UniqueName must be unique"),
    80604: (400, "Proxy identifier already in use with requested identifier"),
    80605: (400, "Proxy identifier not associated with service"),
    80606: (400, "Proxy identifier not owned by account"),
    80607: (400, "Session is closed and cannot be updated"),
    80608: (400, "Session status change not supported"),
    80609: (400, "A Session may have at most 2 participants"),
    80611: (400, "Proxy Number is in active Sessions and can't be removed"),
    80616: (400, "The identifier is not compatible with the session mode"),
    80621: (429, "Too many requests to this endpoint of the Service"),
    80622: (400, "The Service has reached its maximum pool size"),
    80701: (400, "A parameter is invalid"),
}

# The sandbox's own credentials: fixed, published, no secret.
ACCOUNT_SID = "AC" + "5a4db0c5" * 4
AUTH_TOKEN = "sandbox-auth-token-no-secret"
API_KEY_SID = "SK" + "5a4db0c5" * 4
API_KEY_SECRET = "sandbox-api-secret-no-secret"

RESERVED_AT_MOST = 5000
UNRESERVED_AT_MOST = 500
SENDERS_AT_MOST = 400
_encode = json.JSONEncoder(check_circular=False).encode


class Received(NamedTuple):
    """What became of a message that came in: `delivered`, `blocked`, `dropped`, `undelivered` or `out-of-session`."""

    status: str
    interaction_sid: str | None = None
    session_sid: str | None = None


Reply = tuple[int, dict[str, Any] | Received | None]
_NO_TWIML = b'<?xml version="1.0" encoding="UTF-8"?><Response/>'


@dataclass(frozen=True, slots=True)
class Request:
    """One request. ``path`` is raw (percent-encoded, no query); ``headers`` have lower-case names.

    ``base_url`` is the origin that the client used (``http://host:port``): page URLs are built on it. ``body`` is what
    ``form`` was read from.
    ``concurrent`` is the number of requests under way, this one included.
    """

    method: str
    path: str
    query: list[tuple[str, str]] = field(default_factory=list)
    form: list[tuple[str, str]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    base_url: str = "http://127.0.0.1:8181"
    concurrent: int = 1
    body: bytes = b""

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
            body=body,
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
    """20404 for ``path``, which is shown as it was sent, but for the version of Proxy and Messaging."""
    shown = re.sub("^(/messaging)?/v1(?=/)", "", path)
    return ApiError(20404, f"The requested resource {shown} was not found")


def answer(
    status: int, body: dict[str, Any] | Received | None, headers: Iterable[tuple[str, str]] = ()
) -> Response:
    """Return an answer that holds ``body`` as JSON, or none. A message is answered with TwiML that does nothing."""
    if body is None:
        return Response(status, [*headers], None)
    if isinstance(body, Received):
        return Response(status, [("Content-Type", "application/xml"), *headers], _NO_TWIML)
    return Response(status, [("Content-Type", "application/json"), *headers], _encode(body).encode())


def problem(error: ApiError) -> Response:
    """Return the answer that ``error`` stands for."""
    return answer(error.status, error.body(), error.headers)


def with_platform_headers(
    response: Response, now: float, concurrent: int = 1, elapsed: float = 0.0
) -> Response:
    """Add what the platform puts on every answer, where it is not there yet; ``elapsed`` is how long it took."""
    if any(name == "Twilio-Request-Id" for name, _ in response.headers):
        return response
    platform = [
        ("Date", _http_date(int(now))),
        ("Twilio-Request-Id", "RQ" + secrets.token_hex(16)),
        ("Twilio-Request-Duration", f"{elapsed:.3f}"),
        ("Twilio-Concurrent-Requests", str(concurrent)),
    ]
    return Response(response.status, [*response.headers, *platform], response.body)


@functools.lru_cache(maxsize=8)
def _http_date(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)


def parse_pairs(encoded: str) -> list[tuple[str, str]]:
    """Decode ``a=1&b=2``. Bytes that are not UTF-8 become lone surrogates, which the rules refuse by name.

    Of a form with more than 1000 fields only the first 1000 count: no request has use for more.
    """
    parts = encoded.split("&", _FIELDS_AT_MOST)[:_FIELDS_AT_MOST]
    return parse_qsl("&".join(parts), keep_blank_values=True, errors="surrogateescape")


def webhooks_of(service_sid: str, account_sid: str = ACCOUNT_SID) -> tuple[str, str]:
    """The voice and SMS webhooks that a number gets when it joins the Service."""
    root = f"https://webhooks.twilio.com/v1/Accounts/{account_sid}/Proxy/{service_sid}/Webhooks"
    return f"{root}/Call", f"{root}/Message"


class Callback(NamedTuple):
    """A form POST that an application is owed for what a request did; it goes out after the commit."""

    kind: str
    url: str
    parameters: Mapping[str, str]
    service_sid: str


class Answer(NamedTuple):
    """What an application answered to a callback; no ``status`` where no answer came. ``id`` is of its record."""

    status: int | None = None
    content_type: str = ""
    text: str = ""
    id: int | None = None


class Caller(Protocol):
    """Who makes callbacks. None is made while a transaction is open."""

    def deliver(self, store: Store, callbacks: list[Callback]) -> None: ...

    def call(self, store: Store, callback: Callback) -> Answer: ...


@dataclass(frozen=True, slots=True)
class Context:
    """One request on its way to a handler. ``account_sid`` is whose data ``db`` holds, ``now`` is the sandbox's time in
    whole seconds, and ``names`` are the path's SIDs. Of a name given twice ``form`` has the last, ``pairs`` all.
    """

    account_sid: str
    db: sqlite3.Connection
    rules: Rules
    now: int
    base_url: str
    path: str
    names: Mapping[str, str]
    query: Mapping[str, str]
    form: Mapping[str, str]
    pairs: Sequence[tuple[str, str]] = ()
    callbacks: list[Callback] = field(default_factory=list)

    def missing(self, old_code: int | None) -> ApiError:
        """The refusal for something that isn't there: 404/20404, or 400 with the code of old."""
        if old_code is not None and self.rules.not_found_status == 400:
            return ApiError(old_code)
        return not_found(self.path)

    def invalid(self, parameter: str, reason: str, guess: str = "bad_parameter") -> ApiError:
        """The refusal of a parameter's value; ``guess`` names the code that APIs other than Proxy have for it."""
        if self.path.startswith("/v1/"):
            return ApiError(80701, f"'{parameter}' is invalid. It {reason}")
        return ApiError(getattr(self.rules, guess), f"{parameter} {reason}")

    def row(self, select: str, *parameters: object) -> sqlite3.Row | None:
        """The first row that ``select`` finds."""
        found: sqlite3.Row | None = self.db.execute(select, parameters).fetchone()
        return found

    def insert(self, table: str, values: Mapping[str, Any]) -> None:
        """Add a row that was made now."""
        insert_row(self.db, table, {**values, "date_created": self.now, "date_updated": self.now})

    def update(self, table: str, row_id: int, values: Mapping[str, Any]) -> None:
        """Change a row now; without values nothing changes, not even the date."""
        if values:
            changed = {**values, "date_updated": self.now}
            columns = ", ".join(f"{column} = ?" for column in changed)
            self.db.execute(f"UPDATE {table} SET {columns} WHERE id = ?", (*changed.values(), row_id))


class Ask(NamedTuple):
    """A question to the application, asked after the commit: ``then`` goes on with its answer in a new transaction."""

    callback: Callback
    then: Callable[[Answer | None, Context], Reply | Ask]


Handler = Callable[[Context], Reply | Ask]


def insert_row(db: sqlite3.Connection, table: str, row: Mapping[str, Any]) -> None:
    """Add ``row``, whose names are the table's columns."""
    marks = ", ".join("?" * len(row))
    db.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", tuple(row.values()))
