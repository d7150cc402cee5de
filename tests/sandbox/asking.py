"""Ask a sandbox directly, without a server: one call in, status and body out."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from proxyctl.sandbox.behaviour import ACCOUNT_SID, AUTH_TOKEN, Sandbox
from proxyctl.sandbox.context import Request, Response, parse_pairs
from proxyctl.sandbox.guesses import Rules
from proxyctl.sandbox.world.seed import pool_numbers, seed_numbers
from proxyctl.sandbox.world.store import Store
from tests.support import StandingClock

BASE_URL = "http://127.0.0.1:8181"
NUMBERS = f"/2010-04-01/Accounts/{ACCOUNT_SID}/IncomingPhoneNumbers"


def basic(user: str = ACCOUNT_SID, secret: str = AUTH_TOKEN) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()}


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    headers: dict[str, str]

    @property
    def refusal(self) -> tuple[int, int]:
        """HTTP status and Twilio's code, checked for the shape of a refusal."""
        assert set(self.body) == {"code", "message", "more_info", "status"}
        assert self.body["status"] == self.status
        assert self.body["more_info"].endswith(f"/{self.body['code']}")
        assert isinstance(self.body["message"], str) and self.body["message"]
        return self.status, self.body["code"]


class Ask:
    """A sandbox with its store and clock, and the calls that tests make."""

    def __init__(self, store: Store, **rules: Any) -> None:
        self.store = store
        self.clock = StandingClock()
        self.sandbox = Sandbox(store, clock=self.clock, rules=Rules(**rules))

    def call(
        self,
        method: str,
        target: str,
        form: dict[str, str] | list[tuple[str, str]] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        response = self.raw(method, target, form, headers)
        body = None if response.body is None else json.loads(response.body)
        return Answer(response.status, body, dict(response.headers))

    def raw(
        self,
        method: str,
        target: str,
        form: dict[str, str] | list[tuple[str, str]] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Response:
        path, _, query = target.removeprefix(BASE_URL).partition("?")
        return self.sandbox.respond(
            Request(
                method,
                path,
                parse_pairs(query) if query else [],
                list(form.items()) if isinstance(form, dict) else form or [],
                basic() if headers is None else headers,
                BASE_URL,
            )
        )

    def get(self, target: str) -> Answer:
        return self.call("GET", target)

    def post(self, target: str, **form: str) -> Answer:
        return self.call("POST", target, form)

    def delete(self, target: str) -> Answer:
        return self.call("DELETE", target)

    def service(self, name: str = "masking", **form: str) -> str:
        """Create a Service and return its path."""
        answer = self.post("/v1/Services", UniqueName=name, **form)
        assert answer.status == 201, answer.body
        return urlsplit(answer.body["url"]).path

    def session(self, service: str, **form: str) -> str:
        """Create a Session and return its path."""
        answer = self.post(f"{service}/Sessions", **form)
        assert answer.status == 201, answer.body
        return urlsplit(answer.body["url"]).path

    def join(self, session: str, identifier: str, **form: str) -> Answer:
        """Add a participant."""
        return self.post(f"{session}/Participants", Identifier=identifier, **form)

    def numbers(self, count: int, country: str = "US", type_: str | None = None) -> list[dict[str, Any]]:
        return seed_numbers(self.store, count, country, type=type_, now=self.clock.now())

    def filled(self, service: str, count: int, *, reserved: bool = False) -> list[str]:
        """Fill a pool at once and return the PN SIDs."""
        sids = [row["sid"] for row in self.numbers(count)]
        assert pool_numbers(self.store, service.rpartition("/")[2], sids, is_reserved=reserved) == count
        return sids

    def pages(self, target: str) -> Iterator[Any]:
        """Every page's body, following the next URL as it is given."""
        following: str | None = target
        while following:
            body = self.get(following).body
            yield body
            following = body["meta"]["next_page_url"] if "meta" in body else body["next_page_uri"]
