"""An API of a few replies, read by the client as it reads any: for what each answer to a write means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from proxyctl.api.client import ProxyClient
from proxyctl.api.endpoint import Credentials, Endpoint
from proxyctl.bulk.outcomes import Outcome, Task, Unclear
from proxyctl.writes.executor import Executor
from proxyctl.writes.flow import Sending
from proxyctl.writes.reading import Reader
from proxyctl.writes.requests import CREATE_SERVICE, VERBS, Request
from tests.api.stubs import AC, KS, MG, PN, SECRET, answer, page, refusal
from tests.support import StandingClock

NUMBER = "+14155550100"
WANTED: Mapping[str, Mapping[str, Any]] = {
    "add": {"is_reserved": True},
    "reserve": {"is_reserved": True},
    "release": {"is_reserved": False},
    "create_service": {"default_ttl": 60},
    "update_service": {"default_ttl": 60},
    "restore_webhooks": {"voice_url": "https://example.com/v"},
    "set_webhooks": {"voice_url": "https://example.com/v"},
}
OTHER = {"is_reserved": None, "default_ttl": 61, "voice_url": "https://example.com/w"}
IN_POOL = ("add", "reserve", "release", "remove")

# A reply: (status, code of a refusal or body of an answer), or what the network does.
Reply = tuple[int, Any] | Exception


def request(name: str, sid: str | None = None) -> Request:
    """A request of each kind; of one number, in one pool."""
    verb = VERBS[name]
    parents = {"attach": MG, "detach": MG, "restore_webhooks": AC, "set_webhooks": AC}
    parent = parents.get(name, KS if name in IN_POOL else "")
    about = "masking" if verb.key == "unique_name" else NUMBER
    known = None if verb is CREATE_SERVICE else sid or (KS if verb.key == "unique_name" else PN)
    phone_number = NUMBER if about == NUMBER else None
    before = {"sid": known, "was": "before"} if verb.removes else None
    return Request(verb, parent, known, about, phone_number, WANTED.get(name, {}), before)


def there(one: Request, **fields: Any) -> dict[str, Any]:
    """The thing that a request is about, as it wants it."""
    return {"sid": one.sid or KS, one.verb.key: one.phone_number or one.name, **one.wanted, **fields}


def differing(one: Request) -> dict[str, Any]:
    return there(one, **{key: OTHER[key] for key in one.wanted})


def good(one: Request) -> Reply:
    return (204, None) if one.verb.removes else (201 if one.verb.creates else 200, there(one))


class Api(httpx.BaseTransport):
    """Answers by method and path, the last reply again and again; what it does not know is not found."""

    def __init__(self, replies: Mapping[str, Reply | list[Reply]]) -> None:
        self.replies = {
            path: reply if isinstance(reply, list) else [reply] for path, reply in replies.items()
        }
        self.asked: Counter[str] = Counter()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = f"{request.method} {request.url.path}"
        self.asked[path] += 1
        replies = self.replies.get(path, [(404, 20404)])
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        if isinstance(reply, Exception):
            raise reply
        status, said = reply
        if isinstance(said, int):
            return refusal(status, said, **({"Retry_After": "7"} if status == 429 else {}))
        if isinstance(said, tuple):
            return page(*said)
        return httpx.Response(status) if said is None else answer(said, status, Twilio_Request_Id="RQ1")


class Reading(Reader):
    """Reads without a second try."""

    def __init__(self, client: ProxyClient) -> None:
        self.request, self._watch = client.send, None


@contextmanager
def talking(replies: Mapping[str, Reply | list[Reply]]) -> Iterator[tuple[Executor, Api]]:
    api = Api(replies)
    endpoint = Endpoint.at("http://127.0.0.1:9")
    with ProxyClient(
        endpoint, Credentials(AC, "SK1", lambda: SECRET), transport=api, clock=StandingClock()
    ) as client:
        yield Executor(client, Reading(client)), api


def task(one: Request, index: int = 0, resolves: bool = False) -> Task:
    return Task(index, "lane", None, not one.verb.creates, payload=Sending(one, one.call(), resolves))


def outcome_of(executor: Executor, one: Task) -> Outcome | None:
    """Send a task, and verify what is unclear, as a run does."""
    outcome = executor.send(one)
    return executor.verify([one], 4)[one.index] if isinstance(outcome, Unclear) else outcome


def shown(one: Request, seen: Mapping[str, Any] | None) -> dict[str, Reply | list[Reply]]:
    """What the reads show that verify a request: the thing as it is now, or that there is none."""
    listing = one.listing()
    assert listing is not None
    replies: dict[str, Reply | list[Reply]] = {str(listing): (200, (listing.expect, [seen] if seen else []))}
    if one.sid is not None and seen is not None:
        replies[str(one.fetch())] = (200, seen)
    if one.verb.in_service:
        replies[f"GET /v1/Services/{one.parent}"] = (200, {"sid": KS})
    return replies
