"""The API's resources as functions that return Calls: paths, forms, and the answer that each request expects.

Fields are named as the API's answers name them (``unique_name``, ``default_ttl``, ``voice_url``). None leaves a
field out; an empty text clears it. ``sid`` or ``ks``, ``pn``, ``mg`` and ``ac`` are SIDs. A call for one item
knows its SID, and a write knows its statuses: the client accepts no other answer.
"""

from __future__ import annotations

from proxyctl.api.calls import Call, Pairs, form
from proxyctl.api.endpoint import segment
from proxyctl.errors import UsageError

Value = str | int | bool | None

SERVICES = "/v1/Services"
MESSAGING_SERVICES = "/messaging/v1/Services"
PAGE_SIZE = 100  # the most that one page of Proxy or Messaging holds, whatever is asked for
ACCOUNT_PAGE_SIZE = 1000


def list_services(page_size: int = PAGE_SIZE) -> Call:
    return _list(SERVICES, "services", page_size)


def fetch_service(sid: str) -> Call:
    return _fetch(f"{SERVICES}/{segment(sid)}", sid)


def create_service(**fields: Value) -> Call:
    return _create(SERVICES, form(**fields))


def update_service(sid: str, **fields: Value) -> Call:
    return _update(f"{SERVICES}/{segment(sid)}", sid, form(**fields))


def delete_service(sid: str) -> Call:
    """Its Sessions are deleted with it; its numbers leave its pool and stay in the account."""
    return _delete(f"{SERVICES}/{segment(sid)}")


def list_numbers(ks: str) -> Call:
    return _list(_pool(ks), "phone_numbers")


def fetch_number(ks: str, pn: str) -> Call:
    return _fetch(f"{_pool(ks)}/{segment(pn)}", pn)


def add_number(
    ks: str, *, sid: str | None = None, phone_number: str | None = None, is_reserved: bool | None = None
) -> Call:
    """UsageError unless exactly one of ``sid`` and ``phone_number`` (E.164) is given."""
    if (sid is None) == (phone_number is None):
        raise UsageError("a number is added by its SID or by its E.164 form: give exactly one")
    data = form(sid=sid, phone_number=phone_number, is_reserved=is_reserved)
    return _create(_pool(ks), data, sid)


def update_number(ks: str, pn: str, *, is_reserved: bool) -> Call:
    return _update(f"{_pool(ks)}/{segment(pn)}", pn, form(is_reserved=is_reserved))


def remove_number(ks: str, pn: str) -> Call:
    return _delete(f"{_pool(ks)}/{segment(pn)}")


def list_sessions(ks: str) -> Call:
    return _list(f"{SERVICES}/{segment(ks)}/Sessions", "sessions")


def list_incoming_numbers(
    ac: str, *, phone_number: str | None = None, page_size: int = ACCOUNT_PAGE_SIZE
) -> Call:
    """``phone_number`` also finds parts of numbers: compare the rows."""
    params = form(phone_number=phone_number, page_size=page_size)
    return Call("GET", f"{_account(ac)}.json", params=params, expect="incoming_phone_numbers")


def fetch_incoming_number(ac: str, pn: str) -> Call:
    return _fetch(f"{_account(ac)}/{segment(pn)}.json", pn)


def update_incoming_number(ac: str, pn: str, **fields: Value) -> Call:
    return _update(f"{_account(ac)}/{segment(pn)}.json", pn, form(**fields))


def list_messaging_services() -> Call:
    return _list(MESSAGING_SERVICES, "services")


def fetch_messaging_service(mg: str) -> Call:
    return _fetch(f"{MESSAGING_SERVICES}/{segment(mg)}", mg)


def list_senders(mg: str) -> Call:
    return _list(_senders(mg), "phone_numbers")


def fetch_sender(mg: str, pn: str) -> Call:
    return _fetch(f"{_senders(mg)}/{segment(pn)}", pn)


def attach_sender(mg: str, pn: str) -> Call:
    return _create(_senders(mg), form(phone_number_sid=pn), pn)


def detach_sender(mg: str, pn: str) -> Call:
    """The number stays in the account."""
    return _delete(f"{_senders(mg)}/{segment(pn)}")


def _pool(ks: str) -> str:
    return f"{SERVICES}/{segment(ks)}/PhoneNumbers"


def _senders(mg: str) -> str:
    return f"{MESSAGING_SERVICES}/{segment(mg)}/PhoneNumbers"


def _account(ac: str) -> str:
    return f"/2010-04-01/Accounts/{segment(ac)}/IncomingPhoneNumbers"


def _list(path: str, key: str, page_size: int = PAGE_SIZE) -> Call:
    return Call("GET", path, params=form(page_size=page_size), expect=key)


def _fetch(path: str, sid: str) -> Call:
    return Call("GET", path, expect="sid", sid=sid)


def _create(path: str, data: Pairs, sid: str | None = None) -> Call:
    return Call("POST", path, data=data, expect="sid", sid=sid, good=(200, 201))


def _update(path: str, sid: str, data: Pairs) -> Call:
    return Call("POST", path, data=data, expect="sid", sid=sid, good=(200,))


def _delete(path: str) -> Call:
    return Call("DELETE", path, good=(204,))
