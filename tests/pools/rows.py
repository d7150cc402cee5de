"""Pools and numbers as plain values, for the tests of what is decided about them."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import HealthCheck, settings

from proxyctl.api.models import PhoneNumber
from proxyctl.input.items import Item
from proxyctl.pools.pool import Pool

PATIENT = settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow])
SERVICE = "KS" + "0" * 32


def sid(number: int) -> str:
    return f"PN{number:032x}"


def e164(number: int) -> str:
    return f"+1415555{number:04}"


def number(index: int, reserved: bool | None, in_use: int = 0) -> PhoneNumber:
    return PhoneNumber(
        {"sid": sid(index), "phone_number": e164(index), "is_reserved": reserved, "in_use": in_use}
    )


def pool_of(flags: Mapping[int, bool | None], busy: Mapping[int, int] | None = None) -> Pool:
    """A whole pool: which numbers it has, if they are reserved, and how many Sessions each has."""
    pool = Pool(SERVICE)
    for index, reserved in flags.items():
        pool.add(number(index, reserved, (busy or {}).get(index, 0)))
    return pool


def flags_of(pool: Pool) -> dict[int, bool | None]:
    """The inverse of `pool_of`."""
    return {int(each[2:], 16): found.is_reserved for each, found in pool.by_sid.items()}


def item(index: int, *, by_sid: bool = False, reserved: bool | None = None) -> Item:
    if by_sid:
        return Item(sid(index), sid(index), None, reserved)
    return Item(e164(index), None, e164(index), reserved)
