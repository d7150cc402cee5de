"""`proxyctl number`: the phone numbers of a Service's pool.

Examples:
  proxyctl number add masking-prod +14155550100 --reserved
  proxyctl number reserve masking-prod -f numbers.csv
  proxyctl number list masking-prod --idle --country US -o csv
"""

from proxyctl.commands import options
from proxyctl.commands.options import NUMBERS, SERVICE, argument, command, group, option, url

# What each verb accepts that changes numbers.
CHANGES = (options.DATA, options.WRITES, options.BULK, options.ROWS)


@group(options.FILTERS)
def CHOSEN(
    reserved: bool | None = option("--reserved/--unreserved", "Print only reserved numbers, or the others."),
    in_use: bool | None = option("--in-use/--idle", "Print only numbers with open Sessions, or without."),
    country: str | None = option("--country CC", "Print only numbers of this ISO country."),
    area_codes: list[str] | None = option(
        "--area-code NNN", "Print only North American numbers with this area code (repeatable): 415."
    ),
    capabilities: list[str] | None = option(
        "--capability C", "Print only numbers with this capability (repeatable): sms, voice_outbound, …"
    ),
    prefix: str | None = option("--prefix +1415", "Print only numbers that begin with + and these digits."),
) -> None:
    """Which numbers."""


@group(None)
def WEBHOOKS(
    proxy: bool | None = option("--proxy", "Point the numbers at SERVICE, which has them in its pool."),
    restore: bool | None = option("--restore", "Restore the webhooks that were saved when they joined."),
    voice_url: str | None = option("--voice-url URL", "Send their calls to URL.", parser=url),
    sms_url: str | None = option("--sms-url URL", "Send their messages to URL.", parser=url),
) -> None:
    """Where numbers point."""


@command("add", "number.change:run_verb", *CHANGES, verb="add")
def add_numbers(
    service_name: str = SERVICE,
    numbers: list[str] = NUMBERS,
    is_reserved: bool | None = option("--reserved/--unreserved", "Add them as reserved, or as unreserved."),
) -> None:
    """Add the account's phone numbers to a Service's pool.

    Joining a pool replaces a number's webhooks. The history saves them. 'history undo' restores them, and so
    does 'number remove --restore-webhooks'. A number that another application uses is refused.

    Examples:
      proxyctl number add masking-prod +14155550100 --reserved
      proxyctl number add masking-prod -f numbers.csv
    """


@command("reserve", "number.change:run_verb", *CHANGES, verb="reserve")
def reserve_numbers(
    service_name: str = SERVICE,
    numbers: list[str] = NUMBERS,
    add_missing: bool = option("--add", "Add numbers that are not in the pool, as reserved."),
) -> None:
    """Reserve phone numbers, so that Proxy does not assign them to participants.

    Examples:
      proxyctl number reserve masking-prod +14155550100 +14155550101
      proxyctl number reserve masking-prod -f numbers.csv --add
    """


@command("release", "number.change:run_verb", *CHANGES, verb="release")
def release_numbers(service_name: str = SERVICE, numbers: list[str] = NUMBERS) -> None:
    """Release reserved phone numbers, so that Proxy may assign them again.

    Examples:
      proxyctl number release masking-prod +14155550100
      proxyctl number release masking-prod -f numbers.csv
    """


@command("remove", "number.change:run_verb", *CHANGES, options.THROUGH, verb="remove")
def remove_numbers(
    service_name: str = SERVICE,
    numbers: list[str] = NUMBERS,
    must_exist: bool = option("--must-exist", "Fail for numbers that are not in the pool."),
    restore_webhooks: bool = option("--restore-webhooks", "Restore the webhooks saved when they joined."),
) -> None:
    """Remove phone numbers from a Service's pool. The account keeps them.

    A number with open Sessions is refused. 'number drain' waits until it is idle.

    Examples:
      proxyctl number remove masking-prod +14155550100
      proxyctl number remove masking-prod -f numbers.csv --restore-webhooks
    """


