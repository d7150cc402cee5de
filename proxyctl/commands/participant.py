"""`proxyctl participant`: who is in a Session."""

from proxyctl.api.models import Session
from proxyctl.commands.options import DATA, SERVICE, SESSION, command
from proxyctl.render.shapes import PARTICIPANT
from proxyctl.runtime import Runtime
from proxyctl.sessions.reading import find_session, participants_of


def session_named(runtime: Runtime, service_name: str, session_name: str) -> tuple[str, Session]:
    """Return a Service's SID and a Session of it. NotFoundError."""
    service = runtime.account.service(service_name)
    return service.sid, find_session(runtime.access.reader, service.sid, session_name)


@command("list", "participant:show_all", DATA)
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
