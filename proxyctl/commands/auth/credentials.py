"""What `auth` and `profile` do: try, save and remove credentials; show whose there are, and whether they work."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TextIO, TypeVar

from proxyctl.api.endpoint import Endpoint
from proxyctl.api.resources import SERVICES
from proxyctl.bulk.gates import Gates
from proxyctl.errors import AuthenticationError, ProxyctlError, TemporaryError, UsageError
from proxyctl.profiles import profile as profiles
from proxyctl.profiles.config_file import SANDBOX, check_name, parse_value, secret_key, usable_secret
from proxyctl.profiles.profile import BASE_URL, Profile, sandbox_profile
from proxyctl.profiles.store import SECRET_SOURCES, shown_value
from proxyctl.render.shapes import CREDENTIALS, PROFILE
from proxyctl.roles import Role, line
from proxyctl.runtime import Runtime
from proxyctl.text import Lines, command_line
from proxyctl.writes.reading import Reader

LONGEST_SECRET = 4096
DEFAULT_NAME = "default"
TRIES = 3
SERVER = ("base_url", "region", "edge")
OF_PROFILE = ("source", "account_sid", "username", *SERVER)

Entered = TypeVar("Entered")


def log_in(
    runtime: Runtime,
    *,
    account_sid: str | None,
    api_key: str | None,
    secret_stdin: bool,
    no_verify: bool,
    **server: str,
) -> None:
    """Ask for what is missing, prove the credentials with one request, and save them as a profile."""
    # Credentials that were tried at one server must not go to another the next time.
    settings, source = {name: value for name, value in server.items() if value}, "--base-url"
    if "base_url" not in settings and (url := runtime.environ.get(BASE_URL, "").strip()):
        settings["base_url"], source = url, BASE_URL
    check_given({"account_sid": account_sid, "api_key": api_key, **settings}, source)
    require_terminal(runtime, account_sid, secret_stdin)
    name = check_name(chosen_name(runtime) or DEFAULT_NAME)
    table = dict(runtime.store.profiles().get(name, {}))
    confirm_replacing(runtime, name, table)
    # What the profile already says about its server stays, so the credentials are tried there.
    there: dict[str, Any] = {key: settings.get(key) or table.get(key) or None for key in SERVER}

    def entered() -> tuple[str, str | None, str]:
        account, key = account_sid or asked(runtime, "Account SID (AC…): ", "account_sid"), api_key
        if key is None and not secret_stdin:
            key = asked(runtime, "API key SID (SK…, or empty to use the auth token): ", "api_key") or None
        secret = read_secret(runtime, "API key secret: " if key else "Auth token: ")
        runtime.console.redactor.add(secret)
        if not no_verify:
            prove(runtime, Profile(name, "--profile", account, key or account, lambda: secret, **there))
        return account, key, secret

    account, key, secret = tried(runtime, entered, AuthenticationError)
    first = runtime.store.save_profile(name, account_sid=account, secret=secret, api_key=key, **settings)
    say_saved(runtime, name, first, not no_verify)
    if new := settings.get("base_url"):
        runtime.note(f"Its base_url is now {new} (from {source}). Credentials are sent to that server.")
    elif there["base_url"]:  # from the file unchecked, so it may hold a password: it is not shown
        runtime.note("It keeps its base_url. Credentials are sent to that server, not to Twilio.")


def check_given(given: Mapping[str, str | None], url_source: str) -> None:
    """Check the values that were given before anything is asked; UsageError, without repeating what is wrong."""
    for field, value in given.items():
        if value is not None:
            parse_value(field, value)
    if url := given.get("base_url"):
        try:
            Endpoint.at(url)
        except UsageError as error:
            raise UsageError(f"{url_source}: {error.message}", hint=error.hint) from None


def require_terminal(runtime: Runtime, account_sid: str | None, secret_stdin: bool) -> None:
    """Raise UsageError where something must be asked and nobody can be."""
    needed = [] if account_sid else ["--account-sid"]
    needed += [] if secret_stdin else ["--secret-stdin"]
    if needed and not (runtime.console.interactive and runtime.console.terminal.stdin):
        raise UsageError(
            f"there is no terminal for a prompt, so {' and '.join(needed)} must be given.",
            hint="Pipe the secret in: … | proxyctl auth login --account-sid AC… --api-key SK… --secret-stdin",
        )


def chosen_name(runtime: Runtime) -> str | None:
    """Return the profile that --profile, --sandbox or PROXYCTL_PROFILE names."""
    if runtime.options.sandbox:
        return SANDBOX
    return runtime.options.profile or runtime.environ.get("PROXYCTL_PROFILE", "").strip() or None


def confirm_replacing(runtime: Runtime, name: str, table: Mapping[str, Any]) -> None:
    """Ask before credentials are replaced."""
    if any(table.get(key) for key in SECRET_SOURCES):
        who = Role.FAINT(f"({table.get('account_sid', 'no account')})")
        runtime.confirm(line(Role.BAD("Replace"), " the credentials of profile ", Role.NAME(name), "  ", who))


def asked(runtime: Runtime, question: str, field: str) -> str:
    """Ask for one value. Only an API key may be left empty."""

    def ask() -> str:
        answer = runtime.console.ask(question)
        return str(parse_value(field, answer)) if answer or field != "api_key" else ""

    return tried(runtime, ask, UsageError)


def tried(runtime: Runtime, attempt: Callable[[], Entered], mistake: type[ProxyctlError]) -> Entered:
    """Return what ``attempt`` does; after a typo at a terminal, say what was wrong and ask again."""
    for _ in range(TRIES - 1 if runtime.console.terminal.stdin else 0):
        try:
            return attempt()
        except mistake as error:
            runtime.say(line(Role.BAD("error:"), f" {error.message.rstrip('.')}. Try again."))
    return attempt()


def read_secret(runtime: Runtime, question: str) -> str:
    """Read the secret's line from stdin, on a terminal after a question and without echo."""
    stdin, typed = runtime.stdin, runtime.console.terminal.stdin
    if stdin is None:
        raise UsageError("standard input is closed, so there is no secret to read.")
    try:
        with no_echo(stdin):
            # Only now: what is typed before the echo is off would be seen, and then dropped.
            if typed:
                runtime.console.write_error(question)
            text = stdin.readline(LONGEST_SECRET)
    except (OSError, ValueError):
        raise UsageError("the secret can't be read from standard input.") from None
    finally:
        if typed:
            runtime.console.write_error("\n")
    return usable_secret(text, "the secret" if typed else "the secret on stdin", UsageError)


