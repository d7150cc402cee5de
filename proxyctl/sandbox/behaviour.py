"""The emulated API: a request in, a response out, with no HTTP server, socket or thread of its own.

Servers and the in-process transport sit on top; faults and rates of requests are theirs too.
"""

from __future__ import annotations

import base64
import binascii
import functools
import json
import secrets
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

from proxyctl.clock import Clock, SystemClock
from proxyctl.errors import OutputError
from proxyctl.sandbox.api.fields import is_storable
from proxyctl.sandbox.api.guesses import GUESSES, Guesses
from proxyctl.sandbox.api.problems import ApiError, invalid, not_found
from proxyctl.sandbox.api.routing import Match, find
from proxyctl.sandbox.context import (
    ACCOUNT_SID,
    API_KEY_SECRET,
    API_KEY_SID,
    AUTH_TOKEN,
    Context,
    Reply,
    Rules,
    random_sid,
)
from proxyctl.sandbox.server.wire import Request, Response
from proxyctl.sandbox.world.store import Store, StoreBusy

__all__ = [
    "ACCOUNT_SID",
    "API_KEY_SECRET",
    "API_KEY_SID",
    "AUTH_TOKEN",
    "Request",
    "Response",
    "Sandbox",
]

_CREDENTIALS = {(ACCOUNT_SID, AUTH_TOKEN), (API_KEY_SID, API_KEY_SECRET)}
_SHOWN_PATH = 200


class Sandbox:
    """Twilio Proxy, the account's numbers and Messaging Services over one ``store``; safe from any thread.

    ``not_found_status`` is 404 or 400: Twilio was seen to answer either way for an unknown Service or number.
    """

    def __init__(
        self,
        store: Store,
        *,
        clock: Clock | None = None,
        not_found_status: int = 404,
        max_page_size: int = 100,
        guesses: Guesses = GUESSES,
        new_sid: Callable[[str], str] = random_sid,
    ) -> None:
        self.store = store
        self.clock: Clock = clock or SystemClock()
        self.rules = Rules(not_found_status, max_page_size, guesses, new_sid)

    def respond(self, request: Request) -> Response:
        """Answer ``request``. Whatever it holds, the answer is one of Twilio's; nothing is raised."""
        started = self.clock.monotonic()
        extra: tuple[tuple[str, str], ...] = ()
        try:
            status, body = self._reply(request)
        except ApiError as refusal:
            status, body, extra = refusal.status, refusal.body(), refusal.headers
        elapsed = self.clock.monotonic() - started
        return _response(status, body, extra, self.clock.now(), elapsed, request.concurrent)

    def _reply(self, request: Request) -> Reply:
        _require_credentials(request.headers)
        path = request.path[:_SHOWN_PATH]
        match = find(request.path)
        if match is None:
            raise not_found(path)
        if match.names.get("AccountSid", ACCOUNT_SID) != ACCOUNT_SID:
            raise ApiError(20003)
        handler = match.handlers.get(request.method)
        if handler is None:
            allowed = ", ".join(match.handlers)
            raise ApiError(20004, f"Method not allowed: {path} takes {allowed}", headers=[("Allow", allowed)])
        return self._carry_out(handler, match, request, path)

    def _carry_out(
        self, handler: Callable[[Context], Reply], match: Match, request: Request, path: str
    ) -> Reply:
        query, form = self._readable(match, request)
        transaction = self.store.reading if request.method == "GET" else self.store.writing
        try:
            with transaction() as db:
                now = int(self.clock.now())
                return handler(Context(db, self.rules, now, request.base_url, path, match.names, query, form))
        except StoreBusy as error:
            raise ApiError(20503, error.message) from error
        except OutputError as error:
            raise ApiError(20500, f"{error.message}. {error.hint or ''}") from error

    def _readable(self, match: Match, request: Request) -> tuple[dict[str, str], dict[str, str]]:
        """The parameters by name (the last of several counts), refused where no database could hold them."""
        for pairs in (request.query, request.form):
            for name, value in pairs:
                if not is_storable(value):
                    shown = name if is_storable(name) else "parameter"
                    if match.pattern.startswith("/v1/"):
                        raise invalid(shown[:100], "It is not valid UTF-8 text")
                    raise ApiError(self.rules.guesses.bad_parameter, f"{shown[:100]} is not valid UTF-8 text")
        return dict(request.query), dict(request.form)


def _require_credentials(headers: dict[str, str]) -> None:
    if _credentials(headers.get("authorization", "")) not in _CREDENTIALS:
        raise ApiError(20003, headers=[("WWW-Authenticate", 'Basic realm="Twilio API"')])


@functools.lru_cache(maxsize=16)
def _credentials(header: str) -> tuple[str, str]:
    """Read an Authorization header; what can't be read is nobody's."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        user, _, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return user, secret


def _response(
    status: int,
    body: dict[str, Any] | None,
    extra: tuple[tuple[str, str], ...],
    now: float,
    elapsed: float,
    concurrent: int,
) -> Response:
    headers = [
        ("Date", _http_date(int(now))),
        ("Twilio-Request-Id", "RQ" + secrets.token_hex(16)),
        ("Twilio-Request-Duration", f"{elapsed:.3f}"),
        ("Twilio-Concurrent-Requests", str(concurrent)),
        *extra,
    ]
    if body is None:
        return Response(status, headers, None)
    headers.append(("Content-Type", "application/json"))
    return Response(status, headers, json.dumps(body).encode())


@functools.lru_cache(maxsize=8)
def _http_date(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)
