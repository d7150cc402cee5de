"""`proxyctl profile`: list, choose and remove the profiles of the config file.

Examples:
  proxyctl profile list
  proxyctl profile use prod
"""

from proxyctl.commands.options import DATA, DRY_RUN, argument, command

NAME = argument("NAME", "Name of a profile.")


@command("list", "auth.credentials:list_profiles", DATA)
def list_profiles() -> None:
    """List the profiles of the config file, and the sandbox.

    Examples:
      proxyctl profile list
    """


@command("use", "auth.credentials:use_profile")
def use_profile(name: str = NAME) -> None:
    """Set the default profile. Options and environment variables override it.

    Examples:
      proxyctl profile use prod
    """


@command("remove", "auth.credentials:remove_profile", DRY_RUN)
def remove_profile(name: str = NAME) -> None:
    """Remove a profile and its credentials from the config file.

    Nothing changes at Twilio.

    Examples:
      proxyctl profile remove prod
    """
