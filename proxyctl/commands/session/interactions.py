"""`proxyctl interaction`: the calls and messages of a Session.

Examples:
  proxyctl interaction list masking-prod ride-4711
"""

from proxyctl.commands.options import DATA, SERVICE, SESSION, command


@command("list", "session.listing:show_interactions", DATA)
def list_of_session(service_name: str = SERVICE, session_name: str = SESSION) -> None:
    """List the calls and messages of a Session.

    Examples:
      proxyctl interaction list masking-prod KC0123456789abcdef0123456789abcdef
    """
