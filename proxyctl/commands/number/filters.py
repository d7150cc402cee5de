"""What numbers a list shows: the filters of `number list`, checked before anything is read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from proxyctl.errors import UsageError
from proxyctl.identifiers import calling_code, require_country
from proxyctl.pools.pool import area_code, country, has_capability

_GROUPING = re.compile(r"[ .()\[\]-]")
_AREA_CODE = re.compile(r"[2-9][0-9]{2}")


@dataclass(frozen=True, slots=True)
class NumberFilter:
    """What a number must be like; None (or nothing) does not care."""

    reserved: bool | None = None
    in_use: bool | None = None
    country: str | None = None
    area_codes: Sequence[str] = ()
    capabilities: Sequence[str] = ()
    prefix: str | None = None

    def cleaned(self) -> NumberFilter:
        """Return it with its values as the API spells them; UsageError where they could choose nothing."""
        found = replace(
            self,
            country=None if self.country is None else require_country(self.country),
            area_codes=[three_digits_of(code) for code in self.area_codes or ()],
            prefix=None if self.prefix is None else digits_of(self.prefix),
        )
        found.check_together()
        return found

    def check_together(self) -> None:
        """Raise UsageError where no number can begin as two of the options say."""
        beginnings = {
            "--country": [calling_code(self.country)] if self.country else [],
            "--area-code": [f"+1{code}" for code in self.area_codes],
            "--prefix": [self.prefix] if self.prefix else [],
        }
        given = [(option, each) for option, each in beginnings.items() if each]
        for (one, some), (other, others) in combinations(given, 2):
            if not any(a.startswith(b) or b.startswith(a) for a in some for b in others):
                raise UsageError(
                    f"{one} and {other} exclude each other: no number has both.",
                    hint="Leave one of them out.",
                )

    def accepts(self, number: Mapping[str, Any]) -> bool:
        """Whether ``number``, as the API gives it, is like that."""
        if self.reserved is not None and bool(number.get("is_reserved")) != self.reserved:
            return False
        if self.in_use is not None and bool(number.get("in_use")) != self.in_use:
            return False
        if self.country is not None and country(number) != self.country:
            return False
        if self.area_codes and area_code(number) not in self.area_codes:
            return False
        if self.prefix is not None and not str(number.get("phone_number")).startswith(self.prefix):
            return False
        return all(has_capability(number.get("capabilities"), name) for name in self.capabilities)


def digits_of(prefix: str) -> str:
    """Return the beginning of a number as E.164 has it: ``+1 (415`` is ``+1415``. UsageError without a ``+``, since
    digits alone may be an area code as well as a country code.
    """
    digits = _GROUPING.sub("", prefix)
    if re.fullmatch(r"\+[1-9][0-9]{0,14}", digits):
        return digits
    meant = digits.removeprefix("00").lstrip("+0")[:15]
    if not re.fullmatch(r"[0-9]+", meant):
        raise UsageError(
            f"--prefix {prefix[:40]!a}: it is not the beginning of a number.",
            hint="Write + and the country code, and what follows, like +1415.",
        )
    ways = [f"Write --prefix +{meant}."]
    if _AREA_CODE.fullmatch(meant):
        ways.append(f"For North American numbers, write --area-code {meant}.")
    elif re.fullmatch(r"[2-9][0-9]{3,9}", meant):
        ways.append(f"For North American numbers, write --prefix +1{meant}.")
    raise UsageError(
        f"--prefix {prefix[:40]!a}: a prefix begins with + and a country code.", hint=" ".join(ways)
    )


def three_digits_of(code: str) -> str:
    """Return a North American area code; UsageError for what is none."""
    digits = _GROUPING.sub("", code)
    if _AREA_CODE.fullmatch(digits):
        return digits
    meant = digits.removeprefix("+").removeprefix("1")
    hint = "Write its 3 digits, like 415. For other numbers, use --prefix."
    if _AREA_CODE.fullmatch(meant):
        hint = f"Write --area-code {meant}."
    raise UsageError(f"--area-code {code[:40]!a}: it is not an area code of North America.", hint=hint)
