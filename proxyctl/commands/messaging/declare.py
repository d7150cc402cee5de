"""`proxyctl messaging`: the Messaging Service that the US numbers of a pool have to be in, for A2P 10DLC."""

from typing import Annotated

import typer

from proxyctl.commands.options import (
    BULK,
    CALLS,
    DATA,
    WRITES,
    File,
    Numbers,
    ServiceArgument,
    option,
    shared,
)

app = typer.Typer(
    epilog="""Examples:
  proxyctl messaging check masking-prod --messaging-service MG0123…
  proxyctl messaging attach masking-prod --messaging-service MG0123…
"""
)

MessagingServiceOption = Annotated[
    str, option("--messaging-service MG", "The Messaging Service's SID (MG…).")
]


@app.command("check")
@shared(*CALLS, DATA)
def check_messaging(
    ctx: typer.Context,
    service: ServiceArgument,
    messaging_service: MessagingServiceOption,
) -> None:
    """Say what is wrong with a pool and its Messaging Service, and how to fix it; exit 8 when something is.

    It has to defer to the sender's webhook, every US number of the pool that sends SMS has to be in it and in no
    other, no number that is not in the pool, and 400 numbers at most.
    """
    from proxyctl.commands.messaging.attach import check

    check(ctx.obj, service, messaging_service)


@app.command("attach")
@shared(*CALLS, DATA, WRITES, BULK)
def attach_numbers(
    ctx: typer.Context,
    service: ServiceArgument,
    messaging_service: MessagingServiceOption,
    numbers: Numbers = None,
    file: File = None,
) -> None:
    """Put numbers of a pool into a Messaging Service; without any named, all US ones that send SMS.

    The order matters: a number that is in a Messaging Service can join no pool, so one that is not in the pool yet is
    refused.
    """
    from proxyctl.commands.messaging.attach import attach

    attach(ctx.obj, service, messaging_service, numbers, file)
