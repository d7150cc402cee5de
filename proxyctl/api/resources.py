"""Requests as plain values, and the API's resources as what makes them.

Fields are named as the API's answers name them (``unique_name``, ``default_ttl``, ``voice_url``). None leaves a field
out, and an empty text clears it. ``sid`` or ``ks``, ``kc``, ``pn``, ``mg`` and ``ac`` are SIDs. A call for one item
knows its SID, and a write knows its statuses: the client accepts no other answer.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from proxyctl.api.endpoint import check_path, segment
from proxyctl.errors import UsageError
from proxyctl.identifiers import is_sid
from proxyctl.text import REDACTED

Pairs = tuple[tuple[str, str], ...]
Value = str | int | bool | None

PAGE_SIZE = 100  # the most that one page of Proxy or Messaging holds, whatever is asked for

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
        params, form = tuple(parse_qsl(query, keep_blank_values=True)), tuple(data)
        if method.upper() in ("GET", "DELETE"):
            params, form = params + form, ()
        return cls(method.upper(), path, params, form, typed=True)

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


@dataclass(frozen=True, slots=True)
class Collection:
    """Resources of one kind, and the requests about them: ``path`` has a gap for the SID of each parent, and ``key``
    is that of a list. SIDs are given in the order of the path; that of the resource itself is the last.
    """

    path: str
    key: str
    suffix: str = ""
    page_size: int = PAGE_SIZE
    deleted: tuple[int, ...] = (204,)  # what the status of a DELETE may be

    def list(self, *parents: str, **filters: Value) -> Call:
        params = form(**{**filters, "page_size": filters.get("page_size", self.page_size)})
        return Call("GET", self._within(*parents) + self.suffix, params=params, expect=self.key)

    def fetch(self, *sids: str) -> Call:
        return Call("GET", self._one(*sids), expect="sid", sid=sids[-1])

    def create(self, *parents: str, about: str | None = None, **fields: Value) -> Call:
        """``about``: the SID that the answer will have, where it is known."""
        return Call(
            "POST", self._within(*parents), data=form(**fields), expect="sid", sid=about, good=(200, 201)
        )

    def update(self, *sids: str, **fields: Value) -> Call:
        return Call("POST", self._one(*sids), data=form(**fields), expect="sid", sid=sids[-1], good=(200,))

    def delete(self, *sids: str) -> Call:
        return Call("DELETE", self._one(*sids), good=self.deleted)

    def _within(self, *parents: str) -> str:
        return self.path.format(*map(segment, parents))

    def _one(self, *sids: str) -> str:
        *parents, own = sids
        return f"{self._within(*parents)}/{segment(own)}{self.suffix}"


SERVICES = Collection("/v1/Services", "services")
NUMBERS = Collection("/v1/Services/{}/PhoneNumbers", "phone_numbers")
SESSIONS = Collection("/v1/Services/{}/Sessions", "sessions")
# Those that were removed are listed too, with the date. The status of a DELETE was 204 until 2024.
PARTICIPANTS = Collection("/v1/Services/{}/Sessions/{}/Participants", "participants", deleted=(204, 200))
INTERACTIONS = Collection("/v1/Services/{}/Sessions/{}/Interactions", "interactions")
# The filter ``phone_number`` also finds parts of numbers: compare the rows.
INCOMING_NUMBERS = Collection(
    "/2010-04-01/Accounts/{}/IncomingPhoneNumbers", "incoming_phone_numbers", ".json", page_size=1000
)
MESSAGING_SERVICES = Collection("/messaging/v1/Services", "services")
SENDERS = Collection("/messaging/v1/Services/{}/PhoneNumbers", "phone_numbers")


def fetch_session(ks: str, name_or_sid: str) -> Call:
    """A unique name will do; no other request takes one."""
    named = not is_sid("KC", name_or_sid)
    call = SESSIONS.fetch(ks, name_or_sid)
    return replace(call, sid=None, typed=True) if named else call
