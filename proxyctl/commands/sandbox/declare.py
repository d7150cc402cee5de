"""`proxyctl sandbox`: an emulated Proxy with an account of its own, and a server for other programs.

Examples:
  proxyctl sandbox demo
  proxyctl sandbox seed --numbers 500 -o csv > numbers.csv
  proxyctl sandbox serve --port 0 --fault 500-after=0.05 --seed 7
"""

from typing import Literal

import typer

from proxyctl.commands import options
from proxyctl.commands.options import DATA, argument, command, group, option, within
from proxyctl.identifiers import is_sid
from proxyctl.sandbox.context import ACCOUNT_SID

HOST = option("--host ADDRESS", "Loopback address of the server.", default="127.0.0.1")
PORT = option("--port N", "Port of the server. 0 takes a free port.", min=0, max=65535, default=8181)
FREE_PORT = option(
    "--port N", "Port of the server, in place of a free one.", min=0, max=65535, default=0, show_default=False
)
SERVED_PORT = option("--port N", "Port of the server.", min=1, max=65535, default=8181)


def account(text: str) -> str:
    """Return the Account SID of a subaccount."""
    if not is_sid("AC", text) or text == ACCOUNT_SID:
        raise typer.BadParameter("it takes the SID of another account: AC and 32 hexadecimal digits.")
    return text


def host(text: str) -> str:
    """Return a host that callbacks may go to."""
    from proxyctl.sandbox.callbacks.addresses import HOST_NAME, is_link_local

    name = text.strip("[]").lower().rstrip(".")
    if not HOST_NAME.fullmatch(name):
        raise typer.BadParameter("it takes a host name or an IP address, without a port.")
    if is_link_local(name):
        raise typer.BadParameter("a link-local address is never called.")
    return name


def database(text: str) -> str:
    """Return the name of a file. An unset variable of a script must not stand for the default one."""
    if not text:
        raise typer.BadParameter("it takes the name of a file.")
    return text


@group(None)
def DATA_OF(
    database: str | None = option(
        "--database FILE", "Use this database in place of the default one.", parser=database
    ),
    subaccount: str | None = option(
        "--also AC", "Work on the data of this subaccount of the sandbox.", parser=account
    ),
) -> None:
    """Whose data, in which file."""


@group(None)
def CALLING(
    callbacks_to: list[str] | None = option(
        "--callbacks-to HOST",
        "Send callbacks to this host, too (repeatable). This machine needs no option.",
        parser=host,
    ),
) -> None:
    """Who is called back."""


@group(None)
def SERVING(
    also: str | None = option(
        "--also AC", "Serve this subaccount, too, with its own data and credentials.", parser=account
    ),
    latency: float = option(
        "--latency MS",
        "Delay each response by MS milliseconds.",
        parser=within(0.0, 60_000.0, "milliseconds, for example 150"),
        show_default=False,
        default="0",
    ),
    rate_limit: bool = option(
        "--rate-limit/--no-rate-limit", "Limit the rate with 429, as the real API does.", default=True
    ),
    max_concurrent: int | None = option(
        "--max-concurrent N", "Refuse more than N requests at a time with 429.", min=1
    ),
    faults: list[str] | None = option(
        "--fault NAME=PROBABILITY", "Inject a fault with this probability, for example 429=0.1 (repeatable)."
    ),
    seed: int | None = option("--seed N", "Inject the same faults for the same N."),
    not_found: Literal["404", "400"] = option(
        "--not-found", "Respond with this status for an unknown object.", default="404"
    ),
    max_page_size: int = option(
        "--max-page-size N", "Limit the rows of a page.", min=1, max=1000, default=100
    ),
) -> None:
    """How it is served."""


DATABASE = {"database": DATA_OF["database"]}


@command("seed", "sandbox.contents:fill", DATA, DATA_OF)
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


