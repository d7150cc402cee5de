"""Choosing numbers of a pool: the API's lists take no filter, so this is done here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class NumberFilter:
    """What a number must be like; None (or nothing) does not care."""

    reserved: bool | None = None
    in_use: bool | None = None
    country: str | None = None
    capabilities: tuple[str, ...] = ()
    prefix: str | None = None

    def accepts(self, number: Mapping[str, Any]) -> bool:
        """Whether ``number``, as the API gives it, is like that."""
        if self.reserved is not None and bool(number.get("is_reserved")) != self.reserved:
            return False
        if self.in_use is not None and bool(number.get("in_use")) != self.in_use:
            return False
        if self.country is not None and str(number.get("iso_country")).upper() != self.country.upper():
            return False
        if self.prefix is not None and not str(number.get("phone_number")).startswith(self.prefix):
            return False
        return all(has_capability(number.get("capabilities"), name) for name in self.capabilities)


def has_capability(capabilities: Any, name: str) -> bool:
    """Whether ``name`` is there: an API key (sms_outbound), or a medium (sms: in both directions)."""
    if not isinstance(capabilities, Mapping):
        return False
    wanted = name.lower().replace("-", "_")
    if wanted in capabilities:
        return capabilities[wanted] is True
    return all(capabilities.get(f"{wanted}_{way}") is True for way in ("inbound", "outbound"))
