"""The pool file that is saved before numbers leave a pool or a Service is deleted, which restores them; and which
numbers no pool would take back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from proxyctl.api.models import PhoneNumber, Service
from proxyctl.errors import OutputError, RefusedError, StateError
from proxyctl.files import refuse_foreign, replace_private, state_directory, unwritable, write_new
from proxyctl.identifiers import checked_sid
from proxyctl.pools.export import head, service_text
from proxyctl.pools.pool import Pool
from proxyctl.pools.poolfile import SETTINGS
from proxyctl.runtime import Runtime
from proxyctl.state.history import outdated_before
from proxyctl.text import command_line
from proxyctl.writes.guard import LEAVE_MESSAGING
from proxyctl.writes.plan import Chain
from proxyctl.writes.requests import DETACH, REMOVE

ADDS = {"only_missing": True}  # what came back since, or was changed, stays as it is
KEPT_FOR = 90 * 86_400.0  # seconds, as long as the history


def save_chains(
    runtime: Runtime,
    chains: Sequence[Chain],
    path: Path | None = None,
    found: Mapping[str, Mapping[str, Any]] | None = None,
) -> Path | None:
    """Save the numbers of ``chains``, which leave their pools, in place of an earlier file of this run, if any.

    ``found``: as the run found them, by SID, where it has changed them since.
    """
    pools: dict[str, tuple[Service, Pool]] = {}
    for chain in chains:
        request = next(step.request for step in chain.steps if step.request.verb is REMOVE)
        sid = request.parent
        if sid not in pools:
            name = chain.service or request.kept.get("service") or runtime.account.service(sid).unique_name
            pools[sid] = (Service({"sid": sid, "unique_name": name}), Pool(sid, complete=False))
        before = (found or {}).get(request.sid or "", request.before or {})
        pools[sid][1].add(PhoneNumber(dict(before)))
    saved = save(runtime, list(pools.values()), path, creates=False)
    if saved is not None and path is None:
        runtime.note(f"saved to {saved}: '{restoring(saved)}' adds them again.{lacks(runtime, chains)}")
    return saved


def lacks(runtime: Runtime, chains: Sequence[Chain]) -> str:
    """Say what the file can't do for numbers that are, or were, in a Messaging Service, and what does it."""
    risks = [risk for chain in chains for risk in chain.risks if risk.rule == LEAVE_MESSAGING]
    if not risks and all(chain.request.verb is not DETACH for chain in chains):
        return ""
    undo = "" if runtime.options.no_history else " 'proxyctl history undo --through-messaging ID' does."
    return f" It adds no number that is in a Messaging Service, and puts none back into one.{undo}"


def recreating(runtime: Runtime, service_sid: str) -> Path | None:
    """Return the newest file that creates a deleted Service again; None where there is none."""
    directory = runtime.paths.state_dir / "saved"
    paths = directory.glob("*.toml")
    with suppress(OSError, ValueError, OutputError):
        refuse_foreign(directory)
        for path in sorted(paths, key=lambda path: (path.name[:15], len(path.name), path.name), reverse=True):
            if f"-{service_sid}" in path.name and "create = true" in path.read_text("utf-8"):
                return path
    return None


def restoring(path: Path) -> str:
    """Return the command that restores what a saved pool file says."""
    return command_line("pool", "apply", str(path))


def save(
    runtime: Runtime, pools: Sequence[tuple[Service, Pool]], path: Path | None = None, *, creates: bool = True
) -> Path | None:
    """Write a pool file; None with --no-history where that can't be done. OutputError: nothing was sent.

    It only adds what is missing. Unless it ``creates`` Services again, it is bound to those there are.
    """
    directory, now = runtime.paths.state_dir / "saved", runtime.clock.now()
    try:
        texts = []
        for service, pool in pools:
            whose = {"create": True} if creates else {"sid": service.sid}
            texts.append(service_text(without_secret(runtime, service), pool, {**whose, **ADDS})[0])
        data = "".join([head(runtime.profile.account_sid), *texts]).encode()
        if path is not None:
            replace_private(path, data)
            return path
        name = checked_sid(pools[0][0].sid) if len(pools) == 1 else f"{len(pools)}-pools"
        path = write(directory, name, data, now)
    except (OutputError, RefusedError) as error:
        if not runtime.options.no_history:
            hint = "Set PROXYCTL_STATE_DIR to a directory that you own, or add --no-history to save none."
            text = f"no file to restore from can be saved, and nothing was sent: {error.message}"
            raise type(error)(text, hint=error.hint if isinstance(error, StateError) else hint) from None
        runtime.warn(f"no file to restore from could be saved: {error.message}")
        return None
    forget_old(directory, now, runtime.access.server_now)
    return path


def without_secret(runtime: Runtime, service: Service) -> Service:
    """Return a Service without the settings that hold the secret, and say which."""
    clean, raw = runtime.console.redactor.clean, service.raw
    lost = [name for name in SETTINGS if isinstance(text := raw.get(name), str) and clean(text) != text]
    if lost:
        runtime.warn(f"{', '.join(lost)} of Service {service.name} held the secret, so the file lacks it.")
    return Service({key: value for key, value in raw.items() if key not in lost})


def write(directory: Path, name: str, data: bytes, now: float) -> Path:
    """Write ``data`` to a new file, named by the time and ``name``."""
    state_directory(directory)
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%d-%H%M%S")
    paths = (directory / f"{stamp}-{name}{f'-{number}' if number else ''}.toml" for number in count())
    path = next(path for path in paths if not path.exists())
    try:
        write_new(path, data)
    except OSError as error:
        raise unwritable(path, error) from error
    return path


def forget_old(directory: Path, now: float, server_now: float | None) -> None:
    """Delete what was saved long ago; what can't be tidied away is no reason to stop."""
    oldest = outdated_before(KEPT_FOR, now, server_now)
    with suppress(OSError):
        for path in directory.glob("*.toml"):
            if path.stat().st_mtime < oldest:
                path.unlink(missing_ok=True)
