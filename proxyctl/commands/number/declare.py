"""`proxyctl number`: add, list, show, reserve, release and remove the Phone Numbers of a Service's pool."""

from typing import Annotated, Any

import typer

from proxyctl.commands.options import (
    BULK,
    CALLS,
    COUNTRY,
    DATA,
    THROUGH,
    WRITES,
    File,
    Limit,
    NumberArgument,
    Numbers,
    ServiceArgument,
    Services,
    gathered,
    group,
    option,
    shared,
    typed,
    url_given,
)

app = typer.Typer(
    epilog="""Examples:
  proxyctl number add masking-prod +14155550100 --reserved
  proxyctl number reserve masking-prod -f numbers.csv
  proxyctl number list masking-prod --idle --country US -o csv
"""
)

FILTERS = "Filters"
CHOSEN = group(
    FILTERS,
    reserved=typed(bool | None, "--reserved/--unreserved", "Only reserved ones, or only the others."),
    in_use=typed(bool | None, "--in-use/--idle", "Only with open Sessions, or only without."),
    country=typed(str | None, "--country CC", "Only this ISO country."),
    capabilities=typed(
        list[str] | None, "--capability C", "Only with this capability: sms, voice_outbound, …"
    ),
    prefix=typed(str | None, "--prefix +1415", "Only numbers like this."),
)
WEBHOOKS = group(
    None,
    proxy=typed(bool | None, "--proxy", "Point them at SERVICE, whose pool has them."),
    restore=typed(bool | None, "--restore", "Restore what was kept when they joined a pool."),
    voice_url=typed(str | None, "--voice-url URL", "Send their calls to URL.", parser=url_given),
    sms_url=typed(str | None, "--sms-url URL", "Send their messages to URL.", parser=url_given),
)


@app.command("add")
@shared(*CALLS, DATA, WRITES, BULK)
def add_numbers(
    ctx: typer.Context,
    service: ServiceArgument,
    numbers: Numbers = None,
    file: File = None,
    reserved: Annotated[
        bool | None, option("--reserved/--unreserved", "Add them as reserved, or not.")
    ] = None,
) -> None:
    """Add the account's phone numbers to a Service's pool.

    Joining a pool replaces a number's webhooks. The history keeps them: `proxyctl history undo` restores them, and so
    does `proxyctl number remove --restore-webhooks`. A number that another application uses is refused.
    """
    from proxyctl.commands.number.change import run_verb

    run_verb(ctx.obj, "add", service, numbers, file, is_reserved=reserved)


@app.command("reserve")
@shared(*CALLS, DATA, WRITES, BULK)
def reserve_numbers(
    ctx: typer.Context,
    service: ServiceArgument,
    numbers: Numbers = None,
    file: File = None,
    add: Annotated[bool, option("--add", "Add those that are not in the pool, as reserved.")] = False,
) -> None:
    """Reserve phone numbers, so that Proxy never picks them for a participant by itself."""
    from proxyctl.commands.number.change import run_verb

    run_verb(ctx.obj, "reserve", service, numbers, file, add_missing=add)


@app.command("release")
@shared(*CALLS, DATA, WRITES, BULK)
def release_numbers(
    ctx: typer.Context, service: ServiceArgument, numbers: Numbers = None, file: File = None
) -> None:
    """Release reserved phone numbers, so that Proxy may pick them again."""
    from proxyctl.commands.number.change import run_verb

    run_verb(ctx.obj, "release", service, numbers, file)


@app.command("remove")
@shared(*CALLS, DATA, WRITES, BULK, THROUGH)
def remove_numbers(
    ctx: typer.Context,
    service: ServiceArgument,
    numbers: Numbers = None,
    file: File = None,
    must_exist: Annotated[bool, option("--must-exist", "Fail for numbers that are not in the pool.")] = False,
    restore_webhooks: Annotated[
        bool, option("--restore-webhooks", "Restore the webhooks that were kept when they joined.")
    ] = False,
) -> None:
    """Remove phone numbers from a Service's pool; the account keeps them."""
    from proxyctl.commands.number.change import run_verb

    wishes = {"restore_webhooks": restore_webhooks, "must_exist": must_exist}
    run_verb(ctx.obj, "remove", service, numbers, file, **wishes)


