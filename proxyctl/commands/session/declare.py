"""`proxyctl session`: who is connected to whom, under which numbers, and how long.

Examples:
  proxyctl session list masking-prod --active --with-participants
  proxyctl session list masking-prod --number +14155550100
  proxyctl session show masking-prod KC0123456789abcdef0123456789abcdef
"""

from enum import StrEnum

import typer

from proxyctl.commands.options import (
    ALL,
    COUNT,
    COUNTRY,
    DATA,
    FILTERS,
    LIMIT,
    RATE,
    SERVICE,
    SERVICES,
    SESSION,
    SORT,
    command,
    duration,
    group,
    option,
)


class Status(StrEnum):
    """What a Session's status may be."""

    OPEN = "open"
    IN_PROGRESS = "in-progress"
    CLOSED = "closed"
    FAILED = "failed"
    UNKNOWN = "unknown"


def given(text: str) -> str:
    """Return a value as it is typed. Refuse an empty one: a shell variable is not set."""
    if not text.strip():
        raise typer.BadParameter("it is empty.")
    return text


@group(FILTERS)
def CHOSEN(
    statuses: list[Status] | None = option("--status", "Choose Sessions with this status (repeatable)."),
    active: bool = option("--active", "Choose open Sessions and those in progress."),
    numbers: list[str] | None = option(
        "--number NUMBER", "Choose active Sessions that hold this number (repeatable).", parser=given
    ),
    identifiers: list[str] | None = option(
        "--participant IDENTIFIER", "Choose Sessions with this participant (repeatable).", parser=given
    ),
    idle_for: float | None = option(
        "--idle-for DURATION",
        "Choose Sessions without an interaction for so long: 90m, 7d.",
        parser=duration,
    ),
    older_than: float | None = option(
        "--older-than DURATION", "Choose Sessions that were created so long ago.", parser=duration
    ),
    no_expiry: bool = option("--no-expiry", "Choose active Sessions that never end automatically."),
    expired: bool = option("--expired", "Choose active Sessions that should have ended."),
) -> None:
    """Which Sessions."""


@command("list", "session.listing:show", DATA, CHOSEN, COUNTRY, RATE)
def list_sessions(
    services: list[str] = SERVICES,
    all_services: bool = ALL,
    with_participants: bool = option("--with-participants", "Read the participants of each Session too."),
    sort: str | None = SORT,
    limit: int | None = LIMIT,
    count: bool = COUNT,
) -> None:
    """List the Sessions of one, several or all Services.

    Participants take a request for each Session. They are read last, of the Sessions that the other filters leave.
    With --number, reading stops when as many Sessions were found as the number's in_use says.

    Examples:
      proxyctl session list masking-prod --active --with-participants
      proxyctl session list masking-prod --number +14155550100
      proxyctl session list --all --idle-for 7d --active --count
    """


@command("show", "session.show:show", DATA)
def show_session(service_name: str = SERVICE, session_name: str = SESSION) -> None:
    """Show one Session, its participants, its last interactions, and when it ends.

    Examples:
      proxyctl session show masking-prod KC0123456789abcdef0123456789abcdef
      proxyctl session show masking-prod ride-4711 -o json
    """
