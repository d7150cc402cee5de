"""`proxyctl messaging`: the Messaging Service that the US numbers of a pool need for A2P 10DLC.

Examples:
  proxyctl messaging check masking-prod --messaging-service MG…
  proxyctl messaging attach masking-prod --messaging-service MG…
"""

from proxyctl.commands.options import BULK, DATA, FINDINGS, NUMBERS, ROWS, SERVICE, WRITES, command, option

MESSAGING_SERVICE = option(
    "--messaging-service MG", "SID (MG…) of the Messaging Service, or its friendly name.", default=...
)


@command("check", "messaging.pairs:check", DATA, FINDINGS)
def check_messaging(service_name: str = SERVICE, messaging_service: str = MESSAGING_SERVICE) -> None:
    """Check that a pool and its Messaging Service fit together, and print how to fix them.

    The Messaging Service has to defer to the sender's webhook. It has to hold each US number of the pool that sends
    SMS, no other numbers, and at most 400. The exit code is 8 if there is an error or a warning.
    'proxyctl help findings' lists the IDs of findings.

    Examples:
      proxyctl messaging check masking-prod --messaging-service MG…
      proxyctl messaging check masking-prod --messaging-service MG… --only messaging-missing
    """


@command("attach", "messaging.pairs:attach", DATA, WRITES, BULK, ROWS)
def attach_numbers(
    service_name: str = SERVICE, messaging_service: str = MESSAGING_SERVICE, numbers: list[str] = NUMBERS
) -> None:
    """Add numbers of a pool to a Messaging Service.

    Without NUMBER and FILE, all US numbers of the pool that send SMS are added. A number in a Messaging Service can
    join no pool. So a number that is not in the pool yet is refused.

    Examples:
      proxyctl messaging attach masking-prod --messaging-service MG…
      proxyctl messaging attach masking-prod --messaging-service MG… +14155550100
    """
