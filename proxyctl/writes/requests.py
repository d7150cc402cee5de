"""Every kind of write, in one table: how it is sent, how it is verified, what its refusals mean, and its words.

A new kind of write is a row here, a function that decides, and a command.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from proxyctl.api import codes, resources
from proxyctl.api.resources import Call

Meanings = Mapping[int, str]

SPREAD = (
    "Numbers can be spread over several Services. 'proxyctl number list --all --idle' lists idle numbers."
)


@dataclass(frozen=True, slots=True)
class Verb:
    """One row: a kind of write.

    ``fetch`` and ``listing`` are the reads that show what became of it, by SID and by the whole list. ``already`` are
    the codes that may mean that it is as wanted, and ``full`` those after which no other can have a place of the same
    kind. ``refused`` begins the words of a refusal, ``pending`` says where an item is that waits for this request.
    ``within`` reads the Service that it is in: gone, the whole run is over. ``named``: its unique name finds it before
    its SID is known. ``reads``: it changes nothing, and is in no record. ``recorded``: the history keeps its fields.
    """

    name: str
    done: str
    call: Callable[[Request], Call]
    fetch: Callable[[Request], Call] | None = None
    listing: Callable[[Request], Call] | None = None
    within: Callable[[Request], Call] | None = None
    key: str = "phone_number"
    parent_key: str = "service_sid"
    already: frozenset[int] = frozenset()
    full: frozenset[int] = frozenset()
    creates: bool = False
    removes: bool = False
    plain: bool = False  # reported in the API's own words
    named: bool = False
    reads: bool = False
    recorded: bool = True
    beside: bool = False  # about another resource than the item's own: its answer does not show the item
    meanings: Meanings = field(default_factory=dict)
    hints: Meanings = field(default_factory=dict)
    refused: str = "{name} can't be {done}"
    pending: str = ""
    pending_hint: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """One request about one thing.

    ``parent`` is the SID of what it is in (or the name of a Service that an earlier request creates), ``session`` that
    of the Session (or the name), ``name`` what the user calls the thing.
    ``wanted`` has the fields to set, ``before`` those that were read. ``kept`` is for the history alone.
    """

    verb: Verb
    parent: str
    sid: str | None
    name: str
    phone_number: str | None = None
    wanted: Mapping[str, Any] = field(default_factory=dict)
    before: Mapping[str, Any] | None = None
    kept: Mapping[str, Any] = field(default_factory=dict)
    session: str = ""

    def call(self) -> Call:
        """Return the request as it is sent."""
        return self.verb.call(self)

    def agrees(self, seen: Mapping[str, Any] | None) -> bool:
        """Whether what is there now is as this request wants it."""
        if seen is None or seen.get("date_deleted"):  # a participant that was removed stays in the list
            return self.verb.removes
        wanted = {self.verb.key: self.name} if self.verb.named else self.wanted
        return not self.verb.removes and all(same(value, seen.get(key)) for key, value in wanted.items())

    @property
    def found_by(self) -> str:
        """What names it in a list."""
        return self.sid or self.phone_number or self.wanted.get(self.verb.key) or self.name


@dataclass(frozen=True, slots=True)
class Seen:
    """What a write left behind: the resource as the API has it (None: gone), and the id of the request."""

    raw: Mapping[str, Any] | None
    request_id: str | None = None


def same(wanted: Any, there: Any) -> bool:
    """Whether a field is as wanted; an empty text wants it cleared, and a form's numbers are texts."""
    if wanted in ("", None):
        return there in (None, "")
    return bool(there == wanted) or (not isinstance(there, bool) and str(there) == str(wanted))


def _flag(request: Request) -> bool:
    return bool(request.wanted["is_reserved"])


def _add(request: Request) -> Call:
    number = None if request.sid is not None else request.phone_number
    flag = request.wanted.get("is_reserved")
    return resources.NUMBERS.create(
        request.parent, about=request.sid, sid=request.sid, phone_number=number, is_reserved=flag
    )


def _number(make: Callable[..., Call]) -> Callable[[Request], Call]:
    return lambda request: make(request.parent, request.sid or "")


def _in_pool(name: str, done: str, call: Callable[[Request], Call], **row: Any) -> Verb:
    return Verb(
        name,
        done,
        call,
        fetch=_number(resources.NUMBERS.fetch),
        listing=lambda request: resources.NUMBERS.list(request.parent),
        within=lambda request: resources.SERVICES.fetch(request.parent),
        meanings=_POOL_MEANINGS,
        hints=_POOL_HINTS,
        **row,
    )


_HELD_ELSEWHERE = "another Service's pool has it"
_POOL_MEANINGS: Meanings = {
    codes.NUMBER_IN_ANOTHER_SERVICE: _HELD_ELSEWHERE,
    codes.NUMBER_IN_SERVICE: _HELD_ELSEWHERE,  # of another, where this one's pool does not show it
    codes.NUMBER_NOT_FOUND: "the account does not own it",
    codes.NUMBER_NOT_AVAILABLE: "another Service's pool or a Messaging Service has it",
    codes.NUMBER_IN_USE: "it is in use by open Sessions",
    codes.POOL_FULL: "pool full",
}
_FIND = "'proxyctl number find NUMBER' shows where it is."
_POOL_HINTS: Meanings = {
    codes.NUMBER_IN_ANOTHER_SERVICE: _FIND,
    codes.NUMBER_IN_SERVICE: _FIND,
    codes.NUMBER_NOT_AVAILABLE: _FIND,
    codes.NUMBER_NOT_FOUND: "'proxyctl auth status' shows which account this is.",
    codes.NUMBER_IN_USE: "'proxyctl number drain SERVICE NUMBER --wait' waits until it is idle.",
    codes.POOL_FULL: SPREAD,
}
HELD_ELSEWHERE = frozenset(
    {codes.NUMBER_IN_ANOTHER_SERVICE, codes.NUMBER_IN_SERVICE, codes.NUMBER_NOT_AVAILABLE}
)

