"""The emulated API: a request in, a response out, with no HTTP server, socket or thread of its own.

The server, and the transport of a client in process, sit on top; faults and rates of requests are theirs too.
``ROUTES`` is the only table of paths, so that what is emulated stands in one place.
"""

from __future__ import annotations

import base64
import binascii
import functools
import re
from collections.abc import Mapping
from urllib.parse import unquote

from proxyctl.clock import Clock, SystemClock
from proxyctl.errors import OutputError
from proxyctl.sandbox.api import (
    incoming_numbers,
    interactions,
    messaging,
    participants,
    phone_numbers,
    services,
    sessions,
    webhooks,
)
from proxyctl.sandbox.api.resource import is_storable
from proxyctl.sandbox.context import (
    ACCOUNT_SID,
    API_KEY_SECRET,
    API_KEY_SID,
    AUTH_TOKEN,
    ApiError,
    Ask,
    Caller,
    Context,
    Handler,
    Received,
    Reply,
    Request,
    Response,
    answer,
    not_found,
    with_platform_headers,
)
from proxyctl.sandbox.guesses import RULES, Rules
from proxyctl.sandbox.world.clock import offset
from proxyctl.sandbox.world.lifetime import is_due, sweep
from proxyctl.sandbox.world.rehearsal import pool_member
from proxyctl.sandbox.world.store import Store, StoreBusy

__all__ = ["ACCOUNT_SID", "API_KEY_SECRET", "API_KEY_SID", "AUTH_TOKEN", "Request", "Response", "Sandbox"]

_SHOWN_PATH = 200

_SERVICE = "/v1/Services/{ServiceSid}"
_SESSION = f"{_SERVICE}/Sessions/{{SessionSid}}"
_MESSAGES = f"{_SESSION}/Participants/{{ParticipantSid}}/MessageInteractions"
_SENDERS = "/messaging/v1/Services/{ServiceSid}/PhoneNumbers"
_ACCOUNT = "/2010-04-01/Accounts/{AccountSid}"
_WEBHOOKS = "/v1/Accounts/{AccountSid}/Proxy/{ServiceSid}/Webhooks"

ROUTES: dict[str, dict[str, Handler]] = {
    "/v1/Services": {"GET": services.SERVICES.list, "POST": services.create_service},
    "/v1/Services/{Sid}": {
        "GET": services.fetch_service,
        "POST": services.update_service,
        "DELETE": services.delete_service,
    },
    f"{_SERVICE}/PhoneNumbers": {
        "GET": phone_numbers.PHONE_NUMBERS.list,
        "POST": phone_numbers.add_phone_number,
    },
    f"{_SERVICE}/PhoneNumbers/{{Sid}}": {
        "GET": phone_numbers.PHONE_NUMBERS.fetch,
        "POST": phone_numbers.update_phone_number,
        "DELETE": phone_numbers.remove_phone_number,
    },
    f"{_SERVICE}/Sessions": {"GET": sessions.SESSIONS.list, "POST": sessions.create_session},
    f"{_SERVICE}/Sessions/{{Sid}}": {
        "GET": sessions.fetch_session,
        "POST": sessions.update_session,
        "DELETE": sessions.delete_session,
    },
    f"{_SESSION}/Participants": {
        "GET": participants.PARTICIPANTS.list,
        "POST": participants.add_participant,
    },
    f"{_SESSION}/Participants/{{Sid}}": {
        "GET": participants.PARTICIPANTS.fetch,
        "DELETE": participants.remove_participant,
    },
    _MESSAGES: {"GET": interactions.MESSAGES.list, "POST": interactions.send_message},
    f"{_MESSAGES}/{{Sid}}": {"GET": interactions.MESSAGES.fetch},
    f"{_SESSION}/Interactions": {"GET": interactions.INTERACTIONS.list},
    f"{_SESSION}/Interactions/{{Sid}}": {
        "GET": interactions.INTERACTIONS.fetch,
        "DELETE": interactions.delete_interaction,
    },
    f"{_WEBHOOKS}/Message": {"POST": webhooks.receive_message},
    f"{_WEBHOOKS}/Call": {"POST": services.not_emulated},
    f"{_SERVICE}/ShortCodes": {"GET": services.SHORT_CODES.list, "POST": services.not_emulated},
    f"{_SERVICE}/ShortCodes/{{Sid}}": dict.fromkeys(("GET", "POST", "DELETE"), services.SHORT_CODES.fetch),
    "/messaging/v1/Services": {
        "GET": messaging.MESSAGING_SERVICES.list,
        "POST": messaging.create_messaging_service,
    },
    "/messaging/v1/Services/{Sid}": {
        "GET": messaging.MESSAGING_SERVICES.fetch,
        "POST": messaging.update_messaging_service,
        "DELETE": messaging.delete_messaging_service,
    },
    _SENDERS: {"GET": messaging.SENDERS.list, "POST": messaging.add_sender},
    f"{_SENDERS}/{{Sid}}": {"GET": messaging.SENDERS.fetch, "DELETE": messaging.remove_sender},
    f"{_ACCOUNT}.json": {"GET": incoming_numbers.fetch_account},
    f"{_ACCOUNT}/IncomingPhoneNumbers.json": {
        "GET": incoming_numbers.list_incoming_numbers,
        "POST": services.not_emulated,
    },
    f"{_ACCOUNT}/IncomingPhoneNumbers/{{Sid}}.json": {
        "GET": incoming_numbers.NUMBERS.fetch,
        "POST": incoming_numbers.update_incoming_number,
        "DELETE": incoming_numbers.release_incoming_number,
    },
}


