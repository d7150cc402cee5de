"""What `messaging check` does: find what is wrong between a pool and its Messaging Service."""

from __future__ import annotations

from typing import Any

from proxyctl.commands.messaging.attach import named, read
from proxyctl.commands.pool.findings import Audit, show
from proxyctl.pools.a2p import findings
from proxyctl.render.shapes import FINDING
from proxyctl.runtime import Runtime


def check(runtime: Runtime, service_name: str, messaging_service: str, **filters: Any) -> None:
    """Print what is wrong; CheckError where something is."""
    runtime.out.check(FINDING)
    pair = read(runtime, *named(runtime, service_name, messaging_service))
    found = sorted(findings(pair), key=lambda finding: finding.rank)
    numbers = len({*pair.pool.by_sid, *pair.members})
    call = ("messaging", "check", service_name, "--messaging-service", messaging_service)
    show(runtime, Audit(found, call, 1, numbers), filters)
