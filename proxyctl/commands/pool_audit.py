"""What `pool audit` does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from proxyctl.errors import UsageError

if TYPE_CHECKING:
    from proxyctl.runtime import Runtime


def audit(runtime: Runtime, services: Sequence[str], *, all_services: bool) -> None:
    """Print what is wrong or risky."""
    raise UsageError("pool audit is not there yet.")
