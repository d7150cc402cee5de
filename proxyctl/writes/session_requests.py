"""The rows of the table in `requests` that are about Sessions and participants, which would be too long with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from proxyctl.api import codes, resources
from proxyctl.api.resources import Call
from proxyctl.writes.requests import Request, Verb


def _by_sid(make: Callable[..., Call]) -> Callable[[Request], Call]:
    return lambda request: make(request.parent, request.sid or "")


def _in_session(make: Callable[..., Call]) -> Callable[[Request], Call]:
    return lambda request: make(request.parent, request.session, request.sid or "")


def _update_session(request: Request) -> Call:
    return resources.SESSIONS.update(request.parent, request.sid or "", **request.wanted)


def _session(name: str, done: str, call: Callable[[Request], Call], **row: Any) -> Verb:
    columns: dict[str, Any] = {
        "fetch": _by_sid(resources.fetch_session),
        "listing": lambda request: resources.SESSIONS.list(request.parent),
        "within": lambda request: resources.SERVICES.fetch(request.parent),
        "key": "unique_name",
        "refused": "Session {name} can't be {done}",
    }
    return Verb(name, done, call, **columns | row)


READ_SESSION = _session("read_session", "unchanged", _by_sid(resources.fetch_session), reads=True)
READ_TO_DELETE = replace(READ_SESSION, already=frozenset({codes.RESOURCE_NOT_FOUND}))
UPDATE_SESSION = _session("update_session", "updated", _update_session)
CLOSE_SESSION = _session(
    "close_session",
    "closed",
    _update_session,
    already=frozenset({codes.SESSION_CLOSED}),
    pending="is open, without all of its participants",
    pending_hint="'proxyctl session close SERVICE SESSION' closes it.",
)
DELETE_SESSION = _session("delete_session", "deleted", _by_sid(resources.SESSIONS.delete), removes=True)
CREATE_SESSION = _session(
    "create_session",
    "created",
    lambda request: resources.SESSIONS.create(request.parent, **request.wanted),
    fetch=lambda request: resources.fetch_session(request.parent, request.name),
    listing=None,
    already=frozenset({codes.SESSION_NAME_TAKEN}),
    creates=True,
    named=True,
)
# Without a name nothing shows what became of it.
CREATE_NAMELESS = replace(
    CREATE_SESSION, fetch=None, already=frozenset(), named=False, refused="{name} can't be {done}"
)


def _participant(name: str, done: str, call: Callable[[Request], Call], **row: Any) -> Verb:
    return Verb(
        name,
        done,
        call,
        fetch=_in_session(resources.PARTICIPANTS.fetch),
        listing=lambda request: resources.PARTICIPANTS.list(request.parent, request.session),
        within=lambda request: resources.SERVICES.fetch(request.parent),
        key="identifier",
        recorded=False,  # it is personal
        refused="{name} can't be {done}",
        **row,
    )


ADD_PARTICIPANT = _participant(
    "add_participant",
    "added",
    lambda request: resources.PARTICIPANTS.create(request.parent, request.session, **request.wanted),
    already=frozenset({codes.PARTICIPANT_EXISTS}),
    creates=True,
)
REMOVE_PARTICIPANT = _participant(
    "remove_participant", "removed", _in_session(resources.PARTICIPANTS.delete), removes=True
)
