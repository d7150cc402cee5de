"""`proxyctl participant`: who is in a Session.

Examples:
  proxyctl participant list masking-prod ride-4711
  proxyctl participant add masking-prod ride-4711 +14155550199
"""

from proxyctl.api.models import Session
from proxyctl.commands.options import COUNTRY, DATA, SERVICE, SESSION, WRITES, argument, command, option
from proxyctl.render.shapes import PARTICIPANT
from proxyctl.runtime import Runtime
from proxyctl.sessions.reading import find_session, participants_of


def session_named(runtime: Runtime, service_name: str, session_name: str) -> tuple[str, Session]:
    """Return a Service's SID and a Session of it. NotFoundError."""
    service = runtime.account.service(service_name)
    return service.sid, find_session(runtime.access.reader, service.sid, session_name)


@command("list", "session.participants:show_all", DATA)
def list_participants(service_name: str = SERVICE, session_name: str = SESSION) -> None:
    """List the participants of a Session, without those that were removed.

    The proxy_identifier is the number that the participant dials and sees.

    Examples:
      proxyctl participant list masking-prod KC0123456789abcdef0123456789abcdef
    """


def show_all(runtime: Runtime, service_name: str, session_name: str) -> None:
    """Print who is in a Session."""
    service_sid, session = session_named(runtime, service_name, session_name)
    rows = participants_of(runtime.access.reader, service_sid, session.sid)
    runtime.out.rows(PARTICIPANT, [rows])


@command("add", "session.create:add", DATA, WRITES, COUNTRY)
def add_participant(
    service_name: str = SERVICE,
    session_name: str = SESSION,
    identifier: str = argument("IDENTIFIER", "Phone number in E.164, or another identifier."),
    proxy: str | None = option("--proxy NUMBER", "Let the participant see this number of the pool."),
    friendly_name: str | None = option("--friendly-name TEXT", "Name the participant for people."),
) -> None:
    """Add a participant to a Session and print it.

    Proxy chooses a number, unless --proxy names one.

    Examples:
      proxyctl participant add masking-prod ride-4711 +14155550199
      proxyctl participant add masking-prod ride-4711 +14155550199 --proxy +14155550100
    """


@command("remove", "session.create:remove", DATA, WRITES, COUNTRY)
def remove_participant(
    service_name: str = SERVICE,
    session_name: str = SESSION,
    name: str = argument("PARTICIPANT", "Participant SID (KP…) or identifier."),
) -> None:
    """Remove a participant from a Session. The API does not take the same identifier back.

    Examples:
      proxyctl participant remove masking-prod ride-4711 +14155550199
    """
