"""`proxyctl pool`: whole pools, and the file that declares them.

Examples:
  proxyctl pool status --all --fail-above 85 --fail-below 20
  proxyctl pool export --all --numbers-to . > pool.toml
  proxyctl pool plan pool.toml --exit-code
  proxyctl pool apply pool.toml
  proxyctl pool audit --all -o json
"""

from typing import Literal

from proxyctl.commands import options
from proxyctl.commands.options import argument, command, option, within

POOL_FILE = argument("FILE", "Pool file (TOML). '-' is stdin.")
PRUNE = option("--prune", "Remove numbers that the file leaves out from the Services that it names.")
SESSIONS = option(
    "--sessions", "Read the Sessions too: the oldest, those that never end, those past their end."
)


@command("status", "pool.status:show", options.DATA, options.SUMMARY)
def show_status(
    services: list[str] = options.SERVICES,
    all_services: bool = options.ALL,
    by: Literal["country", "area-code", "capability"] | None = option(
        "--by PART", "Print a row for each country, area-code or capability of a Service."
    ),
    fail_above: float | None = option(
        "--fail-above PERCENT",
        "Exit 8 if a pool is fuller than this, reserved or unreserved.",
        parser=within(0.0, 100.0, "per cent, for example 85"),
    ),
    fail_below: int | None = option(
        "--fail-below N", "Exit 8 if a Service has fewer unreserved numbers than N.", min=0
    ),
    sessions: bool = SESSIONS,
) -> None:
    """Show how full and how busy pools are.

    With --by, a column names the part. Numbers outside North America have no area code. A number counts once for each
    of its capabilities. --fail-above and --fail-below check whole Services.

    Examples:
      proxyctl pool status masking-prod
      proxyctl pool status masking-prod --by area-code
      proxyctl pool status --all --fail-above 85 --fail-below 20
      proxyctl pool status masking-prod --sessions
    """


@command("export", "pool.export:export")
def export_pools(
    services: list[str] = options.SERVICES,
    all_services: bool = options.ALL,
    numbers_to: str | None = option(
        "--numbers-to DIR", "Write the numbers to CSV files in DIR. The pool file names them."
    ),
    portable: bool = option("--portable", "Export only settings, for any account, without SIDs and numbers."),
) -> None:
    """Print a pool file that declares Services and their numbers.

    Redirect stdout to a file beside the CSV files of --numbers-to. Applying the file at once changes nothing. SIDs bind
    the file to its account and Services, unless --portable is given.

    Examples:
      proxyctl pool export masking-prod > pool.toml
      proxyctl pool export --all --numbers-to . > pool.toml
    """


@command(
    "plan", "pool.plan:plan", options.DATA, options.COUNTRY, options.ALLOW, options.THROUGH, options.SUMMARY
)
def plan_pools(
    file: str = POOL_FILE,
    prune: bool = PRUNE,
    exit_code: bool = option("--exit-code", "Exit 8 if something would change."),
) -> None:
    """Show the changes that 'pool apply' would make.

    Examples:
      proxyctl pool plan pool.toml
      proxyctl pool plan pool.toml --prune --exit-code
    """


@command("apply", "pool.plan:apply", options.DATA, options.WRITES, options.BULK, options.THROUGH)
def apply_pools(file: str = POOL_FILE, prune: bool = PRUNE) -> None:
    """Change Services and pools to match a pool file, within the limits of each pool.

    Services, fields and numbers that the file leaves out stay as they are. With --prune, such numbers are removed. A
    number in use is refused. After a crash, run the same command again and it continues.

    Examples:
      proxyctl pool apply pool.toml
      proxyctl pool apply pool.toml --prune --yes
    """


@command("audit", "pool.audit:audit", options.DATA, options.SUMMARY, options.FINDINGS)
def audit_pools(
    services: list[str] = options.SERVICES, all_services: bool = options.ALL, sessions: bool = SESSIONS
) -> None:
    """Check pools for errors and risks: limits, callback URLs and webhooks.

    Each finding has a severity (error, warning or info), the object, and the command that fixes it. With --all, the
    account's numbers that are in no pool are checked too. The exit code is 8 if there is an error or a warning.
    'proxyctl help findings' lists the IDs of findings.

    Examples:
      proxyctl pool audit masking-prod
      proxyctl pool audit --all --severity error -o json
      proxyctl pool audit --all --ignore callback-missing -q
    """
