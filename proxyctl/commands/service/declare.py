"""`proxyctl service`: create, list, show, update and delete Services."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer

from proxyctl.commands.options import CALLS, DATA, WRITES, Group, option, shared, with_settings
from proxyctl.errors import UsageError
from proxyctl.runtime import Runtime

app = typer.Typer(
    epilog="""Examples:
  proxyctl service create masking-prod --default-ttl 3600 --geo-match-level area-code
  proxyctl service list --name 'masking-*' -o json
  proxyctl service update masking-prod --callback-url https://example.com/proxy/events
"""
)

SETTINGS = "Settings of the Service"


class GeoMatchLevel(StrEnum):
    """Where a proxy number must be, compared to the participant's. The API judges which it takes."""

    country = "country"
    area_code = "area-code"
    extended_area_code = "extended-area-code"
    overlay = "overlay"
    radius = "radius"


class NumberSelectionBehavior(StrEnum):
    """Whether a participant keeps the same proxy number."""

    prefer_sticky = "prefer-sticky"
    avoid_sticky = "avoid-sticky"


ServiceArgument = Annotated[
    str, typer.Argument(metavar="SERVICE", help="A Service's SID (KS…) or unique name.", show_default=False)
]
FIELDS: Group = {
    "default_ttl": option(
        int | None,
        "--default-ttl",
        metavar="SECONDS",
        min=0,
        panel=SETTINGS,
        help="A Session's time to live; 0 means no limit.",
    ),
    "callback_url": option(
        str | None,
        "--callback-url",
        metavar="URL",
        panel=SETTINGS,
        help="Called when the status of an Interaction changes.",
    ),
    "intercept_callback_url": option(
        str | None,
        "--intercept-callback-url",
        metavar="URL",
        panel=SETTINGS,
        help="Called on each Interaction; a 403 answer blocks it.",
    ),
    "out_of_session_callback_url": option(
        str | None,
        "--out-of-session-callback-url",
        metavar="URL",
        panel=SETTINGS,
        help="Called when a call or message comes in outside any Session.",
    ),
    "geo_match_level": option(
        GeoMatchLevel | None,
        "--geo-match-level",
        panel=SETTINGS,
        help="How near a proxy number must be; the API's default is country.",
    ),
    "number_selection_behavior": option(
        NumberSelectionBehavior | None,
        "--number-selection-behavior",
        panel=SETTINGS,
        help="Whether a participant keeps the same proxy number where possible.",
    ),
    "chat_instance_sid": option(
        str | None,
        "--chat-instance-sid",
        metavar="IS",
        panel=SETTINGS,
        help="The Chat Service instance that messages are forwarded to.",
    ),
}
NEW_NAME: Group = {
    "unique_name": option(
        str | None, "--unique-name", metavar="NEW", panel=SETTINGS, help="Give it another unique name."
    )
}


@app.command("create")
@shared(*CALLS, DATA, WRITES)
@with_settings(FIELDS)
def create_service(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its unique name; no personal data.")],
    settings: dict[str, str],
    if_not_exists: Annotated[
        bool, typer.Option("--if-not-exists", help="Print an existing Service of this name, unchanged.")
    ] = False,
) -> None:
    """Create a Service and print it."""
    from proxyctl.commands.service import change as services

    services.create(ctx.obj, name, settings, if_not_exists=if_not_exists)


@app.command("list")
@shared(*CALLS, DATA)
def list_services(
    ctx: typer.Context,
    name: Annotated[
        str | None, typer.Option("--name", metavar="GLOB", help="Only names like this: 'masking-*'.")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", metavar="N", min=1, help="At most N rows.")] = None,
) -> None:
    """List the account's Services, all of them."""
    from fnmatch import fnmatchcase

    from proxyctl.api import resources
    from proxyctl.commands.listing import show_list
    from proxyctl.completion.remembering import watch_services
    from proxyctl.render.shapes import SERVICE

    runtime: Runtime = ctx.obj
    found = watch_services(runtime, runtime.reader.pages(resources.list_services()))
    pages: Iterator[Sequence[Any]] = (page.items for page in found)
    if name is not None:
        wanted = name
        pages = ([s for s in page if fnmatchcase(str(s.get("unique_name")), wanted)] for page in pages)
    show_list(runtime, SERVICE, pages, limit=limit)


@app.command("show")
@shared(*CALLS, DATA)
def show_service(ctx: typer.Context, service: ServiceArgument) -> None:
    """Show one Service."""
    from proxyctl.completion.remembering import remember_service
    from proxyctl.render.shapes import SERVICE

    runtime: Runtime = ctx.obj
    found = runtime.reader.service(service)
    runtime.out.one(SERVICE, found.raw)
    remember_service(runtime, found.raw)


@app.command("update")
@shared(*CALLS, DATA, WRITES)
@with_settings(NEW_NAME | FIELDS)
def update_service(
    ctx: typer.Context,
    service: ServiceArgument,
    settings: dict[str, str],
) -> None:
    """Change a Service and print it; '' clears a URL."""
    from proxyctl.commands.service import change as services

    if not settings:
        raise UsageError(
            "nothing to update was given.",
            hint="Give at least one setting; see 'proxyctl service update -h'.",
        )
    services.update(ctx.obj, service, settings)


@app.command("delete")
@shared(*CALLS, DATA, WRITES)
def delete_service(ctx: typer.Context, service: ServiceArgument) -> None:
    """Delete a Service with all its Sessions, Participants and Interactions; its numbers become free."""
    from proxyctl.commands.service import change as services

    services.delete(ctx.obj, service)
