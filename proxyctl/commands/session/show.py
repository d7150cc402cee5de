"""What reads one Session: the Session, who is in it, its interactions, and when it ends."""

from __future__ import annotations

from heapq import nlargest

from proxyctl.api.models import Session
from proxyctl.api.resources import INTERACTIONS
from proxyctl.render.shapes import INTERACTION, PARTICIPANT, SHOWN_SESSION
from proxyctl.roles import Line, Part, Role, line
from proxyctl.runtime import Runtime
from proxyctl.sessions.lifetime import as_date, ends_about
from proxyctl.sessions.reading import find_session, participants_of
from proxyctl.text import duration_text

LAST = 10  # interactions; the order of the API's list is not documented


def session_named(runtime: Runtime, service_name: str, session_name: str) -> tuple[str, Session]:
    """Return a Service's SID and a Session of it. NotFoundError."""
    service = runtime.account.service(service_name)
    return service.sid, find_session(runtime.access.reader, service.sid, session_name)


def show_participants(runtime: Runtime, service_name: str, session_name: str) -> None:
    """Print who is in a Session."""
    service_sid, session = session_named(runtime, service_name, session_name)
    rows = participants_of(runtime.access.reader, service_sid, session.sid)
    runtime.out.rows(PARTICIPANT, [rows])


def show_interactions(runtime: Runtime, service_name: str, session_name: str) -> None:
    """Print the interactions of a Session."""
    service_sid, session = session_named(runtime, service_name, session_name)
    pages = runtime.access.reader.pages(INTERACTIONS.list(service_sid, session.sid))
    runtime.out.rows(INTERACTION, (page.items for page in pages))


def show(runtime: Runtime, service_name: str, session_name: str) -> None:
    """Print a Session: a sheet and tables at a terminal, in json one object."""
    runtime.out.check(SHOWN_SESSION)
    service_sid, session = session_named(runtime, service_name, session_name)
    reader = runtime.access.reader
    ending = {"ends_about": as_date(ends_about(session))}
    if runtime.format in ("tsv", "csv", "ids"):
        runtime.out.one(SHOWN_SESSION, session.raw | ending)
        return
    participants = participants_of(reader, service_sid, session.sid)
    rows = reader.rows(INTERACTIONS.list(service_sid, session.sid))
    last = nlargest(LAST, rows, key=lambda row: str(row.get("date_created")))
    if runtime.format == "table" and runtime.options.fields is None:
        runtime.out.one(SHOWN_SESSION, session.raw | ending, verdict=verdict(session, runtime.access.now()))
        runtime.out.text("")
        runtime.out.rows(PARTICIPANT, [participants])
        runtime.out.text("")
        runtime.out.rows(INTERACTION, [last])
    else:
        more = {"participants": participants, "interactions": last}
        runtime.out.one(SHOWN_SESSION, session.raw | more | ending)


def verdict(session: Session, now: float) -> Line:
    """Say in a line what a Session does, and how long."""
    parts: list[Part] = [session.status or "unknown"]
    end = ends_about(session)
    if session.is_active and end is None:
        parts += [", ", Role.WARNING("never ends automatically")]
    elif session.is_active and end is not None and end <= now:
        parts += [", ", Role.WARNING(f"should have ended {duration_text(now - end)} ago")]
    elif session.is_active and end is not None:
        parts += [f", ends in about {duration_text(end - now)}"]
    return line(*parts)
