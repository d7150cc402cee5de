"""`proxyctl service`: Services and their settings.

Examples:
  proxyctl service create masking-prod --default-ttl 3600
  proxyctl service list --name 'masking-*' -o json
  proxyctl service update masking-prod --callback-url https://example.com/proxy
"""

from enum import StrEnum
from typing import Literal

import typer

from proxyctl.commands import options
from proxyctl.commands.options import DATA, SERVICE, WRITES, argument, command, group, option, url

SETTINGS = "Settings of the Service"


def value(text: str) -> str:
    """Return a value as it is typed. Refuse an empty one: a shell variable is not set."""
    if not text.strip():
        raise typer.BadParameter(
            "it is empty. Clear a field with 'proxyctl service update SERVICE --clear FIELD'."
        )
    return text


def link(text: str) -> str:
    """Return a URL as it is typed."""
    return url(value(text))


@group(SETTINGS)
def FIELDS(
    default_ttl: int | None = option(
        "--default-ttl SECONDS", "Limit the life of a Session. 0 means no limit.", min=0
    ),
    callback_url: str | None = option(
        "--callback-url URL", "Call URL when the status of an Interaction changes.", parser=link
    ),
    intercept_callback_url: str | None = option(
        "--intercept-callback-url URL", "Call URL on each Interaction. A 403 blocks it.", parser=link
    ),
    out_of_session_callback_url: str | None = option(
        "--out-of-session-callback-url URL", "Call URL on calls and messages outside Sessions.", parser=link
    ),
    geo_match_level: Literal["country", "area-code", "extended-area-code", "overlay", "radius"]
    | None = option(
        "--geo-match-level",
        "Match the location of a number to the participant's. The API's default is country.",
    ),
    number_selection_behavior: Literal["prefer-sticky", "avoid-sticky"] | None = option(
        "--number-selection-behavior", "Prefer or avoid the number that a participant had before."
    ),
    chat_instance_sid: str | None = option(
        "--chat-instance-sid IS", "Forward messages to this Chat Service instance.", parser=value
    ),
) -> None:
    """Settings of a Service."""


@group(SETTINGS)
def NEW_NAME(
    unique_name: str | None = option("--unique-name NEW", "Change the unique name.", parser=value),
) -> None:
    """Another name."""


class Clearable(StrEnum):
    """The fields that may be empty."""

    CALLBACK_URL = "callback-url"
    INTERCEPT_CALLBACK_URL = "intercept-callback-url"
    OUT_OF_SESSION_CALLBACK_URL = "out-of-session-callback-url"
    CHAT_INSTANCE_SID = "chat-instance-sid"


@command("create", "service.change:create", DATA, WRITES, FIELDS)
def create_service(
    name: str = argument("NAME", "Unique name, without personal data.", parser=value),
    if_not_exists: bool = option("--if-not-exists", "Print a Service that already has this name, unchanged."),
) -> None:
    """Create a Service and print it.

    Examples:
      proxyctl service create masking-prod --default-ttl 3600
      proxyctl service create masking-prod --if-not-exists -o ids
    """


@command("list", "service.listing:show_all", DATA, options.LIST)
def list_services(
    name: str | None = option("--name GLOB", "Print only Services whose name matches GLOB: 'masking-*'."),
    counts: bool = option("--counts", "Print how many numbers each has, reserved and unreserved."),
) -> None:
    """List the Services of the account.

    Examples:
      proxyctl service list
      proxyctl service list --name 'masking-*' -o json
      proxyctl service list --counts --sort -unreserved
    """


@command("show", "service.listing:show_one", DATA)
def show_service(service_name: str = SERVICE) -> None:
    """Show one Service.

    Examples:
      proxyctl service show masking-prod
    """


@command("update", "service.change:update", DATA, WRITES, NEW_NAME | FIELDS)
def update_service(
    service_name: str = SERVICE,
    clear: list[Clearable] | None = option("--clear FIELD", "Clear this field (repeatable).", SETTINGS),
) -> None:
    """Change a Service and print it. Old and new values go to stderr.

    Examples:
      proxyctl service update masking-prod --callback-url https://example.com/proxy
      proxyctl service update masking-prod --clear callback-url
    """


@command("delete", "service.change:delete", DATA, WRITES)
def delete_service(service_name: str = SERVICE) -> None:
    """Delete a Service with its Sessions, Participants and Interactions.

    Its numbers become free.

    Examples:
      proxyctl service delete masking-prod
      proxyctl service delete masking-prod --dry-run
    """
