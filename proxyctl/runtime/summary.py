"""What --summary-json writes when a command has ended, however it ended: one object, for monitoring."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proxyctl.errors import OutputError
from proxyctl.named_files import write_output_file
from proxyctl.profiles.config_file import SANDBOX
from proxyctl.state.record import COUNTS

if TYPE_CHECKING:
    from proxyctl.runtime import Runtime

CHECKS = ("pool status", "pool audit", "pool plan")  # which have counts of their own


def write_summary(runtime: Runtime, exit_code: int, error: Mapping[str, Any] | None) -> None:
    """Replace the file that --summary-json names. OutputError where that can't be done. ``error`` has no secrets."""
    profile, options = vars(runtime).get("profile"), runtime.options
    counts = {} if runtime.verb in CHECKS else dict.fromkeys(COUNTS, 0)
    found = {
        "verb": runtime.verb,
        "service": runtime.console.redactor.clean(", ".join(runtime.services)) or None,
        "profile": profile.name if profile else SANDBOX if options.sandbox else options.profile,
        "started": f"{datetime.fromtimestamp(runtime.began, UTC):%Y-%m-%dT%H:%M:%SZ}",
        "seconds": round(runtime.clock.monotonic() - runtime.started, 3),
        "counts": {**counts, **runtime.counts},
        "exit_code": exit_code,
        "error": error,
    }
    path = Path(str(options.summary_json))
    try:
        write_output_file(path, f"{json.dumps(found)}\n".encode())
    except OSError as problem:
        raise OutputError(f"--summary-json {path} could not be written: {problem.strerror}") from None
