"""The rows of the table in `requests` that are about Sessions and participants, which would be too long with them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from proxyctl.api import codes, resources
from proxyctl.writes.requests import Verb

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
