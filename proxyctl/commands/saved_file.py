"""The pool file that is saved before numbers leave a pool or a Service goes, which brings them back; and which numbers
no pool would take back.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from proxyctl.api.resources import PhoneNumber, Service
from proxyctl.errors import OutputError, ProxyctlError, RefusedError
from proxyctl.files import replace_private, state_directory, unwritable, write_new
from proxyctl.pools.account import COURTESY
from proxyctl.pools.export import head, service_text
from proxyctl.pools.pool import Pool
from proxyctl.runtime import Runtime
from proxyctl.state.history import outdated_before
from proxyctl.writes.plan import Chain

KEPT_FOR = 90 * 86_400.0  # seconds, as long as the history


def save_chains(runtime: Runtime, chains: Iterable[Chain], path: Path | None = None) -> Path | None:
    """Save the numbers of ``chains``, which leave their pools, in place of an earlier file of this run, if any."""
    pools: dict[str, tuple[Service, Pool]] = {}
    for chain in chains:
        request = chain.steps[-1].request if chain.steps[-1].request.before else chain.steps[0].request
        sid = request.parent
        if sid not in pools:
            name = chain.service or request.kept.get("service") or runtime.account.service(sid).unique_name
            pools[sid] = (Service({"sid": sid, "unique_name": name}), Pool(sid, complete=False))
        pools[sid][1].add(PhoneNumber(dict(request.before or {})))
    saved = save(runtime, list(pools.values()), path)
    if saved is not None and path is None:
        runtime.note(f"saved to {saved}: '{restoring(saved)}' adds them again.")
    return saved


def restoring(path: Path) -> str:
    """Return the command that brings back what a saved pool file says."""
    return f"proxyctl pool apply {shlex.quote(str(path))}"


def save(runtime: Runtime, pools: Sequence[tuple[Service, Pool]], path: Path | None = None) -> Path | None:
    """Write a pool file; None with --no-history where that can't be done. OutputError: nothing was sent."""
    directory, now = runtime.paths.state_dir / "saved", runtime.clock.now()
    try:
        texts = [service_text(service, pool)[0] for service, pool in pools]
        data = "".join([head(runtime.profile.account_sid), *texts]).encode()
        if path is not None:
            replace_private(path, data)
            return path
        path = write(directory, pools[0][0].sid if len(pools) == 1 else f"{len(pools)}-pools", data, now)
    except (OutputError, RefusedError) as error:
        if not runtime.options.no_history:
            raise type(error)(
                f"a way back can't be saved, so nothing was sent: {error.message}",
                hint="Set PROXYCTL_STATE_DIR to a directory of yours, or add --no-history to go on without.",
            ) from None
        runtime.warn(f"no way back could be saved: {error.message}")
        return None
    forget_old(directory, now, runtime.access.server_now)
    return path


def write(directory: Path, name: str, data: bytes, now: float) -> Path:
    """Write ``data`` to a new file, named by the time and ``name``."""
    state_directory(directory)
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%d-%H%M%S")
    for number in range(1000):
        path = directory / f"{stamp}-{name}{f'-{number}' if number else ''}.toml"
        try:
            write_new(path, data)
        except FileExistsError:
            continue
        except OSError as error:
            raise unwritable(path, error) from error
        return path
    raise OutputError(f"{directory} is full of files of this second")


def forget_old(directory: Path, now: float, server_now: float | None) -> None:
    """Delete what was saved long ago; what can't be tidied away is no reason to stop."""
    with suppress(OSError):
        saved = {path: path.stat().st_mtime for path in directory.glob("*.toml")}
        oldest = outdated_before(saved.values(), KEPT_FOR, now, server_now)
        for path in (path for path, time in saved.items() if time < oldest):
            path.unlink(missing_ok=True)


def senders_text(runtime: Runtime, sids: Collection[str]) -> str:
    """Return a line about the numbers that could not come back to Proxy, or nothing; where nobody would read it, no
    Messaging Service is asked.
    """
    if not sids or (runtime.options.quiet and runtime.options.yes):
        return ""
    try:
        found = runtime.account.senders(sids, within=COURTESY)
    except ProxyctlError as error:
        return (
            "\n  Whether some of them could not come back, being in a Messaging Service, can't be told: "
            f"{error.message}"
        )
    return "".join(
        f"\n  {count} of them can't come back to Proxy before {'it leaves' if count == 1 else 'they leave'} "
        f"Messaging Service {messaging_service}."
        for messaging_service, count in sorted(Counter(found.values()).items())
    )
