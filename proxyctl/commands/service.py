"""`proxyctl service`: create, list, show, update and delete Services."""

from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Annotated, Any

import typer

from proxyctl.commands.options import CALLS, DATA, WRITES, shared
from proxyctl.commands.tree import ProxyctlCommand, new_app
from proxyctl.errors import UsageError
from proxyctl.runtime import Runtime

app = new_app(
    "Create, list, show, update and delete Services.",
    epilog="""Examples:
  proxyctl service create masking-prod --default-ttl 3600 --geo-match-level area-code
  proxyctl service list --name 'masking-*' -o json
  proxyctl service update masking-prod --callback-url https://example.com/proxy/events
""",
)

SETTINGS = "Settings of the Service"


class GeoMatchLevel(str, Enum):
    """Where a proxy number must be, compared to the participant's. The API judges which it takes."""

    country = "country"
    area_code = "area-code"
    extended_area_code = "extended-area-code"
    overlay = "overlay"
    radius = "radius"


class NumberSelectionBehavior(str, Enum):
    """Whether a participant keeps the same proxy number."""

    prefer_sticky = "prefer-sticky"
    avoid_sticky = "avoid-sticky"


def setting(kind: Any, *names: str, **attributes: Any) -> Any:
    """Declare an option that sets a field of the Service."""
    return Annotated[kind | None, typer.Option(*names, rich_help_panel=SETTINGS, **attributes)]


ServiceArgument = Annotated[
    str, typer.Argument(metavar="SERVICE", help="A Service's SID (KS…) or unique name.", show_default=False)
]
DefaultTtl = setting(
    int, "--default-ttl", metavar="SECONDS", min=0, help="A Session's time to live; 0 means no limit."
)
CallbackUrl = setting(
    str, "--callback-url", metavar="URL", help="Called when the status of an Interaction changes."
)
InterceptCallbackUrl = setting(
    str, "--intercept-callback-url", metavar="URL", help="Called on each Interaction; a 403 answer blocks it."
)
OutOfSessionCallbackUrl = setting(
    str,
    "--out-of-session-callback-url",
    metavar="URL",
    help="Called when a call or message comes in outside any Session.",
)
Geo = setting(
    GeoMatchLevel, "--geo-match-level", help="How near a proxy number must be; the API's default is country."
)
Selection = setting(
    NumberSelectionBehavior,
    "--number-selection-behavior",
    help="Whether a participant keeps the same proxy number where possible.",
)
ChatInstance = setting(
    str, "--chat-instance-sid", metavar="IS", help="The Chat Service instance that messages are forwarded to."
)


def given(**values: Any) -> dict[str, str]:
    """Return the settings that were given, as text; an empty one stays, and clears a URL."""
    plain = {name: value.value if isinstance(value, Enum) else value for name, value in values.items()}
    return {name: str(value) for name, value in plain.items() if value is not None}


@app.command("create", cls=ProxyctlCommand)
@shared(*CALLS, DATA, WRITES)
def create_service(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its unique name; no personal data.")],
    default_ttl: DefaultTtl = None,
    callback_url: CallbackUrl = None,
    intercept_callback_url: InterceptCallbackUrl = None,
    out_of_session_callback_url: OutOfSessionCallbackUrl = None,
    geo_match_level: Geo = None,
    number_selection_behavior: Selection = None,
    chat_instance_sid: ChatInstance = None,
    if_not_exists: Annotated[
        bool, typer.Option("--if-not-exists", help="Print an existing Service of this name, unchanged.")
    ] = False,
) -> None:
    """Create a Service and print it."""
    from proxyctl.commands import services

    settings = given(
        default_ttl=default_ttl,
        callback_url=callback_url,
        intercept_callback_url=intercept_callback_url,
        out_of_session_callback_url=out_of_session_callback_url,
        geo_match_level=geo_match_level,
        number_selection_behavior=number_selection_behavior,
        chat_instance_sid=chat_instance_sid,
    )
    services.create(ctx.obj, name, settings, if_not_exists=if_not_exists)


@app.command("list", cls=ProxyctlCommand)
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

    from proxyctl.commands.listing import show_list
    from proxyctl.render.shapes import SERVICE

    runtime: Runtime = ctx.obj
    pages: Iterator[Sequence[Any]] = (page.items for page in runtime.client.services.list())
    if name is not None:
        wanted = name
        pages = ([s for s in page if fnmatchcase(str(s.get("unique_name")), wanted)] for page in pages)
    show_list(runtime, SERVICE, pages, limit=limit)


@app.command("show", cls=ProxyctlCommand)
@shared(*CALLS, DATA)
def show_service(ctx: typer.Context, service: ServiceArgument) -> None:
    """Show one Service."""
    from proxyctl.render.shapes import SERVICE

    runtime: Runtime = ctx.obj
    runtime.out.one(SERVICE, runtime.client.services.find(service).raw)


@app.command("update", cls=ProxyctlCommand)
@shared(*CALLS, DATA, WRITES)
def update_service(
    ctx: typer.Context,
    service: ServiceArgument,
    unique_name: setting(str, "--unique-name", metavar="NEW", help="Give it another unique name.") = None,  # type: ignore[valid-type]
    default_ttl: DefaultTtl = None,
    callback_url: CallbackUrl = None,
    intercept_callback_url: InterceptCallbackUrl = None,
    out_of_session_callback_url: OutOfSessionCallbackUrl = None,
    geo_match_level: Geo = None,
    number_selection_behavior: Selection = None,
    chat_instance_sid: ChatInstance = None,
) -> None:
    """Change a Service and print it; '' clears a URL."""
    from proxyctl.commands import services

    settings = given(
        unique_name=unique_name,
        default_ttl=default_ttl,
        callback_url=callback_url,
        intercept_callback_url=intercept_callback_url,
        out_of_session_callback_url=out_of_session_callback_url,
        geo_match_level=geo_match_level,
        number_selection_behavior=number_selection_behavior,
        chat_instance_sid=chat_instance_sid,
    )
    if not settings:
        raise UsageError(
            "nothing to update was given.", hint="Give at least one setting; see 'proxyctl service update -h'."
        )
    services.update(ctx.obj, service, settings)


@app.command("delete", cls=ProxyctlCommand)
@shared(*CALLS, DATA, WRITES)
def delete_service(ctx: typer.Context, service: ServiceArgument) -> None:
    """Delete a Service with all its Sessions, Participants and Interactions; its numbers become free."""
    from proxyctl.commands import services

    services.delete(ctx.obj, service)
