"""`proxyctl service`: Services and their settings."""

from enum import StrEnum
from typing import Annotated, Any, Literal

import typer

from proxyctl.commands.options import (
    CALLS,
    DATA,
    WRITES,
    Count,
    Limit,
    ServiceArgument,
    Sort,
    argument,
    gathered,
    group,
    option,
    shared,
    typed,
    url,
)

app = typer.Typer(
    epilog="""Examples:
  proxyctl service create masking-prod --default-ttl 3600
  proxyctl service list --name 'masking-*' -o json
  proxyctl service update masking-prod --callback-url https://example.com/proxy
"""
)

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


FIELDS = group(
    SETTINGS,
    default_ttl=typed(
        int | None, "--default-ttl SECONDS", "Limit the life of a Session. 0 means no limit.", min=0
    ),
    callback_url=typed(
        str | None, "--callback-url URL", "Call URL when the status of an Interaction changes.", parser=link
    ),
    intercept_callback_url=typed(
        str | None,
        "--intercept-callback-url URL",
        "Call URL on each Interaction. A response of 403 blocks it.",
        parser=link,
    ),
    out_of_session_callback_url=typed(
        str | None,
        "--out-of-session-callback-url URL",
        "Call URL when a call or message comes in outside any Session.",
        parser=link,
    ),
    geo_match_level=typed(
        Literal["country", "area-code", "extended-area-code", "overlay", "radius"] | None,
        "--geo-match-level",
        "Match the location of a number to the participant's. The API's default is country.",
    ),
    number_selection_behavior=typed(
        Literal["prefer-sticky", "avoid-sticky"] | None,
        "--number-selection-behavior",
        "Prefer or avoid the number that a participant had before.",
    ),
    chat_instance_sid=typed(
        str | None,
        "--chat-instance-sid IS",
        "Forward messages to this Chat Service instance.",
        parser=value,
    ),
)
NEW_NAME = group(
    SETTINGS,
    unique_name=typed(str | None, "--unique-name NEW", "Change the unique name.", parser=value),
)


class Clearable(StrEnum):
    """The fields that may be empty."""

    CALLBACK_URL = "callback-url"
    INTERCEPT_CALLBACK_URL = "intercept-callback-url"
    OUT_OF_SESSION_CALLBACK_URL = "out-of-session-callback-url"
    CHAT_INSTANCE_SID = "chat-instance-sid"


@app.command("create")
@shared(*CALLS, DATA, WRITES)
@gathered("settings", FIELDS)
def create_service(
    ctx: typer.Context,
    name: Annotated[str, argument("NAME", "Unique name, without personal data.", parser=value)],
    settings: dict[str, Any],
    if_not_exists: Annotated[
        bool, option("--if-not-exists", "Print a Service that already has this name, unchanged.")
    ] = False,
) -> None:
    """Create a Service and print it.

    Examples:
      proxyctl service create masking-prod --default-ttl 3600
      proxyctl service create masking-prod --if-not-exists -o ids
    """
    from proxyctl.commands.service import change

    change.create(ctx.obj, name, settings, if_not_exists=if_not_exists)


@app.command("list")
@shared(*CALLS, DATA)
def list_services(
    ctx: typer.Context,
    name: Annotated[
        str | None, option("--name GLOB", "Print only Services whose name matches GLOB: 'masking-*'.")
    ] = None,
    counts: Annotated[
        bool, option("--counts", "Print how many numbers each has, reserved and unreserved.")
    ] = False,
    sort: Sort = None,
    limit: Limit = None,
    count: Count = False,
) -> None:
    """List the Services of the account.

    Examples:
      proxyctl service list
      proxyctl service list --name 'masking-*' -o json
      proxyctl service list --counts --sort -unreserved
    """
    from proxyctl.commands.service import listing

    listing.show_all(ctx.obj, name, counts=counts, sort=sort, limit=limit, count=count)


@app.command("show")
@shared(*CALLS, DATA)
def show_service(ctx: typer.Context, service: ServiceArgument) -> None:
    """Show one Service.

    Examples:
      proxyctl service show masking-prod
    """
    from proxyctl.commands.service import listing

    listing.show_one(ctx.obj, service)


@app.command("update")
@shared(*CALLS, DATA, WRITES)
@gathered("settings", NEW_NAME | FIELDS)
def update_service(
    ctx: typer.Context,
    service: ServiceArgument,
    settings: dict[str, Any],
    clear: Annotated[
        list[Clearable] | None, option("--clear FIELD", "Clear this field (repeatable).", SETTINGS)
    ] = None,
) -> None:
    """Change a Service and print it. Old and new values go to stderr.

    Examples:
      proxyctl service update masking-prod --callback-url https://example.com/proxy
      proxyctl service update masking-prod --clear callback-url
    """
    from proxyctl.commands.service import change

    change.update(ctx.obj, service, settings, clear or ())


@app.command("delete")
@shared(*CALLS, DATA, WRITES)
def delete_service(ctx: typer.Context, service: ServiceArgument) -> None:
    """Delete a Service with its Sessions, Participants and Interactions.

    Its numbers become free.

    Examples:
      proxyctl service delete masking-prod
      proxyctl service delete masking-prod --dry-run
    """
    from proxyctl.commands.service import change

    change.delete(ctx.obj, service)
