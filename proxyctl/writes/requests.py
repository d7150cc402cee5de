"""Every kind of write, in one table: how it is sent, how it is verified, what its refusals mean, and its words.

A new kind of write is a row here, a function that decides, and a command.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

from proxyctl.api import codes, resources
from proxyctl.api.resources import Call, Collection

Refusals = Mapping[int, tuple[str, str]]  # by code: what it means, and a hint, in which NUMBER is the number

SPREAD = "Numbers can be spread over several Services. 'proxyctl number list --all --idle' lists idle ones."


@dataclass(frozen=True, slots=True)
class Verb:
    """One row: a kind of write.

    It ``does`` something to a thing ``of`` a collection, and sends ``form``. Reads show what became of it: by SID, and
    by the whole list if it is ``listed``. ``already`` are the codes that may mean that it is as wanted, and ``full``
    those after which no other can have a place of the same kind. ``refused`` begins the words of a refusal, ``pending``
    says where an item is that waits for this request. ``named``: its unique name finds it before its SID is known.
    ``recorded``: the history keeps its fields. ``typed``: the whole request, as a user typed it.
    """

    name: str
    done: str
    of: Collection
    does: Literal["create", "update", "delete", "fetch"]
    form: Callable[[Request], Mapping[str, Any]] = lambda request: request.wanted
    key: str = "phone_number"
    parent_key: str = "service_sid"
    already: frozenset[int] = frozenset()
    full: frozenset[int] = frozenset()
    listed: bool = True
    named: bool = False
    recorded: bool = True
    beside: bool = False  # about another resource than the item's own: its answer does not show the item
    refusals: Refusals = field(default_factory=dict)
    refused: str = "{name} can't be {done}"
    pending: str = ""
    pending_hint: str = ""
    typed: Call | None = None

    @property
    def creates(self) -> bool:
        """Whether it adds something, and so is never repeated unverified."""
        return self.does == "create"

    @property
    def removes(self) -> bool:
        """Whether nothing is there once it is done."""
        return self.does == "delete"

    @property
    def reads(self) -> bool:
        """Whether it changes nothing, and is in no record."""
        return self.does == "fetch"

    @property
    def in_service(self) -> bool:
        """Whether the thing is in a Service: that gone, the whole run is over."""
        return self.typed is None and self.of.path.startswith(f"{resources.SERVICES.path}/")


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

    @property
    def parents(self) -> tuple[str, ...]:
        """The SIDs of what it is in, as the path of its collection has gaps for them."""
        return (self.parent, self.session)[: self.verb.of.path.count("{}")]

    def call(self) -> Call:
        """Return the request as it is sent."""
        verb, own = self.verb, (*self.parents, self.sid or "")
        if verb.typed is not None:
            return verb.typed
        if verb.does == "create":
            return verb.of.create(*self.parents, about=self.sid, **verb.form(self))
        if verb.does == "update":
            return verb.of.update(*own, **verb.form(self))
        return verb.of.delete(*own) if verb.removes else verb.of.fetch(*own)

    def fetch(self) -> Call | None:
        """Return the read that shows the thing alone; None where it can't be asked for without a list."""
        if self.verb.typed is not None:
            return Call("GET", self.verb.typed.path, typed=True) if self.verb.removes else None
        if self.verb.named:
            return resources.fetch_session(self.parent, self.name)
        return None if self.sid is None else self.verb.of.fetch(*self.parents, self.sid)

    def listing(self) -> Call | None:
        """Return the read that shows all things of the collection, if this may be found there."""
        return self.verb.of.list(*self.parents) if self.verb.listed else None

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


def _added(request: Request) -> Mapping[str, Any]:
    number = None if request.sid is not None else request.phone_number
    return {"sid": request.sid, "phone_number": number, **request.wanted}


_FIND = "'proxyctl number find NUMBER' shows where it is."
_POOL_REFUSALS: Refusals = {
    codes.NUMBER_IN_ANOTHER_SERVICE: ("another Service's pool has it", _FIND),
    codes.NUMBER_IN_SERVICE: ("another Service's pool has it", _FIND),  # where this one's does not show it
    codes.NUMBER_NOT_AVAILABLE: ("another Service's pool or a Messaging Service has it", _FIND),
    codes.NUMBER_NOT_FOUND: (
        "the account does not own it",
        "'proxyctl auth status' shows which account this is.",
    ),
    codes.NUMBER_IN_USE: (
        "it is in use by open Sessions",
        "'proxyctl number drain SERVICE NUMBER --wait' waits until it is idle.",
    ),
    codes.POOL_FULL: ("pool full", SPREAD),
}
HELD_ELSEWHERE = frozenset(code for code, (_, hint) in _POOL_REFUSALS.items() if hint == _FIND)
_POOL_FULL = frozenset({codes.POOL_FULL})
_in_pool = partial(Verb, of=resources.NUMBERS, refusals=_POOL_REFUSALS)
ADD = _in_pool(
    "add",
    "added",
    does="create",
    form=_added,
    already=frozenset({codes.NUMBER_IN_SERVICE}),
    full=_POOL_FULL,
    pending="has left its pool, and is in none now",
    pending_hint="Run the same command again to add it where it belongs.",
)
RESERVE = _in_pool(
    "reserve", "reserved", does="update", full=_POOL_FULL, pending="is in the pool, but not reserved"
)
RELEASE = replace(RESERVE, name="release", done="released", pending="is in the pool, but still reserved")
REMOVE = _in_pool("remove", "removed", does="delete")