@app.command("list")
@shared(*CALLS, DATA)
@gathered("filters", CHOSEN)
def list_numbers(
    ctx: typer.Context,
    filters: dict[str, Any],
    services: Services = None,
    all_services: Annotated[bool, option("-A --all", "Include the numbers of all Services.")] = False,
    unassigned: Annotated[bool, option("--unassigned", "The account's numbers that are in no pool.")] = False,
    sort: Annotated[str | None, option("--sort FIELD", "Sort by a field; -FIELD turns it round.")] = None,
    limit: Limit = None,
    count: Annotated[bool, option("--count", "Print only how many there are.")] = False,
) -> None:
    """List the phone numbers of one Service's pool, of several, or of all; or those in no pool.

    With --unassigned, rows are the account's own, with one field more: messaging_service_sid, the Messaging Service
    that has the number. Such a number can join no pool before it leaves it.
    """
    from proxyctl.commands.number import listing

    listing.show(
        ctx.obj,
        services or [],
        filters,
        all_services=all_services,
        unassigned=unassigned,
        sort=sort,
        limit=limit,
        count=count,
    )


@app.command("show")
@shared(*CALLS, DATA, COUNTRY)
def show_number(ctx: typer.Context, service: ServiceArgument, number: NumberArgument) -> None:
    """Show one phone number of a Service's pool."""
    from proxyctl.commands.number import find

    find.show(ctx.obj, service, number)


@app.command("find")
@shared(*CALLS, DATA, COUNTRY)
def find_numbers(ctx: typer.Context, numbers: Numbers = None, file: File = None) -> None:
    """Find out which Service holds a number.

    The number's own webhooks hint at it, the Service proves it; where the hint fails, all pools are read.
    """
    from proxyctl.commands.number.find import find

    find(ctx.obj, numbers, file)


@app.command("drain")
@shared(*CALLS, DATA, WRITES, BULK, THROUGH)
def drain_numbers(
    ctx: typer.Context,
    service: ServiceArgument,
    numbers: Numbers = None,
    file: File = None,
    wait: Annotated[bool, option("--wait", "Wait until no number is in use.")] = False,
    remove: Annotated[bool, option("--remove", "Remove the numbers that are idle.")] = False,
) -> None:
    """Reserve phone numbers, so that their Sessions run out; --wait waits for that, --remove removes them.

    A reserved number gets no new Sessions by itself; those that run go on. Without --wait, the command returns at
    once, and says how many numbers are still in use. With --remove alone, those in use fail. With --wait --remove, each
    number is removed as it becomes idle.
    No lock is held during the wait, so other runs on the same Service go on too.
    """
    from proxyctl.commands.number.drain import drain

    drain(ctx.obj, service, numbers, file, wait=wait, remove=remove)


@app.command("webhooks")
@shared(*CALLS, DATA, WRITES, BULK)
@gathered("to", WEBHOOKS)
def set_webhooks(
    ctx: typer.Context,
    service: ServiceArgument,
    to: dict[str, Any],
    numbers: Numbers = None,
    file: File = None,
) -> None:
    """Set the voice and SMS webhooks of phone numbers, in a pool or not.

    A trunk or an application that would override a URL is taken off the number. `proxyctl history undo` restores what
    was there.
    """
    from proxyctl.commands.number.webhooks import set_webhooks

    set_webhooks(ctx.obj, service, numbers, file, to)


@app.command("move")
@shared(*CALLS, DATA, WRITES, BULK, THROUGH)
def move_numbers(
    ctx: typer.Context,
    source: Annotated[str, option("--from SERVICE", "The Service that has them.")],
    target: Annotated[str, option("--to SERVICE", "The Service that is to have them.")],
    numbers: Numbers = None,
    file: File = None,
    is_reserved: Annotated[
        bool | None,
        option(
            "--reserved/--unreserved",
            "How numbers were that a move which was cut off left in no pool, if no record says so.",
        ),
    ] = None,
) -> None:
    """Move idle phone numbers from one Service's pool to another's, reserved or not as they were.

    A number that the other pool does not take is put back. One in use is refused, and so is one that is in a Messaging
    Service: it could be added to no pool. Killed half-way, the same command again continues.
    """
    from proxyctl.commands.number.move import move

    move(ctx.obj, source, target, numbers, file, is_reserved=is_reserved)