@command("list", "number.listing:show", options.DATA, options.LIST, CHOSEN)
def list_numbers(
    services: list[str] = options.SERVICES,
    all_services: bool = option("-A --all", "Include the numbers of all Services."),
    unassigned: bool = option("--unassigned", "Print the account's numbers that are in no pool."),
    no_messaging_service: bool = option(
        "--no-messaging-service", "Print only numbers that are in no Messaging Service."
    ),
) -> None:
    """List the phone numbers of one, several or all pools, or those in no pool.

    With --unassigned, messaging_service_sid is the Messaging Service that has the number. Such a number can join a pool
    only after it leaves the Messaging Service.

    Examples:
      proxyctl number list masking-prod --idle --area-code 415
      proxyctl number list masking-prod --no-messaging-service -o csv
      proxyctl number list --all --sort -in_use --limit 20
      proxyctl number list --unassigned -o csv > free.csv
    """


@command("show", "number.find:show", options.DATA, options.COUNTRY)
def show_number(
    names: list[str] = argument("[SERVICE] NUMBER", "PN SID, or number in E.164. SERVICE is optional."),
) -> None:
    """Show one phone number, and the Service that has it in its pool.

    Examples:
      proxyctl number show +14155550100
      proxyctl number show masking-prod +14155550100
    """


@command("find", "number.find:find", options.DATA, options.COUNTRY, options.ROWS)
def find_numbers(numbers: list[str] = NUMBERS) -> None:
    """Find the Service that has a number in its pool.

    The number's webhooks name a Service, which is read first. If it does not have the number, all pools are read.

    Examples:
      proxyctl number find +14155550100
      proxyctl number find -f numbers.csv -o csv
    """


@command("drain", "number.drain:drain", *CHANGES, options.THROUGH)
def drain_numbers(
    service_name: str = SERVICE,
    numbers: list[str] = NUMBERS,
    wait: bool = option("--wait", "Wait until no number is in use."),
    remove: bool = option("--remove", "Remove numbers that are idle."),
) -> None:
    """Reserve phone numbers and wait until they are idle. Optionally, remove them.

    A reserved number gets no new Sessions. Open Sessions continue. Without --wait, the command reports how many numbers
    are in use, and exits. With --remove alone, numbers in use fail. With --wait --remove, each number is removed as it
    becomes idle. No lock is held during the wait, so other runs on the Service can write.

    Examples:
      proxyctl number drain masking-prod +14155550100 --wait
      proxyctl number drain masking-prod -f old.csv --wait --remove --deadline 2h
    """


@command("webhooks", "number.change:set_webhooks", WEBHOOKS, *CHANGES)
def set_webhooks(service_name: str = SERVICE, numbers: list[str] = NUMBERS) -> None:
    """Set the voice and SMS webhooks of phone numbers, in a pool or not.

    Give --proxy, --restore or URLs. A trunk or an application that overrides a URL is taken off the number. 'history
    undo' restores the old settings.

    Examples:
      proxyctl number webhooks masking-prod +14155550100 --proxy
      proxyctl number webhooks masking-prod -f numbers.csv --restore
      proxyctl number webhooks masking-prod +14155550100 --sms-url https://example.com/sms
    """


@command("move", "number.move:move", *CHANGES, options.THROUGH)
def move_numbers(
    source_name: str = option("--from SERVICE", "Take them from this Service.", default=...),
    target_name: str = option("--to SERVICE", "Add them to this Service.", default=...),
    numbers: list[str] = NUMBERS,
    is_reserved: bool | None = option(
        "--reserved/--unreserved",
        "Add numbers that a killed move left in no pool as reserved, or as unreserved.",
    ),
) -> None:
    """Move idle phone numbers from one Service's pool to another.

    They stay reserved or unreserved. A number that the other pool refuses is put back. A number in use is refused. A
    number in a Messaging Service is refused too, because no pool accepts it. After a crash, run the same command again
    and it continues.

    Examples:
      proxyctl number move --from masking-prod --to masking-eu +14155550100
      proxyctl number move --from masking-prod --to masking-eu -f numbers.csv
    """
