"""What is to be done with Sessions and participants: the chains of requests, or why none is needed. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from proxyctl.api.models import Participant, Session
from proxyctl.errors import RefusedError
from proxyctl.input.items import Item
from proxyctl.sessions.reading import not_found
from proxyctl.writes import requests as verbs
from proxyctl.writes.plan import Chain, Entry, NoOp, Room, Step
from proxyctl.writes.requests import Request, Verb, same

StillChosen = Callable[[Session], bool]
Fields = Mapping[str, Any]

READ_AGAIN: Room = ("", "read again")
MOST_READ_AGAIN = 60  # Sessions that were read again and are not closed yet: two seconds' worth
NAMELESS = "the Session"


def request_of(verb: Verb, service_sid: str, session: Session, wanted: Fields | None = None) -> Request:
    """Return a request about a Session as it was read."""
    return Request(verb, service_sid, session.sid, session.name, wanted=wanted or {}, before=session.raw)


def decide_end(
    verb: Verb, item: Item, session: Session | None, service_sid: str, still: StillChosen | None = None
) -> Entry:
    """Close or delete a Session; what is closed or gone is as wanted. ``still``: read it again just before, and leave
    it alone if it is not like that any more.
    """
    closing = verb is verbs.CLOSE_SESSION
    if session is None and closing:
        return NoOp(item, error=not_found(item.name, service_sid))
    if session is None:
        return NoOp(item, note="not there")
    if closing and session.status == "closed":
        return NoOp(item, session.raw, note="closed already")
    last = Step(request_of(verb, service_sid, session, {"status": "closed"} if closing else None))
    step = last
    if still is not None:

        def then(seen: Fields) -> tuple[Step, ...]:
            return (last,) if still(Session(dict(seen))) else ()

        read = verbs.READ_SESSION if closing else verbs.READ_TO_DELETE
        step = Step(request_of(read, service_sid, session), (READ_AGAIN,), then=then)
    return Chain(item, (step,), "close" if closing else "delete Sessions", verb.done)


def disagrees(item: Item, session: Session) -> RefusedError | None:
    """Return the error of a row whose SID and name mean two Sessions."""
    if item.phone_number in (None, session.unique_name):
        return None
    text = f"{item.sid} is Session {session.name}, not {item.phone_number}."
    return RefusedError(text, hint="Fix the row, or leave one of the two out.")


def decide_update(item: Item, session: Session, service_sid: str, wanted: Fields) -> Entry:
    """Set what differs."""
    changed = {key: value for key, value in wanted.items() if not same(value, session.raw.get(key))}
    if not changed:
        return NoOp(item, session.raw)
    closes = changed == {"status": "closed"}
    verb = verbs.CLOSE_SESSION if closes else verbs.UPDATE_SESSION
    request = request_of(verb, service_sid, session, changed)
    return Chain(item, (Step(request),), "update", "updated", service=request.name)


# Sessions and who is in them


def joining_steps(service_sid: str, session: str, participants: Sequence[Fields]) -> list[Step]:
    """Add participants to a Session, which the run is about; no record names them."""
    verb = replace(verbs.ADD_PARTICIPANT, beside=True)
    return [
        Step(Request(verb, service_sid, None, f"participant {place}", wanted=one, session=session))
        for place, one in enumerate(participants, start=1)
    ]


def create_chain(service_sid: str, name: str | None, fields: Fields, participants: Sequence[Fields]) -> Chain:
    """Create a Session, then its participants, one after the other. It is closed again where one is refused."""
    called = name or NAMELESS
    item = Item(called, None, None)
    wanted = {**({"unique_name": name} if name else {}), **fields}
    verb = verbs.CREATE_SESSION if name else verbs.CREATE_NAMELESS
    step = Step(Request(verb, service_sid, None, called, wanted=wanted))
    if not participants:
        return Chain(item, (step,), "create Session", "created")
    closing = Request(verbs.CLOSE_SESSION, service_sid, None, called, wanted={"status": "closed"})
    steps = [replace(step, rollback=Step(closing)), *joining_steps(service_sid, called, participants)]
    steps = [*(replace(one, final=False) for one in steps[:-1]), steps[-1]]
    return Chain(item, tuple(steps), "create Session", "created")


def complete_chain(
    service_sid: str, session: Session, there: Iterable[Participant], participants: Sequence[Fields]
) -> Entry:
    """Add who is missing in a Session that exists; one that is closed takes nobody."""
    item = Item(session.name, session.sid, None)
    known = {one.identifier for one in there}
    missing = [one for one in participants if one["identifier"] not in known]
    if not missing:
        return NoOp(item, session.raw)
    if not session.is_active:
        text = f"Session {session.name} is {session.status}. It takes no participants."
        return NoOp(item, session.raw, RefusedError(text, hint="Choose another name."))
    steps = joining_steps(service_sid, session.sid, missing)
    first = replace(steps[0], request=replace(steps[0].request, before=session.raw))
    return Chain(item, (first, *steps[1:]), "add participant", "updated")


def add_chain(service_sid: str, session: Session, item: Item, fields: Fields) -> Chain:
    """Add a participant, which the run is about."""
    verb, name = verbs.ADD_PARTICIPANT, "the participant"
    request = Request(verb, service_sid, None, name, wanted=fields, session=session.sid)
    return Chain(item, (Step(request),), "add participant")


def remove_chain(service_sid: str, session: Session, item: Item, there: Participant) -> Chain:
    """Remove a participant."""
    verb, sid = verbs.REMOVE_PARTICIPANT, there.sid
    request = Request(verb, service_sid, sid, sid, before=there.raw, session=session.sid)
    return Chain(item, (Step(request),), "remove participant")