@command("serve", "sandbox.serving:run_server", DATABASE, SERVING, CALLING)
def serve(host: str = HOST, port: int = PORT) -> None:
    """Serve the sandbox over HTTP on a loopback address.

    The first line of stdout is the URL. It is printed when the server is ready.

    Proxy and Messaging work on the account of the credentials, as Twilio does. A subaccount of --also has the same auth
    token as the sandbox. Its API key has the digits of its Account SID.

    Examples:
      proxyctl sandbox serve
      proxyctl sandbox serve --also AC0123456789abcdef0123456789abcdef
      proxyctl sandbox serve --port 0 --fault 500-after=0.05 --seed 7
    """


@command("exec", "sandbox.serving:execute", DATABASE, SERVING, CALLING)
def execute(
    words: list[str] = argument("COMMAND...", "The command, with its arguments."),
    host: str = HOST,
    port: int = FREE_PORT,
) -> None:
    """Run a command with a served sandbox of its own, and exit with its exit code.

    The sandbox is empty, on a free port, and ready before the command starts. It is deleted afterwards, unless
    --database names its file. The environment of the command is that of 'sandbox env'. 'sandbox' commands within it
    use the same sandbox. -v prints the requests.

    A command that does not exist exits 127, and one that can't be run 126. Signal N exits 128 + N.

    Examples:
      proxyctl sandbox exec -- pytest
      proxyctl sandbox exec --no-rate-limit --fault 429=0.1 -- python app.py
    """


execute.context_settings = {"allow_interspersed_args": False}  # its options are not ours, also without --


@command("busy", "sandbox.contents:make_busy", DATA, options.COUNTRY, DATA_OF)
def busy(
    number: str = options.NUMBER,
    sessions: int = argument("SESSIONS", "Open Sessions. 0 makes the number idle.", min=0),
) -> None:
    """Set the open Sessions of a sandbox number, to rehearse drain and remove.

    Examples:
      proxyctl sandbox busy +14155550100 3
      proxyctl sandbox busy +14155550100 0
    """


@command("message", "sandbox.contents:send_message", DATA, options.COUNTRY, DATA_OF, CALLING)
def message(
    sender: str = argument("FROM", "Phone number of the person."),
    number: str = argument("TO", "Proxy number."),
    text: str = argument("TEXT", "Text of the message."),
) -> None:
    """Send a text message to a proxy number, as a person would.

    The status is delivered, blocked (by the intercept callback), dropped (an opt-out word), undelivered (nobody to
    deliver to) or out-of-session. The command makes the callbacks itself, and waits for them.

    Examples:
      proxyctl sandbox message +14155550123 +14155550100 "On my way"
    """


@command("callbacks", "sandbox.contents:list_callbacks", DATA, options.LIMIT, DATA_OF)
def callbacks() -> None:
    """List the callbacks that the sandbox made, and the responses. The latest is first.

    The latest 10,000 are kept. A callback to a host that may not be called has the reason as its error.

    Examples:
      proxyctl sandbox callbacks --limit 20
      proxyctl sandbox callbacks -o jsonl --fields kind,status,parameters
    """


@command("clock", "sandbox.contents:move_clock", DATA, DATA_OF)
def clock(
    when: str | None = argument("[+DURATION|TIME|reset]", "Where to move the time.", default=None),
) -> None:
    """Show or move the sandbox's time, for example past the end of a Session.

    All dates and expiries of the sandbox follow it, and so does its Date header. TIME may also be in the past. Sessions
    that have expired stay closed then.

    Examples:
      proxyctl sandbox clock +2h
      proxyctl sandbox clock 2030-01-31T12:00:00Z
      proxyctl sandbox clock reset
    """


@command("status", "sandbox.contents:show_status", DATA, DATA_OF)
def status() -> None:
    """Show the contents of the sandbox, and its file.

    Examples:
      proxyctl sandbox status
    """


@command("reset", "sandbox.contents:reset", options.DRY_RUN, DATA_OF)
def reset() -> None:
    """Delete all Services, Sessions, numbers and Messaging Services of the sandbox.

    Examples:
      proxyctl sandbox reset
    """


@command("env", "sandbox.contents:show_exports", DATABASE)
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
