"""Requests as plain values: the API's resources as functions that return them.

Fields are named as the API's answers name them (``unique_name``, ``default_ttl``, ``voice_url``). None leaves a field
out, and an empty text clears it. ``sid`` or ``ks``, ``kc``, ``pn``, ``mg`` and ``ac`` are SIDs. A call for one item
knows its SID, and a write knows its statuses: the client accepts no other answer.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from proxyctl.api.endpoint import check_path, segment
from proxyctl.errors import UsageError
from proxyctl.identifiers import is_sid
from proxyctl.text import REDACTED

Pairs = tuple[tuple[str, str], ...]
Value = str | int | bool | None

SERVICES = "/v1/Services"
MESSAGING_SERVICES = "/messaging/v1/Services"
PAGE_SIZE = 100  # the most that one page of Proxy or Messaging holds, whatever is asked for
ACCOUNT_PAGE_SIZE = 1000

_METHODS = ("GET", "POST", "DELETE", "PUT", "PATCH")
_ITEM = re.compile(r"/[A-Z]{2}[0-9a-fA-F]{32}(?=(\.json)?$)")
_SESSION = re.compile(r"(?<=/Sessions)/[^/]+")


@dataclass(frozen=True, slots=True)
class Call:
    """A request: method, canonical path, query and form, in order.

    ``expect`` is what a good answer holds: ``"sid"`` for a resource, a list's key, or None for anything.
    ``sid`` is the resource that a good answer is about, and ``good`` the statuses that it may have; left out,
    any resource and any 2xx will do. ``seconds`` is how long an attempt may last, if less than the client's
    timeout. ``typed``: a person wrote the path. UsageError where method, path or text can't be sent.
    """

    method: str
    path: str
    params: Pairs = ()
    data: Pairs = ()
    expect: str | None = None
    sid: str | None = None
    good: tuple[int, ...] = ()
    seconds: float = math.inf
    typed: bool = field(default=False, compare=False)

    def __post_init__(self) -> None:
        if self.method not in _METHODS:
            hint = f"Use {', '.join(_METHODS)}."
            raise UsageError(f"the method {self.method[:20]} is not known", hint=hint)
        check_path(self.path, typed=self.typed)
        if any(REDACTED in value for _, value in self.data):
            raise UsageError(f"{self.method} {self.path}: write the secret in place of {REDACTED}")
        try:
            "".join(part for pair in self.params + self.data for part in pair).encode()
        except UnicodeEncodeError:
            raise UsageError(f"{self.method} {self.path}: a value is not valid text (UTF-8)") from None

    @classmethod
    def parse(cls, method: str, target: str, data: Iterable[tuple[str, str]] = ()) -> Call:
        """Build a call from what a person typed: ``target`` may carry a query; the data of a GET joins it."""
        path, _, query = target.partition("?")
        params = tuple(parse_qsl(query, keep_blank_values=True))
        method = method.upper()
        if method in ("GET", "DELETE"):
            return cls(method, path, params + tuple(data), typed=True)
        return cls(method, path, params, tuple(data), typed=True)

    @property
    def writes(self) -> bool:
        """Does it change anything?"""
        return self.method != "GET"

    @property
    def creates(self) -> bool:
        """Does it add to a collection, so that repeating it may add twice?"""
        return self.method == "POST" and _ITEM.search(self.path) is None

    @property
    def lane(self) -> str:
        """What shares one rate window: a method on a collection of a Service, its items included."""
        return f"{self.method} {_SESSION.sub('', _ITEM.sub('', self.path))}"

    @property
    def may_repeat(self) -> bool:
        """May it be sent again unverified, when nobody knows whether it was carried out?

        To read, to delete and to update one item comes to the same twice; to add to a collection does not.
        """
        return self.method != "PATCH" and not self.creates

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class Answer(NamedTuple):
    """A good answer (2xx). ``body`` is the decoded JSON, None where there was none; ``duration`` is in
    seconds.
    """

    status: int
    body: Any
    request_id: str | None = None
    duration: float = 0.0


def form(**fields: Value) -> Pairs:
    """Return form parameters as the API spells them: ``unique_name`` as UniqueName, booleans as true and
    false.

    A field that is None is left out; an empty text is sent, since it clears a value.
    """
    return tuple((_camel(name), _text(value)) for name, value in fields.items() if value is not None)


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _text(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def list_services(page_size: int = PAGE_SIZE) -> Call:
    return _list(SERVICES, "services", page_size)


def fetch_service(sid: str) -> Call:
    return _fetch(f"{SERVICES}/{segment(sid)}", sid)


def create_service(**fields: Value) -> Call:
    return _create(SERVICES, form(**fields))


def update_service(sid: str, **fields: Value) -> Call:
    return _update(f"{SERVICES}/{segment(sid)}", sid, form(**fields))


def delete_service(sid: str) -> Call:
    """Its Sessions are deleted with it; its numbers leave its pool and stay in the account."""
    return _delete(f"{SERVICES}/{segment(sid)}")


def list_numbers(ks: str) -> Call:
    return _list(_pool(ks), "phone_numbers")


def fetch_number(ks: str, pn: str) -> Call:
    return _fetch(f"{_pool(ks)}/{segment(pn)}", pn)


def add_number(
    ks: str, *, sid: str | None = None, phone_number: str | None = None, is_reserved: bool | None = None
) -> Call:
    """UsageError unless exactly one of ``sid`` and ``phone_number`` (E.164) is given."""
    if (sid is None) == (phone_number is None):
        raise UsageError("give exactly one of a number's SID and its E.164 form")
    data = form(sid=sid, phone_number=phone_number, is_reserved=is_reserved)
    return _create(_pool(ks), data, sid)


def update_number(ks: str, pn: str, *, is_reserved: bool) -> Call:
    return _update(f"{_pool(ks)}/{segment(pn)}", pn, form(is_reserved=is_reserved))


def remove_number(ks: str, pn: str) -> Call:
    return _delete(f"{_pool(ks)}/{segment(pn)}")


def list_sessions(ks: str) -> Call:
    return _list(_sessions(ks), "sessions")


def fetch_session(ks: str, name_or_sid: str) -> Call:
    """A unique name will do; no other request takes one."""
    sid = name_or_sid if is_sid("KC", name_or_sid) else None
    path = f"{_sessions(ks)}/{segment(name_or_sid)}"
    return Call("GET", path, expect="sid", sid=sid, typed=sid is None)


def create_session(ks: str, **fields: Value) -> Call:
    return _create(_sessions(ks), form(**fields))


def update_session(ks: str, kc: str, **fields: Value) -> Call:
    return _update(f"{_sessions(ks)}/{segment(kc)}", kc, form(**fields))


def delete_session(ks: str, kc: str) -> Call:
    """Its participants and interactions are deleted with it."""
    return _delete(f"{_sessions(ks)}/{segment(kc)}")


def list_participants(ks: str, kc: str) -> Call:
    """Those that were removed are listed too."""
    return _list(_participants(ks, kc), "participants")


def fetch_participant(ks: str, kc: str, kp: str) -> Call:
    return _fetch(f"{_participants(ks, kc)}/{segment(kp)}", kp)


def add_participant(ks: str, kc: str, **fields: Value) -> Call:
    return _create(_participants(ks, kc), form(**fields))


def remove_participant(ks: str, kc: str, kp: str) -> Call:
    """It stays in the list, with the date. The status was 204 until 2024."""
    return _delete(f"{_participants(ks, kc)}/{segment(kp)}", 200)


def list_interactions(ks: str, kc: str) -> Call:
    return _list(f"{_sessions(ks)}/{segment(kc)}/Interactions", "interactions")


def list_incoming_numbers(
    ac: str, *, phone_number: str | None = None, page_size: int = ACCOUNT_PAGE_SIZE
) -> Call:
    """``phone_number`` also finds parts of numbers: compare the rows."""
    params = form(phone_number=phone_number, page_size=page_size)
    return Call("GET", f"{_account(ac)}.json", params=params, expect="incoming_phone_numbers")


def fetch_incoming_number(ac: str, pn: str) -> Call:
    return _fetch(f"{_account(ac)}/{segment(pn)}.json", pn)


def update_incoming_number(ac: str, pn: str, **fields: Value) -> Call:
    return _update(f"{_account(ac)}/{segment(pn)}.json", pn, form(**fields))


def list_messaging_services(page_size: int = PAGE_SIZE) -> Call:
    return _list(MESSAGING_SERVICES, "services", page_size)


def fetch_messaging_service(mg: str) -> Call:
    return _fetch(f"{MESSAGING_SERVICES}/{segment(mg)}", mg)


def list_senders(mg: str) -> Call:
    return _list(_senders(mg), "phone_numbers")


def fetch_sender(mg: str, pn: str) -> Call:
    return _fetch(f"{_senders(mg)}/{segment(pn)}", pn)


def attach_sender(mg: str, pn: str) -> Call:
    return _create(_senders(mg), form(phone_number_sid=pn), pn)


def detach_sender(mg: str, pn: str) -> Call:
    """The number stays in the account."""
    return _delete(f"{_senders(mg)}/{segment(pn)}")


def _pool(ks: str) -> str:
    return f"{SERVICES}/{segment(ks)}/PhoneNumbers"


def _sessions(ks: str) -> str:
    return f"{SERVICES}/{segment(ks)}/Sessions"


def _participants(ks: str, kc: str) -> str:
    return f"{_sessions(ks)}/{segment(kc)}/Participants"


def _senders(mg: str) -> str:
    return f"{MESSAGING_SERVICES}/{segment(mg)}/PhoneNumbers"


def _account(ac: str) -> str:
    return f"/2010-04-01/Accounts/{segment(ac)}/IncomingPhoneNumbers"


def _list(path: str, key: str, page_size: int = PAGE_SIZE) -> Call:
    return Call("GET", path, params=form(page_size=page_size), expect=key)


def _fetch(path: str, sid: str) -> Call:
    return Call("GET", path, expect="sid", sid=sid)


def _create(path: str, data: Pairs, sid: str | None = None) -> Call:
    return Call("POST", path, data=data, expect="sid", sid=sid, good=(200, 201))


def _update(path: str, sid: str, data: Pairs) -> Call:
    return Call("POST", path, data=data, expect="sid", sid=sid, good=(200,))


def _delete(path: str, *good: int) -> Call:
    return Call("DELETE", path, good=(204, *good))
