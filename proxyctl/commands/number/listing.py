"""What `number list` does: the numbers of one or many pools, or the account's numbers that are in none, and the filters
that are checked before anything is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from proxyctl.api.models import Service
from proxyctl.api.resources import NUMBERS
from proxyctl.commands.listing import services_meant, show_list
from proxyctl.completion.names import remember_service
from proxyctl.errors import UsageError
from proxyctl.identifiers import calling_code, require_country
from proxyctl.pools.account import Account
from proxyctl.pools.pool import MEDIA, area_code, capability_key, country, has_capability
from proxyctl.render.shapes import PHONE_NUMBER, SERVICE_NUMBER, UNASSIGNED, Shape
from proxyctl.runtime import Runtime
from proxyctl.text import did_you_mean

Row = Mapping[str, Any]
NOT_NAMED = "name a Service, or add --all or --unassigned."

_GROUPING = re.compile(r"[ .()\[\]-]")
_AREA_CODE = re.compile(r"[2-9][0-9]{2}")


def show(
    runtime: Runtime,
    services: Sequence[str],
    *,
    all_services: bool,
    unassigned: bool,
    no_messaging_service: bool,
    **filters: Any,
) -> None:
    """Print the numbers that ``filters`` accept, as the pages come in."""
    chosen = NumberFilter(**filters).cleaned()
    # A table of several Services names them; all else prints the rows as the API has them.
    named = len(services) != 1 and runtime.format == "table" and runtime.options.fields is None
    if unassigned:
        check_unassigned(services, chosen, all_services=all_services)
        shape, pages = UNASSIGNED, unassigned_pages(runtime.account, chosen, named)
    else:
        meant = services_meant(runtime, services, all_services=all_services, missing=NOT_NAMED)
        for service in meant:
            remember_service(runtime, service.raw)
        shape, pages = SERVICE_NUMBER if named else PHONE_NUMBER, pool_pages(runtime, meant, chosen, named)
    if no_messaging_service:
        pages = without_senders(runtime.account, pages)
    show_list(runtime, shape, pages)


def pool_pages(
    runtime: Runtime, services: Sequence[Service], chosen: NumberFilter, named: bool
) -> Iterator[Sequence[Row]]:
    """Read the pools of ``services`` one after another; yield what is wanted of each page, ``named`` with its Service.

    Raises UsageError for a capability that neither the documentation nor the first page knows.
    """
    checked = False
    for service in services:
        for page in runtime.access.reader.pages(NUMBERS.list(service.sid)):
            if page.items and not checked:
                check_capabilities(chosen.capabilities, page.items, PHONE_NUMBER)
                checked = True
            rows: list[Row] = [row for row in page.items if chosen.accepts(row)]
            yield [{**row, "service": service.name} for row in rows] if named else rows
    if not checked:
        check_capabilities(chosen.capabilities, [], PHONE_NUMBER)


def check_capabilities(names: Sequence[str], rows: Sequence[Row], shape: Shape) -> None:
    """Refuse a capability that is none: a typo would silently choose nothing."""
    known = dict.fromkeys((*MEDIA, *shape.maps["capabilities"]))
    for row in rows:
        capabilities = row.get("capabilities")
        known.update(dict.fromkeys(capabilities if isinstance(capabilities, dict) else ()))
    for name in names:
        if capability_key(name) not in known:
            meant = did_you_mean(capability_key(name), list(known))
            text = f"--capability: there is no {name[:60]!a}.{meant}"
            raise UsageError(text, hint=f"Known: {', '.join(known)}.")


def without_senders(account: Account, pages: Iterable[Sequence[Row]]) -> Iterator[Sequence[Row]]:
    """Yield of each page the numbers that no Messaging Service has. They are read only if there are numbers."""
    for page in pages:
        taken = account.senders([str(row.get("sid")) for row in page])
        yield [row for row in page if row.get("sid") not in taken]


# Numbers in no pool


def check_unassigned(services: Sequence[str], chosen: NumberFilter, *, all_services: bool) -> None:
    """Refuse what makes no sense for numbers in no pool."""
    if services or all_services or (chosen.reserved, chosen.in_use) != (None, None):
        hint = "Leave out the Service, --all, --reserved, --unreserved, --in-use and --idle."
        raise UsageError("--unassigned lists numbers in no pool.", hint=hint)
    check_capabilities(chosen.capabilities, [], UNASSIGNED)


def unassigned_pages(account: Account, chosen: NumberFilter, named: bool) -> Iterator[Sequence[Row]]:
    """Yield what is wanted of each page of the account's numbers; the pools are read before, in parallel.

    With each comes the Messaging Service that has it, since such a number can join no pool; ``named``: its name too.
    """
    services = [service.sid for service in account.services()]
    pools = account.pools(services, fields=(), skip_gone=True)
    held = {sid for _, pool in pools for sid in pool.by_sid}
    senders: dict[str, Row] | None = None
    for page in account.own_pages():
        rows = [row for row in page.items if str(row.get("sid")) not in held and chosen.accepts(row)]
        if rows and senders is None:
            found = account.messaging_services()
            senders = {sid: service.raw for service, members in found for sid in members}
        yield [marked(row, (senders or {}).get(str(row.get("sid")), {}), named) for row in rows]


def marked(row: Row, messaging_service: Row, named: bool) -> Row:
    """Return the row with the Messaging Service that has the number; a table names it too."""
    sid = messaging_service.get("sid")
    mark = {"messaging_service": messaging_service.get("friendly_name") or sid} if named else {}
    return {**row, "messaging_service_sid": sid, **mark}


# Filters


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
                raise UsageError(f"{one} and {other} exclude each other.", hint="Leave one of them out.")

    def accepts(self, number: Row) -> bool:
        """Whether ``number``, as the API gives it, is like that."""
        return (
            (self.reserved is None or bool(number.get("is_reserved")) == self.reserved)
            and (self.in_use is None or bool(number.get("in_use")) == self.in_use)
            and (self.country is None or country(number) == self.country)
            and (not self.area_codes or area_code(number) in self.area_codes)
            and str(number.get("phone_number")).startswith(self.prefix or "")
            and all(has_capability(number.get("capabilities"), name) for name in self.capabilities)
        )


def digits_of(prefix: str) -> str:
    """Return the beginning of a number as E.164 has it: ``+1 (415`` is ``+1415``. UsageError without a ``+``, since
    digits alone may be an area code as well as a country code.
    """
    digits = _GROUPING.sub("", prefix)
    if re.fullmatch(r"\+[1-9][0-9]{0,14}", digits):
        return digits
    meant = digits.removeprefix("00").lstrip("+0")[:14]
    hint = "Write + and the country code, and what follows, like +1415."
    if re.fullmatch("[0-9]+", meant):
        hint = f"Write --prefix +{meant}."
    if re.fullmatch("[2-9][0-9]{2,9}", meant):
        american = f"--area-code {meant}" if _AREA_CODE.fullmatch(meant) else f"--prefix +1{meant}"
        hint += f" For North American numbers, write {american}."
    raise UsageError(f"--prefix {prefix[:40]!a}: a prefix begins with + and a country code.", hint=hint)


def three_digits_of(code: str) -> str:
    """Return a North American area code; UsageError for what is none."""
    digits = _GROUPING.sub("", code)
    if _AREA_CODE.fullmatch(digits):
        return digits
    hint = "Write its 3 digits, like 415. For other numbers, use --prefix."
    raise UsageError(f"--area-code {code[:40]!a}: it is not an area code of North America.", hint=hint)