@contextmanager
def no_echo(stdin: TextIO) -> Iterator[None]:
    """Keep what is typed off the screen; the terminal is put back whatever happens."""
    import termios

    try:
        descriptor = stdin.fileno()
        before = termios.tcgetattr(descriptor)
    except (OSError, ValueError, termios.error):  # Not a terminal after all: nothing echoes.
        yield
        return
    hidden = termios.tcgetattr(descriptor)
    hidden[3] &= ~termios.ECHO
    try:
        termios.tcsetattr(descriptor, termios.TCSAFLUSH, hidden)
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSAFLUSH, before)


def prove(runtime: Runtime, profile: Profile) -> None:
    """Make one request; where it fails, say that nothing was saved."""
    try:
        try_out(runtime, profile)
    except AuthenticationError as error:
        hint = "Check the SID and the secret, and that they belong together." if error.problem else error.hint
        error.hint = Lines("Nothing was saved.", hint)
        raise
    except TemporaryError as error:
        error.hint = Lines(error.hint, "Nothing was saved. --no-verify saves without checking.")
        raise


def say_saved(runtime: Runtime, name: str, first: bool, verified: bool) -> None:
    """Say where the profile is and when it is used."""
    how = "they work" if verified else "not checked"
    runtime.note(f"Saved the credentials ({how}) as profile {name!r} in {runtime.store.path}.")
    if any(runtime.environ.get(f"TWILIO_{key}") for key in ("ACCOUNT_SID", "API_KEY", "AUTH_TOKEN")):
        runtime.note(
            f"The TWILIO_ variables of the environment still override it. Add --profile {name} to use it."
        )
    elif first:
        runtime.note("It is the default profile.")
    elif runtime.store.default_profile() != name:
        use = command_line("profile", "use", name)
        runtime.note(f"Use it with --profile {name}, or make it the default: {use}")


def log_out(runtime: Runtime) -> None:
    """Remove the secret of the profile that was named, or else of the default."""
    name = chosen_name(runtime) or runtime.store.default_profile()
    if name is None:
        raise UsageError("there is no default profile to log out of.", hint="Add --profile NAME.")
    what = "Its secret is deleted. The profile stays. 'proxyctl auth login' saves another."
    if removed(runtime, "Log out of", name, what, runtime.store.remove_secrets):
        runtime.note(f"Logged out of profile {name!r}.")


def use_profile(runtime: Runtime, name: str) -> None:
    """Set the default profile."""
    runtime.store.set_value("default_profile", name)
    runtime.note(f"The default profile is now {name!r}.")


def remove_profile(runtime: Runtime, name: str) -> None:
    """Remove a profile from the config file."""
    what = "It is deleted with its credentials. Nothing changes at Twilio."
    if removed(runtime, "Remove", name, what, runtime.store.remove):
        runtime.note(f"Removed profile {name!r}.")


