"""What `proxyctl doctor` checks. A check changes nothing; its Finding says what is wrong and what to type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from proxyctl.doctor import files, installed, server
from proxyctl.doctor.findings import Finding

if TYPE_CHECKING:
    from proxyctl.runtime import Runtime


def examine(runtime: Runtime) -> Iterator[Finding]:
    """Yield a finding for each check, as it is made.

    Nothing is sent with the sandbox's profile, and where no credentials say which server is meant.
    """
    yield installed.program(runtime.environ)
    yield installed.python()
    yield files.config(runtime)
    profile, finding = server.credentials(runtime)
    yield finding
    yield files.state(runtime)
    yield files.cache(runtime)
    yield files.sandbox(runtime, used=profile is not None and profile.is_sandbox)
    if profile is not None and not profile.is_sandbox:
        yield from server.call(runtime, profile)
    yield installed.terminal(runtime)
    yield installed.completions(runtime.environ)
    yield installed.man_pages(runtime.environ)
