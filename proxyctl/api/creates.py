"""Creates whose answer was lost: look before repeating, for a create has no idempotency key.

The natural keys are a Service's unique name and a number's place in a pool: what is found there was carried
out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from proxyctl.api.calls import Answer, Call
from proxyctl.errors import ProxyctlError, RefusedError

if TYPE_CHECKING:
    from proxyctl.api.client import ProxyClient

LOOK_DELAYS = (0.0, 1.0, 2.0, 5.0)  # seconds: a new resource may show up late

Found = TypeVar("Found")


def create(
    client: ProxyClient,
    call: Call,
    read: Callable[[Answer], Found],
    look: Callable[[], Found | None],
    taken: frozenset[int],
) -> Found:
    """Send a create, and settle it where its answer is lost.

    ``look`` returns what is there now, if it agrees with what was asked. ``taken`` are the codes by which the
    API refuses a second one: after a repeat they mean that the first had worked. Raises the lost answer's
    error, with
    ``may_have_happened``, where looking fails or repeating is used up.
    """
    lost: ProxyctlError | None = None
    for _ in range(client.policy.retries + 1):
        try:
            return read(client.request(call))
        except RefusedError as error:
            found = look() if lost and error.problem and error.problem.code in taken else None
            if found is None:
                raise
            return found
        except ProxyctlError as error:
            if not error.may_have_happened:
                raise
            lost = error
        found = _look_again(client, look, lost)
        if found is not None:
            return found
    assert lost is not None
    raise lost


def _look_again(client: ProxyClient, look: Callable[[], Found | None], lost: ProxyctlError) -> Found | None:
    for delay in LOOK_DELAYS:
        client.clock.sleep(delay)
        try:
            found = look()
        except ProxyctlError as error:
            raise lost from error
        if found is not None:
            return found
    return None