ADD = _in_pool(
    "add",
    "added",
    _add,
    already=frozenset({codes.NUMBER_IN_SERVICE}),
    full=frozenset({codes.POOL_FULL}),
    creates=True,
    pending="has left its pool, and is in none now",
    pending_hint="Run the same command again to add it where it belongs.",
)
RESERVE = _in_pool(
    "reserve",
    "reserved",
    lambda request: resources.NUMBERS.update(request.parent, request.sid or "", is_reserved=_flag(request)),
    full=frozenset({codes.POOL_FULL}),
    pending="is in the pool, but not reserved",
)
RELEASE = _in_pool(
    "release",
    "released",
    RESERVE.call,
    full=frozenset({codes.POOL_FULL}),
    pending="is in the pool, but still reserved",
)
REMOVE = _in_pool("remove", "removed", _number(resources.NUMBERS.delete), removes=True)


_SENDER_MEANINGS: Meanings = {
    codes.SENDER_IN_ANOTHER_SERVICE: "another Messaging Service has it",
    codes.MESSAGING_SERVICE_FULL: "the Messaging Service is full",
    codes.SENDER_WITHOUT_SMS: "it can't send SMS",
}


def _sender(name: str, done: str, make: Callable[..., Call], **row: Any) -> Verb:
    return Verb(
        name,
        done,
        _number(make),
        fetch=_number(resources.SENDERS.fetch),
        listing=lambda request: resources.SENDERS.list(request.parent),
        parent_key="messaging_service_sid",
        beside=True,
        meanings=_SENDER_MEANINGS,
        **row,
    )


ATTACH = _sender(
    "attach",
    "attached",
    resources.attach_sender,
    already=frozenset({codes.SENDER_IN_SERVICE}),
    full=frozenset({codes.MESSAGING_SERVICE_FULL}),
    creates=True,
    refused="{name} can't be put into Messaging Service {parent}",
    pending="{where}, but is out of Messaging Service {parent} now",
    pending_hint="Run the same command again to put it back.",
)
DETACH = _sender(
    "detach",
    "detached",
    resources.SENDERS.delete,
    removes=True,
    refused="{name} can't be taken out of Messaging Service {parent}",
)


def _service(name: str, done: str, call: Callable[[Request], Call], **row: Any) -> Verb:
    return Verb(
        name,
        done,
        call,
        fetch=lambda request: resources.SERVICES.fetch(request.sid or ""),
        listing=lambda request: resources.SERVICES.list(),
        key="unique_name",
        parent_key="",
        refused="Service {name} can't be {done}",
        **row,
    )


CREATE_SERVICE = _service(
    "create_service",
    "created",
    lambda request: resources.SERVICES.create(**{"unique_name": request.name, **request.wanted}),
    already=frozenset({codes.SERVICE_NAME_TAKEN}),
    creates=True,
)
UPDATE_SERVICE = _service(
    "update_service",
    "updated",
    lambda request: resources.SERVICES.update(request.sid or "", **request.wanted),
)
DELETE_SERVICE = _service(
    "delete_service", "deleted", lambda request: resources.SERVICES.delete(request.sid or ""), removes=True
)
RESTORE_WEBHOOKS = Verb(
    "restore_webhooks",
    "restored",
    lambda request: resources.INCOMING_NUMBERS.update(request.parent, request.sid or "", **request.wanted),
    fetch=lambda request: resources.INCOMING_NUMBERS.fetch(request.parent, request.sid or ""),
    listing=lambda request: resources.INCOMING_NUMBERS.list(request.parent),
    parent_key="",
    beside=True,
    refused="the webhooks of {name} can't be set",
    pending="is out of the pool, but its webhooks were not put back",
    pending_hint="Run the same command again to put them back.",
)
# Of any number, in a pool or not; "restored" where it is what was kept.
SET_WEBHOOKS = replace(RESTORE_WEBHOOKS, name="set_webhooks", done="updated", beside=False, pending="")

VERBS = {
    verb.name: verb
    for verb in (
        *(ADD, RESERVE, RELEASE, REMOVE, ATTACH, DETACH),
        *(CREATE_SERVICE, UPDATE_SERVICE, DELETE_SERVICE, RESTORE_WEBHOOKS, SET_WEBHOOKS),
    )
}


def raw_request(call: Call) -> Request:
    """Return a request that was typed whole: nothing is known of it but what it sends."""
    removes = call.method == "DELETE"
    verb = Verb(
        f"api {call}",
        "sent",
        lambda _: call,
        fetch=(lambda _: Call("GET", call.path, typed=True)) if removes else None,
        parent_key="",
        creates=not call.may_repeat,
        removes=removes,
        plain=True,
    )
    return Request(verb, "", call.path if removes else None, str(call))
