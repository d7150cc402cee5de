"""Spreading requests over transports: the least busy one, and no more than are needed."""

from __future__ import annotations

from contextlib import ExitStack

import httpx

from proxyctl.api.wires import Spread


class _Transport(httpx.BaseTransport):
    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


def test_one_after_another_keeps_to_one_transport() -> None:
    made: list[_Transport] = []
    spread = Spread(lambda: made.append(_Transport()) or made[-1], 3)
    for _ in range(5):
        with spread.lease():
            pass
    assert len(made) == 1
    spread.close()
    assert [transport.closed for transport in made] == [1]


def test_many_at_once_are_spread_evenly() -> None:
    made: list[_Transport] = []
    spread = Spread(lambda: made.append(_Transport()) or made[-1], 3)
    with ExitStack() as stack:
        lent = [stack.enter_context(spread.lease()) for _ in range(7)]
    assert sorted(lent.count(transport) for transport in made) == [2, 2, 3]
    with spread.lease():
        spread.close()  # a lease that outlives it does no harm
    assert [transport.closed for transport in made] == [1, 1, 1]
