"""`proxyctl auth`: save, check and remove credentials.

Examples:
  proxyctl auth login --profile prod
  pass twilio/prod | proxyctl auth login --profile prod --account-sid AC… --api-key SK… --secret-stdin
  proxyctl auth status --all
"""

from proxyctl.commands.options import DATA, DRY_RUN, YES, command, group, option


@group(None)
def SAVED_AS(
    profile: str | None = option(
        "-p --profile NAME",
        "Save the credentials as this profile.",
        show_default="PROXYCTL_PROFILE, or 'default'",
    ),
) -> None:
    """The profile that is saved."""


@group(None)
def SERVER(
    base_url: str | None = option("--base-url URL", "Send requests to this server."),
    region: str | None = option("--region NAME", "Use this region of Twilio, for example ie1."),
    edge: str | None = option("--edge NAME", "Use this edge of Twilio, for example dublin."),
) -> None:
    """The server of a profile."""


@command("login", "auth.credentials:log_in", SERVER, SAVED_AS, YES)
def log_in(
    account_sid: str | None = option("--account-sid AC", "SID of the account."),
    api_key: str | None = option(
        "--api-key SK", "SID of an API key, which is used in place of the auth token."
    ),
    secret_stdin: bool = option(
        "--secret-stdin", "Read the secret of the API key, or the auth token, from stdin."
    ),
    no_verify: bool = option("--no-verify", "Save the credentials without checking them."),
) -> None:
    """Check credentials with one request, and save them as a profile.

    Missing values are prompted for. The secret is typed without echo or read from stdin. No option accepts it, because
    other users can see the options of a running command. The first profile becomes the default. The profile also
    saves the server of --base-url or PROXYCTL_BASE_URL.

    Examples:
      proxyctl auth login --profile prod
      pass twilio/prod | proxyctl auth login --profile prod --account-sid AC… --api-key SK… --secret-stdin
    """


@command("status", "auth.credentials:show_status", DATA)
def show_status(all_profiles: bool = option("-A --all", "Include all profiles.")) -> None:
    """Show which credentials are used, where they come from, and whether they work.

    One request checks each profile.

    Examples:
      proxyctl auth status
      proxyctl auth status --all
    """


@command("logout", "auth.credentials:log_out", DRY_RUN)
def log_out() -> None:
    """Remove a profile's secret from the config file. Its other settings stay.

    Nothing changes at Twilio.

    Examples:
      proxyctl auth logout --profile prod
    """
