"""`proxyctl session`: who is connected to whom, under which numbers, and how long.

Examples:
  proxyctl session list masking-prod --active --with-participants
  proxyctl session list masking-prod --number +14155550100
  proxyctl session close masking-prod --idle-for 7d --max 100
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Literal

import typer

from proxyctl.commands import options
from proxyctl.commands.options import DATA, SERVICE, WRITES, argument, command, duration, given, group, option


class Status(StrEnum):
    """What a Session's status may be."""

    OPEN = "open"
    IN_PROGRESS = "in-progress"
    CLOSED = "closed"
    FAILED = "failed"
    UNKNOWN = "unknown"


def age(text: str) -> float:
    """Return a duration with its unit: a bare 7 would be seconds, and end Sessions that are in use."""
    if text[-1:].isdigit():
        raise typer.BadParameter(f"{text!r} has no unit. Write 90m, 2h or 7d.")
    return duration(text)


def when(text: str) -> str:
    """Return a date in UTC as the API writes it, or how many seconds from now: ``+7200``."""
    try:
        read = datetime.fromisoformat(text)
        date = (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
        return date.strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError):
        pass
    try:
        return f"+{duration(text.removeprefix('+'))}"
    except typer.BadParameter:
        raise typer.BadParameter(f"{text!r} is no time. Write 2h, or 2030-01-31T12:00:00Z.") from None


@group(options.FILTERS)
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
        "--idle-for DURATION", "Choose Sessions without an interaction for so long: 90m, 7d.", parser=age
    ),
    older_than: float | None = option(
        "--older-than DURATION", "Choose Sessions that were created so long ago.", parser=age
    ),
    no_expiry: bool = option("--no-expiry", "Choose active Sessions that never end automatically."),
    expired: bool = option("--expired", "Choose active Sessions that should have ended."),
) -> None:
    """Which Sessions."""


@command("list", "session.listing:show", DATA, options.LIST, CHOSEN, options.COUNTRY, options.RATE)
def list_sessions(
    services: list[str] = options.SERVICES,
    all_services: bool = options.ALL,
    with_participants: bool = option("--with-participants", "Read the participants of each Session too."),
) -> None:
    """List the Sessions of one, several or all Services.

    Participants take a request for each Session. They are read last, of the Sessions that the other filters leave.
    With --number, reading stops when as many Sessions were found as the number's in_use says.

    Examples:
      proxyctl session list masking-prod --active --with-participants
      proxyctl session list masking-prod --number +14155550100
      proxyctl session list --all --idle-for 7d --active --count
    """


@command("show", "session.listing:show_session", DATA)
def show_session(service_name: str = SERVICE, session_name: str = options.SESSION) -> None:
    """Show one Session, its participants, its last interactions, and when it ends.

    Examples:
      proxyctl session show masking-prod KC0123456789abcdef0123456789abcdef
      proxyctl session show masking-prod ride-4711 -o json
    """


TTL = option("--ttl DURATION", "End the Session so long after its last interaction: 7d.", parser=duration)
EXPIRES = option("--expires WHEN", "End the Session at a time in UTC, or after a duration: 2h.", parser=when)


@group(options.INPUT)
def NAMED(
    file: str | None = option(
        "-f --file FILE", "Read Sessions from FILE, by sid or unique_name: text, CSV or JSON. '-' is stdin."
    ),
    skip_bad_rows: bool = option("--skip-bad-rows", "Skip rows that can't be used. Print them, and exit 6."),
    all_sessions: bool = option("--all-sessions", "Choose all Sessions of the Service."),
    most: int | None = option("--max N", "Refuse to end more than N Sessions.", min=0),
) -> None:
    """Which Sessions, by name."""


ENDS = (DATA, WRITES, options.BULK, NAMED, CHOSEN)
SESSIONS = argument("[SESSION]...", "Session SIDs (KC…) or unique names.", default_factory=list)


@command("create", "session.change:create", DATA, WRITES, options.COUNTRY)
def create_session(
    service_name: str = SERVICE,
    unique_name: str | None = option("--unique-name NAME", "Name, without personal data.", parser=given),
    ttl: float | None = TTL,
    expires: str | None = EXPIRES,
    mode: Literal["message-only", "voice-only", "voice-and-message"] | None = option(
        "--mode", "Permit only messages, only calls, or both."
    ),
    participants: list[str] | None = option(
        "--participant IDENTIFIER[=NUMBER]", "Add a participant, who sees NUMBER (repeatable).", parser=given
    ),
    if_not_exists: bool = option(
        "--if-not-exists", "Print a Session that already has this name, and add missing participants."
    ),
) -> None:
    """Create a Session with its participants, and print it.

    If a participant is refused, the Session is closed again. A Session without a unique name can't be found again
    after a lost response. Then the command exits 6. Check before you run it again.

    Examples:
      proxyctl session create masking-prod --unique-name ride-4711 --ttl 2h
      proxyctl session create masking-prod --participant +14155550199 --participant +14155550188=+14155550100
    """


@command("update", "session.change:update", DATA, WRITES)
def update_session(
    service_name: str = SERVICE,
    session_name: str = options.SESSION,
    ttl: float | None = TTL,
    expires: str | None = EXPIRES,
    status: Literal["open", "in-progress", "closed"] | None = option(
        "--status", "Set the status. A closed Session can become in-progress."
    ),
) -> None:
    """Change a Session and print it.

    Examples:
      proxyctl session update masking-prod ride-4711 --ttl 2h
      proxyctl session update masking-prod ride-4711 --status in-progress
    """


@command("close", "session.end:end", *ENDS, verb="close")
def close_sessions(service_name: str = SERVICE, sessions: list[str] = SESSIONS) -> None:
    """Close Sessions. Their participants are no longer connected.

    Filters choose active Sessions. With --idle-for and --expired, each Session is read again just before it is closed.
    One that came to life is left alone. 'history undo' opens them again where the API allows it.

    Examples:
      proxyctl session close masking-prod ride-4711
      proxyctl session close masking-prod --idle-for 7d --max 100
    """


@command("delete", "session.end:end", *ENDS, verb="delete")
def delete_sessions(service_name: str = SERVICE, sessions: list[str] = SESSIONS) -> None:
    """Delete Sessions with their participants and interactions, for good.

    The Message and Call SIDs of their interactions can't be found afterwards. There is no undo.

    Examples:
      proxyctl session delete masking-prod ride-4711
      proxyctl session delete masking-prod --status closed --older-than 30d
    """