class Sandbox:
    """Twilio Proxy, the account's numbers and Messaging Services over one ``store``; safe from any thread.

    ``also`` are the stores of subaccounts. Each has the same token, and an API key with the digits of its own SID.
    ``caller`` makes the callbacks of a request after its commit; without one none goes out.
    """

    def __init__(
        self,
        store: Store,
        *,
        clock: Clock | None = None,
        rules: Rules = RULES,
        also: Mapping[str, Store] | None = None,
        caller: Caller | None = None,
    ) -> None:
        self.stores = {ACCOUNT_SID: store, **(also or {})}
        self._credentials = {
            pair: account
            for account in self.stores
            for pair in ((account, AUTH_TOKEN), (f"SK{account[2:]}", API_KEY_SECRET))
        }
        self.clock: Clock = clock or SystemClock()
        self.rules = rules
        self._caller = caller
        self._ahead: dict[str, float] = {}  # of the clock, when a request last reached the account's database

    def now(self, account: str = ACCOUNT_SID) -> float:
        """The time of the account, as the latest request met it."""
        return self.clock.now() + self._ahead.get(account, 0.0)

    def respond_to(
        self,
        method: str,
        target: str,
        headers: dict[str, str],
        body: bytes,
        base_url: str,
        *,
        concurrent: int = 1,
    ) -> Response:
        """Answer a request as it comes over the wire."""
        return self.respond(Request.from_wire(method, target, headers, body, base_url, concurrent=concurrent))

    def respond(self, request: Request) -> Response:
        """Answer ``request``. Whatever it holds, the answer is one of Twilio's; nothing is raised."""
        started = self.clock.monotonic()
        extra: tuple[tuple[str, str], ...] = ()
        account = self.account_of(request)
        try:
            if account is None:
                raise ApiError(20003, headers=[("WWW-Authenticate", 'Basic realm="Twilio API"')])
            status, body = self._reply(request, account)
        except ApiError as refusal:
            status, body, extra = refusal.status, refusal.body(), refusal.headers
        elapsed = self.clock.monotonic() - started
        response = answer(status, body, extra)
        return with_platform_headers(response, self.now(account or ACCOUNT_SID), request.concurrent, elapsed)

    def receive(self, sender: str, number: str, text: str, account: str = ACCOUNT_SID) -> Received:
        """Let a person text a proxy number. Raises NotFoundError or RefusedError for one of no pool, or ApiError."""
        with self.stores[account].reading() as db:
            to = pool_member(db, number)
        path = f"/v1/Accounts/{account}/Proxy/{to['service_sid']}/Webhooks/Message"
        form = [("From", sender), ("To", to["phone_number"]), ("Body", text)]
        _, received = self._reply(Request("POST", path, form=form), account)
        assert isinstance(received, Received)
        return received

    def _reply(self, request: Request, account: str) -> Reply:
        path = request.path[:_SHOWN_PATH]
        handlers, names = find(request.path) or ({}, {})
        if not handlers:
            raise not_found(path)
        # A path that names an account is about that one; Proxy and Messaging know the credentials' own alone.
        whose = names.get("AccountSid", account)
        if whose not in self.stores or account not in (whose, ACCOUNT_SID):
            raise ApiError(20003)
        handler = handlers.get(request.method)
        if handler is None:
            allowed = ", ".join(handlers)
            raise ApiError(20004, f"Method not allowed: {path} takes {allowed}", headers=[("Allow", allowed)])
        try:
            return self._carry_out(request, handler, whose, names, is_read=request.method == "GET")
        except StoreBusy as error:
            raise ApiError(20503, error.message) from error
        except OutputError as error:
            raise ApiError(20500, f"{error.message}. {error.hint or ''}") from error

    def _carry_out(
        self, request: Request, handler: Handler, account: str, names: Mapping[str, str], *, is_read: bool
    ) -> Reply:
        """Answer in one transaction, in which what is due is done first: for that, a read has to be a write."""
        store, path = self.stores[account], request.path[:_SHOWN_PATH]
        query, form = dict(request.query), dict(request.form)
        with store.reading() if is_read else store.writing() as db:
            self._ahead[account] = offset(db)
            own = (path, names, query, form, request.form)
            context = Context(account, db, self.rules, int(self.now(account)), request.base_url, *own)
            if not is_read:
                sweep(db, context.now, self.rules)
            reply = None if is_read and is_due(db, context.now) else handler(context)
        if reply is None:
            return self._carry_out(request, handler, account, names, is_read=False)
        if context.callbacks and self._caller is not None:
            self._caller.deliver(store, context.callbacks)
        if not isinstance(reply, Ask):
            return reply
        answer = self._caller.call(store, reply.callback) if self._caller else None
        return self._carry_out(request, functools.partial(reply.then, answer), account, names, is_read=False)

    def account_of(self, request: Request) -> str | None:
        """Whose credentials a request has; None where they are nobody's."""
        return self._credentials.get(_credentials(request.headers.get("authorization", "")))


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


