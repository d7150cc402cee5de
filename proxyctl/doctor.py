"""What stands between a command and its response: the checks of `proxyctl doctor`, and how their findings are printed.

A check returns what is in order, or what to be warned of, or raises the error that a command would. None changes
anything, and of a secret only shows that it is there.
"""

from __future__ import annotations

import os
import platform
import stat
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import distributions
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, NamedTuple

from proxyctl import __version__
from proxyctl.api.environment import proxy_for
from proxyctl.api.resources import SERVICES
from proxyctl.errors import CheckError, ConfigError, OutputError, ProxyctlError, TemporaryError
from proxyctl.explaining import hint_for, sentence
from proxyctl.files import STATE, STATE_HINT, refuse_foreign_state
from proxyctl.profiles.profile import MASK
from proxyctl.render.shapes import Shape
from proxyctl.roles import Line, Piece, Role, cells, line
from proxyctl.text import Lines, counted, lines_in

if TYPE_CHECKING:
    from proxyctl.api.client import ProxyClient
    from proxyctl.runtime import Runtime

OK, WARNING, FAIL = "ok", "warning", "fail"
PACKAGES = ("typer", "rich", "httpx", "httpcore", "platformdirs", "tomli-w", "phonenumberslite")
VARIABLES = ("TWILIO_ACCOUNT_SID", "TWILIO_API_KEY", "TWILIO_API_SECRET", "TWILIO_AUTH_TOKEN")
PATIENCE = 10.0  # seconds for the call: a person waits
SLACK, TOO_FAR = 30.0, 300.0  # seconds between the clocks

FIELDS = ("check", "state", "detail", "hint")
SHAPE = Shape.generic("check", FIELDS, id_field="check")
SIGNS = {OK: Role.GOOD("✓"), WARNING: Role.WARNING("!"), FAIL: Role.BAD("✗")}
MARGIN = 16  # columns that sign and check take


class Warned(NamedTuple):
    """What does not keep commands from working, and what to type."""

    detail: str
    hint: str | None


class CheckResult(NamedTuple):
    """A row. ``hint`` is what to type; ``error``, where bad, is what a command would raise."""

    check: str
    state: str
    detail: str
    hint: str | None = None
    error: ProxyctlError | None = None


def checked(check: str, check_it: Callable[[], str | Warned]) -> CheckResult:
    """Make a check, and return what it finds."""
    try:
        found = check_it()
    except ProxyctlError as error:
        hint = Lines(*map(sentence, lines_in(hint_for(error) or "")))
        request_id = error.problem.request_id if error.problem else None
        detail = f"{error.message} Request id: {request_id}" if request_id else error.message
        return CheckResult(check, FAIL, detail, hint or None, error)
    return CheckResult(check, WARNING, *found) if isinstance(found, Warned) else CheckResult(check, OK, found)


def examine(runtime: Runtime) -> Iterator[CheckResult]:
    """Make one check after the other.

    Nothing is sent with the sandbox's profile, and where no credentials say which server is meant.
    """
    yield checked("program", program)
    yield checked("config", lambda: config(runtime))
    found = checked("credentials", lambda: credentials(runtime))
    yield found
    yield checked("state", lambda: state(runtime))
    if found.error is None and runtime.profile.is_sandbox:
        yield checked("sandbox", lambda: sandbox(runtime))
    elif found.error is None:
        yield from network(runtime)
    yield checked("terminal", lambda: terminal(runtime))