_sender = partial(
    Verb,
    of=resources.SENDERS,
    parent_key="messaging_service_sid",
    beside=True,
    refusals={
        codes.SENDER_IN_ANOTHER_SERVICE: ("another Messaging Service has it", ""),
        codes.MESSAGING_SERVICE_FULL: ("the Messaging Service is full", ""),
        codes.SENDER_WITHOUT_SMS: ("it can't send SMS", ""),
    },
)
ATTACH = _sender(
    "attach",
    "attached",
    does="create",
    form=lambda request: {"phone_number_sid": request.sid},
    already=frozenset({codes.SENDER_IN_SERVICE}),
    full=frozenset({codes.MESSAGING_SERVICE_FULL}),
    refused="{name} can't be put into Messaging Service {parent}",
    pending="{where}, but is out of Messaging Service {parent} now",
    pending_hint="Run the same command again to put it back.",
)
DETACH = _sender(
    "detach", "detached", does="delete", refused="{name} can't be taken out of Messaging Service {parent}"
)

_service = partial(
    Verb, of=resources.SERVICES, key="unique_name", parent_key="", refused="Service {name} can't be {done}"
)
CREATE_SERVICE = _service(
    "create_service",
    "created",
    does="create",
    form=lambda request: {"unique_name": request.name, **request.wanted},
    already=frozenset({codes.SERVICE_NAME_TAKEN}),
)
UPDATE_SERVICE = _service("update_service", "updated", does="update")
DELETE_SERVICE = _service("delete_service", "deleted", does="delete")

RESTORE_WEBHOOKS = Verb(
    "restore_webhooks",
    "restored",
    resources.INCOMING_NUMBERS,
    "update",
    parent_key="",
    beside=True,
    refused="the webhooks of {name} can't be set",
    pending="is out of the pool, but its webhooks were not put back",
    pending_hint="Run the same command again to put them back.",
)
# Of any number, in a pool or not; "restored" where it is what was kept.
SET_WEBHOOKS = replace(RESTORE_WEBHOOKS, name="set_webhooks", done="updated", beside=False, pending="")

VERBS = {row.name: row for row in list(globals().values()) if isinstance(row, Verb)}


# Sessions and who is in them

_session = partial(Verb, of=resources.SESSIONS, key="unique_name", refused="Session {name} can't be {done}")
READ_SESSION = _session("read_session", "unchanged", does="fetch")
READ_TO_DELETE = replace(READ_SESSION, already=frozenset({codes.RESOURCE_NOT_FOUND}))
UPDATE_SESSION = _session("update_session", "updated", does="update")
CLOSE_SESSION = _session(
    "close_session",
    "closed",
    does="update",
    already=frozenset({codes.SESSION_CLOSED}),
    pending="is open, without all of its participants",
    pending_hint="'proxyctl session close SERVICE SESSION' closes it.",
)
DELETE_SESSION = _session("delete_session", "deleted", does="delete")
CREATE_SESSION = _session(
    "create_session",
    "created",
    does="create",
    already=frozenset({codes.SESSION_NAME_TAKEN}),
    listed=False,
    named=True,
)
# Without a name nothing shows what became of it.
CREATE_NAMELESS = replace(CREATE_SESSION, already=frozenset(), named=False, refused="{name} can't be {done}")

# What participants are called is personal.
_participant = partial(Verb, of=resources.PARTICIPANTS, key="identifier", recorded=False)
ADD_PARTICIPANT = _participant(
    "add_participant", "added", does="create", already=frozenset({codes.PARTICIPANT_EXISTS})
)
REMOVE_PARTICIPANT = _participant("remove_participant", "removed", does="delete")


def raw_request(call: Call) -> Request:
    """Return a request that was typed whole: nothing is known of it but what it sends."""
    removes = call.method == "DELETE"
    does: Any = "delete" if removes else "update" if call.may_repeat else "create"
    whole = Collection(call.path, "")
    verb = Verb(f"api {call}", "sent", whole, does, parent_key="", listed=False, typed=call)
    return Request(verb, "", call.path if removes else None, str(call))
