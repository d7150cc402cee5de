"""`proxyctl sandbox`: an emulated Proxy with an account of its own, and a server for other programs.

Examples:
  proxyctl sandbox demo
  proxyctl sandbox seed --numbers 500 -o csv > numbers.csv
  proxyctl sandbox serve --port 0 --fault 500-after=0.05 --seed 7
"""

from typing import Annotated

from proxyctl.commands.options import (
    DATA,
    DRY_RUN,
    NumberArgument,
    argument,
    command,
    option,
    within,
)

Host = Annotated[str, option("--host ADDRESS", "Loopback address of the server.")]
Port = Annotated[int, option("--port N", "Port of the server. 0 takes a free port.", min=0, max=65535)]
ServedPort = Annotated[int, option("--port N", "Port of the server.", min=1, max=65535)]
Database = Annotated[str | None, option("--database FILE", "Use this database in place of the default one.")]
Latency = Annotated[
    float,
    option(
        "--latency MS",
        "Delay each response by MS milliseconds.",
        parser=within(0.0, 60_000.0, "milliseconds, for example 150"),
        show_default=False,
    ),
]
Faults = Annotated[
    list[str] | None,
    option(
        "--fault NAME=PROBABILITY", "Inject a fault with this probability, for example 429=0.1 (repeatable)."
    ),
]
PageSize = Annotated[int, option("--max-page-size N", "Limit the rows of a page.", min=1, max=1000)]


@command("seed", "sandbox.contents:seed", DATA)
def seed(
    numbers: Annotated[
        int | None, option("--numbers N", "Number of phone numbers. The default is 10.", min=0)
    ] = None,
    country: Annotated[
        str | None, option("--country CC", "Country of the numbers. The default is US.")
    ] = None,
    scenario: Annotated[
        str | None, option("--scenario NAME", "Create a whole account: agency or fleet.")
    ] = None,
    seed_number: Annotated[int | None, option("--seed N", "Make the same numbers for the same N.")] = None,
) -> None:
    """Add phone numbers to the sandbox account, and print them.

    Examples:
      proxyctl sandbox seed --numbers 500 -o csv > numbers.csv
      proxyctl sandbox seed --scenario agency
    """


@command("serve", "sandbox.serving:run_server")
def serve(
    host: Host = "127.0.0.1",
    port: Port = 8181,
    also: Annotated[
        str | None, option("--also AC", "Serve this subaccount, too, with its own data and credentials.")
    ] = None,
    database: Database = None,
    latency_ms: Latency = "0",  # type: ignore[assignment]  # what the parser gets
    rate_limit: Annotated[
        bool, option("--rate-limit/--no-rate-limit", "Limit the rate with 429, as the real API does.")
    ] = True,
    faults: Faults = None,
    seed: Annotated[int | None, option("--seed N", "Inject the same faults for the same N.")] = None,
    not_found: Annotated[
        str, option("--not-found 404|400", "Respond with this status for an unknown object.")
    ] = "404",
    max_page_size: PageSize = 100,
) -> None:
    """Serve the sandbox over HTTP on a loopback address.

    The first line of stdout is the URL. It is printed when the server is ready.

    Proxy and Messaging work on the account of the credentials, as Twilio does. A subaccount of --also has the same auth
    token as the sandbox. Its API key has the digits of its Account SID.

    Examples:
      proxyctl sandbox serve
      proxyctl sandbox serve --also AC0123456789abcdef0123456789abcdef
      proxyctl sandbox serve --port 0 --fault 500-after=0.05 --seed 7
    """


@command("busy", "sandbox.contents:make_busy", DATA)
def busy(
    number: NumberArgument,
    sessions: Annotated[int, argument("SESSIONS", "Open Sessions. 0 makes the number idle.", min=0)],
) -> None:
    """Set the open Sessions of a sandbox number, to rehearse drain and remove.

    Examples:
      proxyctl sandbox busy +14155550100 3
      proxyctl sandbox busy +14155550100 0
    """


@command("status", "sandbox.contents:show_status", DATA)
def status() -> None:
    """Show the contents of the sandbox, and its file.

    Examples:
      proxyctl sandbox status
    """


@command("reset", "sandbox.contents:reset", DRY_RUN)
def reset() -> None:
    """Delete all Services, numbers and Messaging Services of the sandbox.

    Examples:
      proxyctl sandbox reset
    """


@command("env", "sandbox.contents:show_exports")
def env(host: Host = "127.0.0.1", port: ServedPort = 8181) -> None:
    """Print environment variables by which programs use a served sandbox.

    Twilio's libraries and proxyctl read them.

    Examples:
      eval "$(proxyctl sandbox env)"
      proxyctl sandbox env --port 9000
    """


@command("demo", "sandbox.demo:run_demo")
def demo() -> None:
    """Show the main commands at work, on a temporary sandbox.

    Examples:
      proxyctl sandbox demo
    """
