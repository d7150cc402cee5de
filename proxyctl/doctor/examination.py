"""The checks in their order: what the later ones need, the earlier ones have found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from proxyctl.doctor.findings import Finding

if TYPE_CHECKING:
    from proxyctl.runtime import Runtime


def examine(runtime: Runtime) -> Iterator[Finding]:
    """Yield a finding for each check, as they are made.

    The network is left alone in the sandbox, and where no credentials say which server is meant.
    """
    from proxyctl.doctor import files, installed, network, who

    yield installed.program(runtime.environ)
    yield installed.python()
    yield files.config(runtime)
    profile, finding = who.credentials(runtime)
    yield finding
    yield files.state(runtime)
    yield files.cache(runtime)
    yield files.sandbox(runtime, used=profile is not None and profile.is_sandbox)
    if profile is not None and not profile.is_sandbox:
        yield from network.findings(runtime, profile)
    yield installed.terminal(runtime)
    yield installed.completions(runtime.environ)
    yield installed.man_pages(runtime.environ)
