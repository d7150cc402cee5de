"""`proxyctl number`: add, list, show, reserve, release and remove the Phone Numbers of a Service's pool."""

from typing import Annotated

import typer

from proxyctl.commands.options import BULK, CALLS, DATA, WRITES, shared
from proxyctl.commands.service.declare import ServiceArgument
from proxyctl.runtime import Runtime

app = typer.Typer(
    epilog="""Examples:
  proxyctl number add masking-prod +14155550100 --reserved
  proxyctl number reserve masking-prod -f numbers.csv
  proxyctl number list masking-prod --idle --country US -o csv
"""
)

INPUT = "Input"
FILTERS = "Filters"

Numbers = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[NUMBER]...", help="PN SIDs, or numbers in E.164: +14155550100.", show_default=False
    ),
]
File = Annotated[
    str | None,
    typer.Option(
        "-f",
        "--file",
        metavar="FILE",
        help="Read numbers from FILE ('-': stdin): text, CSV, JSON or JSON Lines.",
        rich_help_panel=INPUT,
    ),
]


DefaultCountry = Annotated[
    str | None,
    typer.Option(
        "--default-country", metavar="CC", help="Read numbers in national format too, for example US."
    ),
]
Tristate = Annotated[
    bool | None,
    typer.Option("--reserved/--unreserved", help="Add them as reserved, or not.", show_default=False),
]


@app.command("add")
@shared(*CALLS, DATA, WRITES, BULK)
def add_numbers(
    ctx: typer.Context,
    service: ServiceArgument,
    numbers: Numbers = None,
    file: File = None,
    reserved: Tristate = None,
    keep_webhooks: Annotated[
        bool,
        typer.Option(
            "--keep-webhooks",
            help="Keep their voice and SMS webhooks in the history, for remove --restore-webhooks.",
        ),
    ] = False,
) -> None:
    """Add the account's phone numbers to a Service's pool.

    Proxy points a number's webhooks at itself when it joins, and does not put them back when it leaves.
    """
    from proxyctl.commands.number.change import run_verb
    from proxyctl.pools.decide import Wish
    from proxyctl.writes.requests import ADD

    wish = Wish(ADD, is_reserved=reserved)
    run_verb(ctx.obj, service, numbers, file, wish, webhooks=keep_webhooks)


@app.command("reserve")
@shared(*CALLS, DATA, WRITES, BULK)
def reserve_numbers(
    ctx: typer.Context,
    service: ServiceArgument,
    numbers: Numbers = None,
    file: File = None,
    add: Annotated[
        bool, typer.Option("--add", help="Add those that are not in the pool, as reserved.")
    ] = False,
) -> None:
    """Reserve phone numbers, so that Proxy never picks them for a participant by itself."""
    from proxyctl.commands.number.change import run_verb
    from proxyctl.pools.decide import Wish
    from proxyctl.writes.requests import RESERVE

    run_verb(ctx.obj, service, numbers, file, Wish(RESERVE, add_missing=add))


@app.command("release")
@shared(*CALLS, DATA, WRITES, BULK)
def release_numbers(
    ctx: typer.Context, service: ServiceArgument, numbers: Numbers = None, file: File = None
) -> None:
    """Release reserved phone numbers, so that Proxy may pick them again."""
    from proxyctl.commands.number.change import run_verb
    from proxyctl.pools.decide import Wish
    from proxyctl.writes.requests import RELEASE

    run_verb(ctx.obj, service, numbers, file, Wish(RELEASE))


@app.command("remove")
@shared(*CALLS, DATA, WRITES, BULK)
def remove_numbers(
    ctx: typer.Context,
    service: ServiceArgument,
    numbers: Numbers = None,
    file: File = None,
    force: Annotated[
        bool, typer.Option("--force", help="Try numbers in use too, and let the API decide.")
    ] = False,
    must_exist: Annotated[
        bool, typer.Option("--must-exist", help="Fail for numbers that are not in the pool.")
    ] = False,
    restore_webhooks: Annotated[
        bool,
        typer.Option(
            "--restore-webhooks", help="Put their webhooks back, as add --keep-webhooks found them."
        ),
    ] = False,
) -> None:
    """Remove phone numbers from a Service's pool; the account keeps them."""
    from proxyctl.commands.number.change import run_verb
    from proxyctl.pools.decide import Wish
    from proxyctl.writes.requests import REMOVE

    wish = Wish(REMOVE, force=force, must_exist=must_exist)
    run_verb(ctx.obj, service, numbers, file, wish, webhooks=restore_webhooks)