def program() -> str:
    """Name the program, its interpreter and its packages."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    system = f"{platform.system()} {platform.machine()}"
    packages = [f"{name} {one.version}" for name in PACKAGES for one in distributions(name=name)]
    place = Path(__file__).parent
    return ", ".join([f"proxyctl {__version__} in {place}", f"{python} on {system}", *packages])


def config(runtime: Runtime) -> str | Warned:
    """Check that the config file can be read, and that nobody else can change it."""
    try:
        path = runtime.store.path
    except ConfigError as error:
        return Warned(error.message, error.hint)
    names = runtime.store.profiles()
    runtime.store.default_profile()
    if not os.path.lexists(path):
        return f"{path}: absent. The first login creates it"
    return f"{path}: mode {stat.S_IMODE(path.stat().st_mode):04o}, {counted(len(names), 'profile')}"


def credentials(runtime: Runtime) -> str:
    """Check that there are credentials. The secret is fetched."""
    profile = runtime.profile
    runtime.learn_secret()
    if profile.is_sandbox:
        return f"none needed: the embedded sandbox ({profile.source})"
    from_environment = profile.name == profile.source
    chosen = (
        f"from the {profile.name}" if from_environment else f"profile {profile.name!r} ({profile.source})"
    )
    what = f"API key {profile.username}" if profile.uses_api_key else "the auth token"
    detail = f"{chosen}: account {profile.account_sid}, with {what}, secret {MASK}"
    if not from_environment and any(runtime.environ.get(name) for name in VARIABLES):
        detail += ". TWILIO_ variables of the environment are ignored"
    return detail


def state(runtime: Runtime) -> str | Warned:
    """Check that history and locks are ours alone and can be written."""
    directory = runtime.paths.state_dir
    place = next(place for place in (directory, *directory.parents) if os.path.lexists(place))
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        raise OutputError(f"{directory} can't be written: no files can be made in {place}.", hint=STATE_HINT)
    refuse_foreign_state(directory)
    for path, closing, mask in (
        (directory, "go-w", 0o022),
        *((directory / name, "700", 0o077) for name in STATE),
    ):
        mode = path.stat().st_mode if path.exists() else 0
        if mode & mask and not mode & stat.S_ISVTX:
            detail = f"{path} is open to other users (mode {stat.S_IMODE(mode):04o})"
            return Warned(detail, f"Run: chmod {closing} {quote(str(path))}")
    return f"{directory}: {'writable' if place == directory else 'can be created'}"


def sandbox(runtime: Runtime) -> str:
    """Check that the sandbox's database can be used."""
    path = runtime.paths.sandbox_file()
    if not os.path.lexists(path):
        return f"{path}: absent. It is created on first use"
    counts = runtime.sandbox_store.status()
    return f"{path}: {counted(counts.services, 'Service')}, {counted(counts.numbers, 'number')}"


def network(runtime: Runtime) -> Iterator[CheckResult]:
    """List one Service: the cheapest request that needs credentials. Yield which server, what came, and its clock."""
    try:
        client = runtime.access.client_for(runtime.profile)
        server = checked("server", lambda: server_of(runtime, client))
    except ProxyctlError as error:
        yield CheckResult("server", FAIL, error.message, error.hint, error)
        return
    with client:
        yield server
        if server.error is not None:
            return
        client.timeout = min(client.timeout, PATIENCE)
        found = checked("call", lambda: call(client))
        yield found._replace(check="account") if client.owner.stranger else found
        if (there := client.server_now) is not None:
            yield checked("clock", lambda: clock(runtime.clock.now() - there))


def server_of(runtime: Runtime, client: ProxyClient) -> str:
    """Name the server, what says that it is this one, and the proxy. UsageError: a proxy that can't be used."""
    profile = runtime.profile
    proxy = None if client.endpoint.is_loopback else proxy_for(next(iter(client.endpoint.origins))[1])
    asked = [f"{name} {value}" for name in ("region", "edge") if (value := getattr(profile, name))]
    chosen = ", ".join(asked) or "Twilio"
    if profile.base_url:
        chosen = "base_url of the profile"
    if runtime.environ.get("PROXYCTL_BASE_URL", "").strip():
        chosen = "PROXYCTL_BASE_URL"
    return f"{client.endpoint.label} ({chosen}){f', through {proxy}' if proxy else ''}"


def call(client: ProxyClient) -> str:
    """Make the one call."""
    answer = client.send(SERVICES.list(page_size=1))
    took, request = f"{answer.duration * 1000:.0f} ms", answer.request_id or "none"
    return f"GET /v1/Services: {answer.status} in {took}, request id {request}"


