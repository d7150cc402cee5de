"""`proxyctl interaction`: the calls and messages of a Session.

Examples:
  proxyctl interaction list masking-prod ride-4711
"""

from proxyctl.api.resources import INTERACTIONS
from proxyctl.commands.options import DATA, SERVICE, SESSION, command
from proxyctl.commands.session.participants import session_named
from proxyctl.render.shapes import INTERACTION
from proxyctl.runtime import Runtime


@command("list", "session.interactions:show_all", DATA)
def list_of_session(service_name: str = SERVICE, session_name: str = SESSION) -> None:
    """List the calls and messages of a Session.

    Examples:
      proxyctl interaction list masking-prod KC0123456789abcdef0123456789abcdef
    """


def show_all(runtime: Runtime, service_name: str, session_name: str) -> None:
    """Print the interactions of a Session."""
    service_sid, session = session_named(runtime, service_name, session_name)
    pages = runtime.access.reader.pages(INTERACTIONS.list(service_sid, session.sid))
    runtime.out.rows(INTERACTION, (page.items for page in pages))
