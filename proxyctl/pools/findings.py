"""Findings of `pool audit` and `messaging check`: what each kind means, as ``findings.toml`` has it, and one of them as
a value.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from proxyctl import identifiers
from proxyctl.api.models import IncomingNumber, MessagingService, PhoneNumber, Service
from proxyctl.pools.pool import number_argument
from proxyctl.text import command_line

Named = Service | MessagingService | PhoneNumber | IncomingNumber


class Severity(StrEnum):
    """Error: calls or messages do not arrive. Warning: they may not soon. Info: worth knowing, and often meant."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Kind(NamedTuple):
    """What findings of one ID have in common: the worst severity that they can have, and what they mean.

    ``message``, ``fix`` and ``detail`` are those of one finding, with the names of values in braces.
    """

    severity: Severity
    title: str
    message: str
    fix: str
    effect: str = ""
    detail: str = ""


TABLE = tomllib.loads(Path(__file__).with_name("findings.toml").read_text(encoding="utf-8"))
KINDS = {name: Kind(**{**row, "severity": Severity(row["severity"])}) for name, row in TABLE.items()}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong or risky. ``object`` is a SID, ``name`` what people call it, ``fix`` a command.

    ``detail`` is what is said of it below the title of its kind.
    """

    severity: Severity
    id: str
    object: str
    name: str
    service: str | None
    message: str
    fix: str
    detail: str = ""

    @classmethod
    def of(
        cls,
        rule: str,
        thing: Named,
        service: Service | None,
        *,
        severity: Severity | None = None,
        fix: str = "",
        **values: Any,
    ) -> Finding:
        """Return a finding about a Service, a Messaging Service or a number, in or for ``service``, with ``values`` in
        its texts. Its severity and ``fix`` are those of its kind, unless others are given.
        """
        kind = KINDS[rule]
        number = number_argument(thing) if isinstance(thing, PhoneNumber | IncomingNumber) else ""
        named = {"sid": thing.sid, "number": number, "service": service and argument(service), **values}
        return cls(
            severity or kind.severity,
            rule,
            thing.sid,
            thing.name,
            service.name if service else None,
            kind.message.format(**named),
            command_line(*(word.format(**named) for word in (fix or kind.fix).split())),
            kind.detail.format(**named),
        )

    def row(self) -> dict[str, Any]:
        """Return the row that is printed."""
        return {name: getattr(self, name) for name in self.__slots__ if name != "detail"}

    @property
    def rank(self) -> tuple[int, str, str, str, str]:
        """The order in which findings are listed: the worst first."""
        return (list(Severity).index(self.severity), self.id, self.service or "", self.name, self.object)


def argument(service: Service) -> str:
    """Return a Service as a command takes it."""
    return identifiers.argument(service.unique_name, service.sid)