def removed(runtime: Runtime, verb: str, name: str, what: str, remove: Callable[[str], None]) -> bool:
    """Call ``remove`` after a yes; false with --dry-run. ``what`` says what of the profile goes."""
    account = runtime.store.removable(name).get("account_sid", "no account")
    who = Role.FAINT(f"({account}, {runtime.store.path})")
    title = line(Role.BAD(verb), " profile ", Role.NAME(name), "  ", who, hang=2)
    question = [title, line(f"  {what}", hang=2)]
    if runtime.options.dry_run:
        runtime.note(*question, "dry run: nothing was removed.")
        return False
    runtime.confirm(*question)
    remove(name)
    return True


# What there is


def show_status(runtime: Runtime, *, all_profiles: bool) -> None:
    """Print the profile that commands use here, or all, and whether they work; raises the error where one does not."""
    if all_profiles:
        show_all(runtime)
        return
    profile = runtime.profile
    error = failure(runtime, profile)
    sign = Role.BAD("✗ fails") if error else Role.GOOD("✓ works")
    verdict = line(sign, "  profile ", Role.NAME(profile.name), Role.FAINT(f"  {profile.account_sid}"))
    row = status_row(runtime, profile.name, profile, error)
    runtime.out.one(CREDENTIALS, row, verdict=verdict, said=("profile", "account_sid", "works", "problem"))
    if error is not None:
        raise error


def show_all(runtime: Runtime) -> None:
    """Print a row for each profile; raises the first error of those that do not work."""
    rows, errors = [], []
    for name, found in every_profile(runtime):
        if isinstance(found, ProxyctlError):
            error: ProxyctlError | None = found
        else:
            error = None if found.is_sandbox else failure(runtime, found)
        rows.append(status_row(runtime, name, found, error))
        errors += [] if error is None else [error]
    if runtime.format == "table" and runtime.console.terminal.stdout:
        rows = [{**row, "works": line(Role.GOOD("✓") if row["works"] else Role.BAD("✗"))} for row in rows]
    runtime.out.rows(CREDENTIALS, [rows])
    # Credentials that are refused matter more than a server that could not be asked.
    errors.sort(key=lambda error: isinstance(error, TemporaryError))
    if errors:
        raise errors[0]


def every_profile(runtime: Runtime) -> Iterator[tuple[str, Profile | ProxyctlError]]:
    """Yield the environment's credentials, the profiles and the sandbox, or why one can't be used."""
    environ, store = runtime.environ, runtime.store
    try:
        found = profiles.environment_profile(environ)
        if found is not None:
            yield found.name, found
    except UsageError as error:
        yield "environment", error
    for name in store.profiles():
        try:
            yield name, profiles.named_profile(name, "config", environ=environ, store=store)
        except ProxyctlError as error:
            yield name, error
    yield SANDBOX, sandbox_profile("built in")


def failure(runtime: Runtime, profile: Profile) -> ProxyctlError | None:
    """Return why the profile's credentials do not work, None where they do."""
    try:
        try_out(runtime, profile)
    except ProxyctlError as error:
        return error
    return None


def status_row(
    runtime: Runtime, name: str, found: Profile | ProxyctlError, error: ProxyctlError | None
) -> dict[str, Any]:
    """Return what may be shown of a profile, or of one that can't be used: of its secret, only that there is one."""
    row: dict[str, Any] = dict.fromkeys(CREDENTIALS.fields)
    if isinstance(found, Profile):
        row |= {field: shown_value(field, getattr(found, field)) for field in OF_PROFILE}
        row["secret"] = profiles.MASK
        row["protected"] = bool(runtime.protecting(found, found.account_sid))
    return row | {"profile": name, "works": error is None, "problem": error and error.message}


def try_out(runtime: Runtime, profile: Profile) -> None:
    """List one Service: the cheapest request that needs working credentials."""
    with runtime.access.client_for(profile) as client:
        gates = Gates(0.0, random=random.random, clock=runtime.clock)  # without limits: little is sent
        Reader(client, gates).request(SERVICES.list(page_size=1))


def list_profiles(runtime: Runtime) -> None:
    """Print the profiles of the config file, and the sandbox."""
    store = runtime.store
    default = store.get_value("default_profile")
    tables = {**store.profiles(), SANDBOX: {"account_sid": sandbox_profile("").account_sid}}
    runtime.out.rows(PROFILE, [[profile_row(name, tables[name], name == default) for name in tables]])


def profile_row(name: str, table: Mapping[str, Any], default: bool) -> dict[str, Any]:
    """Return what may be shown of a profile: everything but its secret, and the command that prints it.

    ``auth`` is what signs in, with ``(command)`` where a command prints the secret.
    """
    key = secret_key(table)
    auth = "api_key" if table.get("api_key") else "auth_token"
    if not table.get(key):
        auth = f"{auth} (command)" if table.get(f"{key}_command") else ""
    return {
        "name": name,
        "default": default,
        "account_sid": table.get("account_sid"),
        "auth": auth or None,
        **{key: shown_value(key, table.get(key)) for key in SERVER},
        "protected": table.get("protected", False),
    }
