"""A pool to drain, on a clock of its own."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from tests.support import Cli, Ran, StandingClock


class Pool:
    """A Service with reserved and unreserved numbers, and the program before it on a clock of its own."""

    def __init__(self, cli: Cli, count: int) -> None:
        self.cli = cli
        self.numbers: list[str] = []
        seeded = cli.seed(count)
        cli.ok("service", "create", "masking")
        if seeded:
            self.numbers = [row["phone_number"] for row in seeded]
            self.sids = [row["sid"] for row in seeded]
            cli.ok("number", "add", "masking", *self.numbers, "--unreserved")
        cli.clock = self.clock = StandingClock(time.time())  # after whatever was recorded before

    @property
    def service(self) -> str:
        sid: str = self.cli.ok("service", "show", "masking", "-o", "ids").lines[0]
        return sid

    def busy(self, number: str, sessions: int) -> None:
        self.cli.ok("sandbox", "busy", number, str(sessions))

    def at(self, sleep: int, number: str, sessions: int) -> None:
        """Change how busy a number is during a sleep."""
        self.clock.script[sleep] = lambda: self.busy(number, sessions)

    def drain(self, *arguments: str, **settings: Any) -> Ran:
        permitted = ("--allow", "no-unreserved")  # all numbers of the pool are drained
        return self.cli("number", "drain", "masking", *arguments, *permitted, "-o", "jsonl", **settings)

    def state(self) -> dict[str, bool]:
        rows = self.cli.ok("number", "list", "masking", "-o", "json").json
        return {row["phone_number"]: row["is_reserved"] for row in rows}

    def history(self) -> Sequence[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.cli.ok("history", "list", "-o", "json").json
        return rows


def codes(ran: Ran) -> list[int | None]:
    return [row["error"] and row["error"]["exit_code"] for row in ran.rows]
