"""A way back: before numbers leave a pool in bulk, what it held is saved as a pool file in the state directory."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from proxyctl.errors import OutputError

if TYPE_CHECKING:
    from proxyctl.api.models import Service
    from proxyctl.pools.pool import Pool
    from proxyctl.runtime import Runtime

KEPT = 200  # files; the oldest go first


def save_pools(runtime: Runtime, pools: Sequence[tuple[Service, Pool]]) -> Path | None:
    """Save Services and whole pools as they are now, and say how to restore them; None with --no-history.

    Raises OutputError where the state directory can't be written: nothing was sent then.
    """
    from proxyctl.pools.export import head, service_text
    from proxyctl.profiles.private_files import replace_private

    if runtime.options.no_history or not pools:
        return None
    parts = [head(runtime.profile.account_sid)]
    parts += [service_text(service, pool)[0] for service, pool in pools]
    now = datetime.fromtimestamp(runtime.clock.now(), UTC)
    directory = runtime.paths.state_dir / "pools"
    path = directory / f"{now:%Y%m%d-%H%M%S}-{now.microsecond // 1000:03}.toml"
    try:
        replace_private(path, "".join(parts).encode())
        rotate(directory)
    except OutputError as error:
        raise OutputError(
            f"the pool can't be saved before numbers leave it, so nothing was sent: {error.message}",
            hint="Set PROXYCTL_STATE_DIR to a directory of yours, or add --no-history to go on without.",
        ) from None
    runtime.note(f"saved what is there now: 'proxyctl pool apply {shlex.quote(str(path))}' restores it.")
    return path


def rotate(directory: Path) -> None:
    """Delete the oldest files beyond those that are kept."""
    for path in sorted(directory.glob("*.toml"))[:-KEPT]:
        path.unlink(missing_ok=True)