@app.command("list")
@shared(*CALLS, DATA)
def list_numbers(
    ctx: typer.Context,
    services: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SERVICE]...", help="SIDs or unique names.", show_default=False),
    ] = None,
    all_services: Annotated[bool, typer.Option("--all", help="The numbers of all Services.")] = False,
    unassigned: Annotated[
        bool, typer.Option("--unassigned", help="The account's numbers that are in no pool.")
    ] = False,
    reserved: Annotated[
        bool | None,
        typer.Option(
            "--reserved/--unreserved",
            help="Only reserved ones, or only the others.",
            show_default=False,
            rich_help_panel=FILTERS,
        ),
    ] = None,
    in_use: Annotated[
        bool | None,
        typer.Option(
            "--in-use/--idle",
            help="Only with open Sessions, or only without.",
            show_default=False,
            rich_help_panel=FILTERS,
        ),
    ] = None,
    country: Annotated[
        str | None,
        typer.Option("--country", metavar="CC", help="Only this ISO country.", rich_help_panel=FILTERS),
    ] = None,
    capability: Annotated[
        list[str] | None,
        typer.Option(
            "--capability",
            metavar="C",
            help="Only with this capability: sms, voice_outbound, …",
            rich_help_panel=FILTERS,
        ),
    ] = None,
    prefix: Annotated[
        str | None,
        typer.Option("--prefix", metavar="+1415", help="Only numbers like this.", rich_help_panel=FILTERS),
    ] = None,
    sort: Annotated[
        str | None, typer.Option("--sort", metavar="FIELD", help="Sort by a field; -FIELD turns it round.")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", metavar="N", min=1, help="At most N rows.")] = None,
    count: Annotated[bool, typer.Option("--count", help="Print only how many there are.")] = False,
) -> None:
    """List the phone numbers of one Service's pool, of several, or of all; or those in no pool.

    With --unassigned, rows are the account's own, with one field more: messaging_service_sid, the Messaging Service
    that has the number. Such a number can join no pool before it leaves it.
    """
    from proxyctl.commands.number import listing as numbers
    from proxyctl.pools.filters import NumberFilter

    chosen = NumberFilter(reserved, in_use, country, tuple(capability or ()), prefix)
    numbers.show(
        ctx.obj,
        services or [],
        chosen,
        all_services=all_services,
        unassigned=unassigned,
        sort=sort,
        limit=limit,
        count=count,
    )


@app.command("show")
@shared(*CALLS, DATA)
def show_number(
    ctx: typer.Context,
    service: ServiceArgument,
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="A PN SID, or E.164.", show_default=False)],
    default_country: Annotated[
        str | None,
        typer.Option("--default-country", metavar="CC", help="Read NUMBER in national format too."),
    ] = None,
) -> None:
    """Show one phone number of a Service's pool."""
    from proxyctl.commands.number import listing as numbers
    from proxyctl.render.shapes import PHONE_NUMBER

    runtime: Runtime = ctx.obj
    runtime.out.one(PHONE_NUMBER, numbers.find_one(runtime, service, number, default_country).raw)


@app.command("find")
@shared(*CALLS, DATA)
def find_numbers(
    ctx: typer.Context,
    numbers: Numbers = None,
    file: File = None,
    default_country: DefaultCountry = None,
) -> None:
    """Find out which Service holds a number.

    The number's own webhooks hint at it, the Service proves it; where the hint fails, all pools are read.
    """

    from proxyctl.commands.number.find import find

    ctx.obj.use(ctx.obj.options._replace(default_country=default_country))
    find(ctx.obj, numbers, file)


@app.command("drain")
@shared(*CALLS, DATA, WRITES, BULK)
def drain_numbers(
    ctx: typer.Context,
    service: ServiceArgument,
    numbers: Numbers = None,
    file: File = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until no number is in use.")] = False,
    remove: Annotated[
        bool, typer.Option("--remove", help="Remove the numbers that are idle at the end.")
    ] = False,
) -> None:
    """Reserve phone numbers, wait until their Sessions have ended, and remove them.

    A reserved number gets no new Sessions by itself; those that run go on. No lock is held while it waits, so other
    runs on the same Service go on too.
    """
    from proxyctl.commands.number.drain import drain

    drain(ctx.obj, service, numbers, file, wait=wait, remove=remove)


@app.command("move")
@shared(*CALLS, DATA, WRITES, BULK)
def move_numbers(
    ctx: typer.Context,
    numbers: Numbers = None,
    file: File = None,
    source: Annotated[
        str,
        typer.Option("--from", metavar="SERVICE", help="The Service that has them.", show_default=False),
    ] = ...,  # type: ignore[assignment]
    target: Annotated[
        str,
        typer.Option("--to", metavar="SERVICE", help="The Service that is to have them.", show_default=False),
    ] = ...,  # type: ignore[assignment]
    through_messaging: Annotated[
        bool,
        typer.Option(
            "--through-messaging",
            help="Take numbers out of their Messaging Service for the move, and put them back into it.",
        ),
    ] = False,
    is_reserved: Annotated[
        bool | None,
        typer.Option(
            "--reserved/--unreserved",
            help="How numbers were that a move which was cut off left in no pool, if no record says so.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Move idle phone numbers from one Service's pool to another's, reserved or not as they were.

    A number that the other pool does not take is put back. One in use is refused, and so is one that is in a Messaging
    Service: it could be added to no pool. Killed half-way, the same command again continues.
    """
    from proxyctl.commands.number.move import move

    move(
        ctx.obj,
        source,
        target,
        numbers,
        file,
        through_messaging=through_messaging,
        is_reserved=is_reserved,
    )