def clock(ahead: float) -> str | Warned:
    """Judge by how many seconds this machine's clock is ahead of the answer's Date, which is in whole seconds."""
    detail = f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the server"
    if abs(ahead) <= SLACK:
        return detail
    hint = "Run: sudo timedatectl set-ntp true (on macOS: sudo sntp -sS time.apple.com)"
    if abs(ahead) > TOO_FAR:
        raise CheckError(f"this machine's clock is {detail}.", hint=hint)
    return Warned(detail, hint)


def terminal(runtime: Runtime) -> str | Warned:
    """Say how output is printed here, and why."""
    console = runtime.console
    encoding = (getattr(runtime.stdout, "encoding", None) or "unknown").upper()
    if not console.terminal.stdout:
        return f"none: output is {runtime.format}, in {encoding}"
    colour = "with colour" if console.color_on(True) else "without colour"
    detail = f"{console.width} columns, {encoding}, {colour}, output is {runtime.format}"
    if console.ascii_only and runtime.environ.get("TERM") != "dumb":
        return Warned(f"{detail}. Signs are ASCII", "Run: export LC_ALL=C.UTF-8")
    return detail


# What is printed: the verdict and lines for people, rows for programs; then the worst error.


def report(runtime: Runtime) -> None:
    """Make every check and print its finding; raise the error of the worst."""
    try:
        runtime.format  # noqa: B018 - made on first use
    except ConfigError:  # a config that can't be read is a finding, and not the end
        runtime.format = runtime.usual_format
    runtime.out.check(SHAPE)
    clean = runtime.console.redactor.clean
    with runtime.waiting("checking"):
        found = list(examine(runtime))
    found = [one._replace(detail=clean(one.detail), hint=one.hint and clean(one.hint)) for one in found]
    shown = [one for one in found if one.state != OK or not runtime.options.silent]
    people = runtime.format == "table" and runtime.options.fields is None
    if people:
        runtime.out.lines(lines(found, shown, runtime.console.width) if shown else ())
    else:
        runtime.out.rows(SHAPE, [[{name: getattr(one, name) for name in FIELDS} for one in shown]])
    # What a user has to fix comes before what may pass; among equals the first is the likeliest cause.
    errors = [one.error for one in found if one.error is not None]
    if errors:
        worst: ProxyctlError = min(errors, key=lambda error: isinstance(error, TemporaryError))
        hint, problem = ("", None) if people else (worst.hint, worst.problem)
        raise type(worst)(f"{verdict(found)[1]}.", hint=hint, problem=problem)
    if not people:
        runtime.note(f"{verdict(found)[1]}.")


def verdict(found: Sequence[CheckResult]) -> tuple[str, str]:
    """Return the worst state, and a sentence on whether all is in order."""
    wrong, mild = ([one.check for one in found if one.state == state] for state in (FAIL, WARNING))
    if wrong:
        return FAIL, f"{len(wrong)} of {len(found)} checks failed: {', '.join(wrong)}"
    if mild:
        return WARNING, f"{counted(len(mild), 'warning')}: {', '.join(mild)}"
    return OK, f"all {len(found)} checks are ok"


def lines(found: Sequence[CheckResult], shown: Sequence[CheckResult], width: int) -> Iterator[Line]:
    """Yield findings for people: sign, check, what was found; below it what to type, unless that was said before."""
    state, words = verdict(found)
    yield line(SIGNS[state], f" {words}", hang=2)
    yield line("")
    said: set[str] = set()
    for finding in shown:
        first, *more = lines_in(finding.detail)
        longest = max(map(cells, first.split()), default=0)
        margin = MARGIN if MARGIN + longest <= width else 4
        yield line(SIGNS[finding.state], f" {finding.check:<12}  {first}", hang=margin)
        yield from (line(f"{'':{margin}}{text}", hang=margin) for text in more)
        hints = [text for text in lines_in(finding.hint or "") if text]
        for text in hints:
            if text not in said:
                arrow = "→" if text == hints[0] else " "
                words, run, command = text.partition("Run: ")
                yield line(f"{'':{margin}}{arrow} {words}{run}", Piece(command, whole=True), hang=margin + 2)
        said.update(hints)
