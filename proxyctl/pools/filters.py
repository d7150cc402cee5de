"""Choosing numbers of a pool: the API's lists take no filter, so this is done here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from proxyctl.errors import UsageError
from proxyctl.identifiers import country_of, require_country

MEDIA = ("voice", "sms", "mms", "fax")


@dataclass(frozen=True, slots=True)
class NumberFilter:
    """What a number must be like; None (or nothing) does not care."""

    reserved: bool | None = None
    in_use: bool | None = None
    country: str | None = None
    capabilities: Sequence[str] = ()
    prefix: str | None = None

    def cleaned(self) -> NumberFilter:
        """Return it with country and prefix as the API spells them; UsageError where they could choose nothing."""
        return replace(
            self,
            country=None if self.country is None else require_country(self.country),
            prefix=None if self.prefix is None else digits_of(self.prefix),
        )

    def accepts(self, number: Mapping[str, Any]) -> bool:
        """Whether ``number``, as the API gives it, is like that."""
        if self.reserved is not None and bool(number.get("is_reserved")) != self.reserved:
            return False
        if self.in_use is not None and bool(number.get("in_use")) != self.in_use:
            return False
        if self.country is not None and country(number) != self.country:
            return False
        if self.prefix is not None and not str(number.get("phone_number")).startswith(self.prefix):
            return False
        return all(has_capability(number.get("capabilities"), name) for name in self.capabilities)


def country(number: Mapping[str, Any]) -> str | None:
    """Return the country of a number: the account's own records name none, so that of the digits counts there."""
    named = number.get("iso_country")
    return str(named).upper() if named else country_of(str(number.get("phone_number")))


def digits_of(prefix: str) -> str:
    """Return the beginning of a number as E.164 has it: ``+1 (415``, ``1415`` and ``001415`` are ``+1415``."""
    digits = re.sub(r"[ .()\[\]-]", "", prefix).removeprefix("+")
    digits = digits.removeprefix("00")
    if not re.fullmatch(r"[0-9]{1,15}", digits):
        raise UsageError(
            f"--prefix {prefix[:40]!a}: it is not the beginning of a number.",
            hint="Write the country code and what follows, like +1415.",
        )
    return f"+{digits}"


def capability_key(name: str) -> str:
    """Return the name of a capability as the API spells it: ``SMS-outbound`` is ``sms_outbound``."""
    return name.strip().lower().replace("-", "_")


def has_capability(capabilities: Any, name: str) -> bool:
    """Whether ``name`` is there: an API key (sms_outbound), or a medium (sms: in both directions)."""
    if not isinstance(capabilities, Mapping):
        return False
    wanted = capability_key(name)
    if wanted in capabilities:
        return capabilities[wanted] is True
    return all(capabilities.get(f"{wanted}_{way}") is True for way in ("inbound", "outbound"))
