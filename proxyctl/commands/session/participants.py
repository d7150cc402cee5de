"""`proxyctl participant`: who is in a Session.

Examples:
  proxyctl participant list masking-prod ride-4711
  proxyctl participant add masking-prod ride-4711 +14155550199
"""

from proxyctl.commands.options import COUNTRY, DATA, SERVICE, SESSION, WRITES, argument, command, option


@command("list", "session.listing:show_participants", DATA)
def list_participants(service_name: str = SERVICE, session_name: str = SESSION) -> None:
    """List the participants of a Session, without those that were removed.

    The proxy_identifier is the number that the participant dials and sees.

    Examples:
      proxyctl participant list masking-prod KC0123456789abcdef0123456789abcdef
    """


@command("add", "session.change:add", DATA, WRITES, COUNTRY)
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


@command("remove", "session.change:remove", DATA, WRITES, COUNTRY)
def remove_participant(
    service_name: str = SERVICE,
    session_name: str = SESSION,
    name: str = argument("PARTICIPANT", "Participant SID (KP…) or identifier."),
) -> None:
    """Remove a participant from a Session. The API does not take the same identifier back.

    Examples:
      proxyctl participant remove masking-prod ride-4711 +14155550199
    """