def _compile(pattern: str) -> list[tuple[str, str, str]]:
    """Each segment as (literal, name, suffix): ``Services``, or ``{Sid}`` with or without ``.json``."""
    compiled = []
    for segment in pattern.split("/")[1:]:
        found = re.fullmatch(r"\{(\w+)\}(.*)", segment)
        compiled.append(("", found[1], found[2]) if found else (segment, "", ""))
    return compiled


_COMPILED = [(pattern.count("/"), _compile(pattern), handlers) for pattern, handlers in ROUTES.items()]


def find(path: str) -> tuple[Mapping[str, Handler], Mapping[str, str]] | None:
    """What a raw path (percent-encoded) leads to: handlers by method, and the path's SIDs by name; or None."""
    segments = [unquote(segment, errors="surrogateescape") for segment in path.split("/")[1:]]
    if not path.startswith("/") or not all(map(is_storable, segments)):
        return None
    for length, compiled, handlers in _COMPILED:
        names = _match(compiled, segments) if length == len(segments) else None
        if names is not None:
            return handlers, names
    return None


def _match(compiled: list[tuple[str, str, str]], segments: list[str]) -> dict[str, str] | None:
    names = {}
    for (literal, name, suffix), segment in zip(compiled, segments, strict=True):
        if not name:
            if segment != literal:
                return None
        elif len(segment) > len(suffix) and segment.endswith(suffix):
            names[name] = segment.removesuffix(suffix)
        else:
            return None
    return names
