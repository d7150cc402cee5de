"""Sending the requests of moves: each by the writer of its pool or of its Messaging Service."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

from proxyctl.api.calls import Call
from proxyctl.api.client import ProxyClient
from proxyctl.bulk.outcomes import Outcome, Work
from proxyctl.pools.messaging import Senders
from proxyctl.pools.moving import Moving
from proxyctl.pools.writer import PoolWriter


class MoveWriter:
    """Carries out the works of `Moves`; called from many threads."""

    def __init__(self, client: ProxyClient) -> None:
        self.client = client
        self._pools: dict[str, PoolWriter] = {}
        self._lock = threading.Lock()

    def pool(self, service_sid: str) -> PoolWriter:
        """Return the writer of one pool, which remembers what it has sent."""
        with self._lock:
            if service_sid not in self._pools:
                self._pools[service_sid] = PoolWriter(self.client, service_sid)
            return self._pools[service_sid]

    def senders(self, messaging_service: str) -> Senders:
        """Return the writer of one Messaging Service."""
        return Senders(self.client, messaging_service)

    def call_for(self, moving: Moving) -> Call:
        """Return the request that a work means."""
        if moving.change is not None:
            return self.pool(moving.service_sid).call_for(moving.change)
        numbers = self.senders(moving.service_sid).numbers
        sid = moving.move.sid
        return numbers.create_call(sid) if moving.part == "attach" else numbers.delete_call(sid)

    def send(self, work: Work) -> Outcome:
        """Send a work once."""
        moving: Moving = work.payload
        if moving.change is not None:
            return self.pool(moving.service_sid).send(replace(work, payload=moving.change))
        senders = self.senders(moving.service_sid)
        if moving.part == "attach":
            return senders.attach(moving.move.item.input, moving.move.sid)
        return senders.detach(moving.move.sid)

    def look(self, works: Sequence[Work]) -> dict[int, Outcome | None]:
        """Look what is there of ``works`` now, pool by pool."""
        found: dict[int, Outcome | None] = {}
        pools: dict[str, list[Work]] = {}
        for work in works:
            moving: Moving = work.payload
            if moving.change is not None:
                pools.setdefault(moving.service_sid, []).append(replace(work, payload=moving.change))
            else:
                senders = self.senders(moving.service_sid)
                found[work.index] = senders.look(moving.move.sid, attached=moving.part == "attach")
        for service_sid, own in pools.items():
            found.update(self.pool(service_sid).look(own))
        return found
