"""`proxyctl config`: the config file and its settings, without secrets.

Examples:
  proxyctl config list
  proxyctl config set output json
  proxyctl config set profiles.prod.protected true
  proxyctl config unset profiles.prod.region

Keys: default_profile, output, and for a profile (profiles.NAME.KEY): account_sid, api_key,
api_secret_command, auth_token_command, base_url, region, edge, protected.
Only account_sid creates a profile. A command replaces the stored secret.
A change rewrites the file without its comments.
"""

from proxyctl.commands.options import DATA, argument, command
from proxyctl.runtime import Runtime
from proxyctl.text import command_line

KEY = argument("KEY", "Setting, such as output or profiles.prod.region.")


@command("path")
def show_path(runtime: Runtime) -> None:
    """Print the path of the config file.

    Examples:
      proxyctl config path
    """
    print_plain(runtime, str(runtime.store.path))


@command("list", None, DATA)
def list_values(runtime: Runtime) -> None:
    """List the settings of the config file. Secrets are hidden.

    Examples:
      proxyctl config list
      proxyctl config list -o json
    """
    from proxyctl.render.shape import Shape

    rows = [{"key": key, "value": in_words(value)} for key, value in runtime.store.settings()]
    runtime.out.rows(Shape.generic("setting", ("key", "value"), id_field="key"), [rows])


@command("get")
def get_value(runtime: Runtime, key: str = KEY) -> None:
    """Print one setting, or nothing if it is not set.

    Examples:
      proxyctl config get default_profile
      proxyctl config get profiles.prod.region
    """
    value = runtime.store.get_value(key)
    if value is None:
        runtime.note(f"{key} is not set.")
    else:
        print_plain(runtime, in_words(value))


@command("set")
def set_value(runtime: Runtime, key: str = KEY, value: str = argument("VALUE", "New value.")) -> None:
    """Change one setting of the config file.

    Only account_sid creates a profile. A command that prints a secret replaces the secret in the file. It is
    api_secret_command in a profile with an api_key, and auth_token_command in a profile without one.

    Examples:
      proxyctl config set output json
      proxyctl config set profiles.prod.protected true
      proxyctl config set profiles.prod.api_secret_command 'pass twilio/prod'
    """
    if key.endswith(".base_url") and value:
        from proxyctl.api.endpoint import Endpoint

        Endpoint.at(value)  # says what is wrong with it, if anything is
    change_value(runtime, key, value)


@command("unset")
def unset_value(runtime: Runtime, key: str = KEY) -> None:
    """Remove one setting from the config file.

    Examples:
      proxyctl config unset output
      proxyctl config unset profiles.prod.region
    """
    if runtime.store.get_value(key) is None:
        runtime.note(f"{key} is not set.")
    else:
        change_value(runtime, key, "")


def change_value(runtime: Runtime, key: str, value: str) -> None:
    """Change a setting, or remove it where ``value`` is empty, and say what that did besides."""
    store = runtime.store
    change = store.set_value(key, value)
    if change.made:
        login = command_line("auth", "login", "--profile", change.made)
        runtime.note(
            f"Created profile {change.made!r}. It has no secret yet. Set auth_token_command, or run '{login}'."
        )
    if change.replaced:
        name = key.split(".", 1)[1].rpartition(".")[0]
        runtime.note(f"{key} replaced {' and '.join(change.replaced)}, which is no longer in {store.path}.")
        runtime.note(f"Check that the command works: {command_line('auth', 'status', '--profile', name)}")


def in_words(value: str | bool) -> str:
    """Return a value as it is typed."""
    return str(value).lower() if isinstance(value, bool) else value


def print_plain(runtime: Runtime, text: str) -> None:
    """Print one value as it is, without asking the config for a format: it may be what has to be fixed."""
    out = runtime.output("tsv")
    out.text(text)
    out.flush()
