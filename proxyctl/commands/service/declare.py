"""`proxyctl service`: create, list, show, update and delete Services."""

from enum import StrEnum
from typing import Annotated, Any, Literal

import typer

from proxyctl.commands.options import (
    CALLS,
    DATA,
    WRITES,
    Limit,
    ServiceArgument,
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
  proxyctl service create masking-prod --default-ttl 3600 --geo-match-level area-code
  proxyctl service list --name 'masking-*' -o json
  proxyctl service update masking-prod --callback-url https://example.com/proxy/events
"""
)

SETTINGS = "Settings of the Service"


def value(text: str) -> str:
    """Take a value as it is typed; nothing at all would be a variable that is not set."""
    if not text.strip():
        raise typer.BadParameter("it is empty. 'proxyctl service update --clear FIELD' clears a field.")
    return text


def link(text: str) -> str:
    """Take a URL."""
    return url(value(text))


FIELDS = group(
    SETTINGS,
    default_ttl=typed(
        int | None, "--default-ttl SECONDS", "A Session's time to live; 0 means no limit.", min=0
    ),
    callback_url=typed(
        str | None, "--callback-url URL", "Called when the status of an Interaction changes.", parser=link
    ),
    intercept_callback_url=typed(
        str | None,
        "--intercept-callback-url URL",
        "Called on each Interaction; a 403 answer blocks it.",
        parser=link,
    ),
    out_of_session_callback_url=typed(
        str | None,
        "--out-of-session-callback-url URL",
        "Called when a call or message comes in outside any Session.",
        parser=link,
    ),
    geo_match_level=typed(
        Literal["country", "area-code", "extended-area-code", "overlay", "radius"] | None,
        "--geo-match-level",
        "How near a proxy number must be; the API's default is country.",
    ),
    number_selection_behavior=typed(
        Literal["prefer-sticky", "avoid-sticky"] | None,
        "--number-selection-behavior",
        "Whether a participant keeps the same proxy number where possible.",
    ),
    chat_instance_sid=typed(
        str | None,
        "--chat-instance-sid IS",
        "The Chat Service instance that messages are forwarded to.",
        parser=value,
    ),
)
NEW_NAME = group(
    SETTINGS,
    unique_name=typed(str | None, "--unique-name NEW", "Give it another unique name.", parser=value),
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
    name: Annotated[str, argument("NAME", "Its unique name; no personal data.", parser=value)],
    settings: dict[str, Any],
    if_not_exists: Annotated[
        bool, option("--if-not-exists", "Print an existing Service of this name, unchanged.")
    ] = False,
) -> None:
    """Create a Service and print it."""
    from proxyctl.commands.service import change

    change.create(ctx.obj, name, settings, if_not_exists=if_not_exists)


@app.command("list")
@shared(*CALLS, DATA)
def list_services(
    ctx: typer.Context,
    name: Annotated[str | None, option("--name GLOB", "Only names like this: 'masking-*'.")] = None,
    limit: Limit = None,
) -> None:
    """List the account's Services, all of them."""
    from proxyctl.commands.service import listing

    listing.show_all(ctx.obj, name, limit)


@app.command("show")
@shared(*CALLS, DATA)
def show_service(ctx: typer.Context, service: ServiceArgument) -> None:
    """Show one Service."""
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
        list[Clearable] | None, option("--clear FIELD", "Clear this field. Repeat it for others.", SETTINGS)
    ] = None,
) -> None:
    """Change a Service and print it; old and new values go to stderr."""
    from proxyctl.commands.service import change

    change.update(ctx.obj, service, settings, clear or ())


@app.command("delete")
@shared(*CALLS, DATA, WRITES)
def delete_service(ctx: typer.Context, service: ServiceArgument) -> None:
    """Delete a Service with all its Sessions, Participants and Interactions; its numbers become free."""
    from proxyctl.commands.service import change

    change.delete(ctx.obj, service)
