"""The sandbox's own requests, under /_sandbox/ on the port of the emulated API: JSON in and out, by the functions of
the commands. Neither limits nor faults stand before them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from proxyctl.errors import NotFoundError, OutputError, ProxyctlError, TemporaryError
from proxyctl.sandbox.api.resource import iso_date
from proxyctl.sandbox.behaviour import Sandbox
from proxyctl.sandbox.callbacks.delivery import recent
from proxyctl.sandbox.context import ApiError, Request, Response, answer, not_found, problem
from proxyctl.sandbox.server.faults import FaultPlan
from proxyctl.sandbox.server.policies import Policies
from proxyctl.sandbox.world.clock import set_clock
from proxyctl.sandbox.world.scenarios import seed
from proxyctl.sandbox.world.store import Store

ROOT = "/_sandbox/"
_INVALID = 20001
_STATUSES = ((NotFoundError, 404), (TemporaryError, 503), (OutputError, 500), (ProxyctlError, 400))


class Control:
    """Answers the requests that are about the sandbox itself, for the account of their credentials."""

    def __init__(self, sandbox: Sandbox, policies: Policies) -> None:
        self._sandbox = sandbox
        self._policies = policies
        self._actions: dict[tuple[str, str], Callable[[Store, dict[str, Any]], dict[str, Any]]] = {
            ("POST", "reset"): self._reset,
            ("POST", "seed"): self._seed,
            ("POST", "clock"): self._clock,
            ("POST", "message"): self._message,
            ("POST", "faults"): self._faults,
            ("GET", "requests"): self._requests,
            ("GET", "callbacks"): self._callbacks,
        }

    def respond(self, request: Request) -> Response:
        """Answer a request below ``ROOT``."""
        try:
            return answer(200, self._reply(request))
        except ApiError as refusal:
            return problem(refusal)
        except ProxyctlError as error:
            status = next(status for kind, status in _STATUSES if isinstance(error, kind))
            words = f"{error.message.removesuffix('.')}. {error.hint or ''}".strip()
            return problem(ApiError(_INVALID, words, status=status))

    def _reply(self, request: Request) -> dict[str, Any]:
        name = request.path.removeprefix(ROOT)
        if (request.method, name) == ("GET", "health"):
            return {"status": "ok"}
        account = self._sandbox.account_of(request)
        if account is None:
            raise ApiError(20003, headers=[("WWW-Authenticate", 'Basic realm="Twilio API"')])
        action = self._actions.get((request.method, name))
        if action is None:
            raise not_found(f"{request.method} {request.path}")
        return action(self._sandbox.stores[account], _object(request.body))

    def _reset(self, store: Store, body: dict[str, Any]) -> dict[str, Any]:
        _take(body)
        store.reset()
        return asdict(store.status())

    def _seed(self, store: Store, body: dict[str, Any]) -> dict[str, Any]:
        given = _take(body, numbers=int, country=str, scenario=str, seed=int)
        wish = map(given.get, ("numbers", "country", "scenario", "seed"))
        return {"numbers": seed(store, *wish, now=self._sandbox.clock.now())}

    def _clock(self, store: Store, body: dict[str, Any]) -> dict[str, Any]:
        wish = _take(body, to=str).get("to")
        with store.writing() as db:
            return set_clock(db, wish, self._sandbox.clock.now())

    def _message(self, store: Store, body: dict[str, Any]) -> dict[str, Any]:
        given = {"from": "", "to": "", "text": ""} | _take(body, **dict.fromkeys(("from", "to", "text"), str))
        account = next(sid for sid, held in self._sandbox.stores.items() if held is store)
        return self._sandbox.receive(given["from"], given["to"], given["text"], account)._asdict()

    def _callbacks(self, store: Store, body: dict[str, Any]) -> dict[str, Any]:
        with store.reading() as db:
            return {"callbacks": recent(db, 1000)}

    def _faults(self, store: Store, body: dict[str, Any]) -> dict[str, Any]:
        self._policies.faults = FaultPlan.parse([f"{name}={value}" for name, value in body.items()])
        return {"faults": self._policies.faults.rates}

    def _requests(self, store: Store, body: dict[str, Any]) -> dict[str, Any]:
        seen = [one._asdict() | {"date": iso_date(int(one.date))} for one in list(self._policies.recent)]
        return {"requests": seen}


def _object(body: bytes) -> dict[str, Any]:
    """The JSON object that a request holds; an empty one where there is none."""
    try:
        decoded = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        decoded = None
    if not isinstance(decoded, dict):
        raise ApiError(_INVALID, "The body is not a JSON object")
    return decoded


def _take(body: dict[str, Any], **kinds: type) -> dict[str, Any]:
    """The fields of ``body``; ApiError for one that is unknown, or of another type than this."""
    for name, value in body.items():
        if name not in kinds:
            raise ApiError(
                _INVALID, f"There is no field {name!a}. Known fields: {', '.join(kinds) or 'none'}"
            )
        if type(value) is not kinds[name]:
            raise ApiError(_INVALID, f"{name} has to be {'text' if kinds[name] is str else 'a whole number'}")
    return body
