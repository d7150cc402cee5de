"""`proxyctl sandbox`: an emulated Proxy with an account of its own, and a server for other programs.

Examples:
  proxyctl sandbox demo
  proxyctl sandbox seed --numbers 500 -o csv > numbers.csv
  proxyctl sandbox serve --port 0 --fault 500-after=0.05 --seed 7
"""

from proxyctl.commands.options import (
    DATA,
    DRY_RUN,
    NUMBER,
    argument,
    command,
    option,
    within,
)

HOST = option("--host ADDRESS", "Loopback address of the server.", default="127.0.0.1")
PORT = option("--port N", "Port of the server. 0 takes a free port.", min=0, max=65535, default=8181)
SERVED_PORT = option("--port N", "Port of the server.", min=1, max=65535, default=8181)
DATABASE = option("--database FILE", "Use this database in place of the default one.")
LATENCY = option(
    "--latency MS",
    "Delay each response by MS milliseconds.",
    parser=within(0.0, 60_000.0, "milliseconds, for example 150"),
    show_default=False,
    default="0",
)
FAULTS = option(
    "--fault NAME=PROBABILITY", "Inject a fault with this probability, for example 429=0.1 (repeatable)."
)
PAGE_SIZE = option("--max-page-size N", "Limit the rows of a page.", min=1, max=1000, default=100)


@command("seed", "sandbox.contents:seed", DATA)
def seed(
    numbers: int | None = option("--numbers N", "Number of phone numbers. The default is 10.", min=0),
    country: str | None = option("--country CC", "Country of the numbers. The default is US."),
    scenario: str | None = option("--scenario NAME", "Create a whole account: agency or fleet."),
    seed_number: int | None = option("--seed N", "Make the same numbers for the same N."),
) -> None:
    """Add phone numbers to the sandbox account, and print them.

    Examples:
      proxyctl sandbox seed --numbers 500 -o csv > numbers.csv
      proxyctl sandbox seed --scenario agency
    """


@command("serve", "sandbox.serving:run_server")
def serve(
    host: str = HOST,
    port: int = PORT,
    also: str | None = option("--also AC", "Serve this subaccount, too, with its own data and credentials."),
    database: str | None = DATABASE,
    latency_ms: float = LATENCY,
    rate_limit: bool = option(
        "--rate-limit/--no-rate-limit", "Limit the rate with 429, as the real API does.", default=True
    ),
    faults: list[str] | None = FAULTS,
    seed: int | None = option("--seed N", "Inject the same faults for the same N."),
    not_found: str = option(
        "--not-found 404|400", "Respond with this status for an unknown object.", default="404"
    ),
    max_page_size: int = PAGE_SIZE,
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
    number: str = NUMBER,
    sessions: int = argument("SESSIONS", "Open Sessions. 0 makes the number idle.", min=0),
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
    """Delete all Services, Sessions, numbers and Messaging Services of the sandbox.

    Examples:
      proxyctl sandbox reset
    """


@command("env", "sandbox.contents:show_exports")
def env(host: str = HOST, port: int = SERVED_PORT) -> None:
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
