"""What commands tell completion: names that go by in their answers. It never fails a command or delays a page."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from proxyctl.completion.names import MOST_SERVICES, Account, Names
from proxyctl.errors import ProxyctlError

if TYPE_CHECKING:
    from proxyctl.api.pages import Page
    from proxyctl.runtime import Runtime

    SomePage = TypeVar("SomePage", bound=Page)


def watch_services(runtime: Runtime, pages: Iterable[SomePage]) -> Iterator[SomePage]:
    """Yield ``pages`` of Services as they are; when the last has gone by, these are the names to offer.

    A list that is not read to its end changes nothing.
    """
    seen: list[tuple[str, str]] = []
    for page in pages:
        if len(seen) < MOST_SERVICES:
            seen.extend(service_names(raw) for raw in page.items)
        yield page
    remember_services(runtime, seen)


def remember_services(runtime: Runtime, seen: list[tuple[str, str]]) -> None:
    """Offer these Services (SID and unique name): they are all that there are."""
    with account_of(runtime) as account:
        account.save_services(seen)


def remember_service(runtime: Runtime, raw: Mapping[str, Any]) -> None:
    """Offer one Service from now on: it was just shown, created or renamed."""
    with account_of(runtime) as account:
        account.add_service(*service_names(raw))


def forget_service(runtime: Runtime, service_sid: str) -> None:
    """Offer a Service no longer: it was just deleted."""
    with account_of(runtime) as account:
        account.forget_service(service_sid)


def remember_profiles(runtime: Runtime) -> None:
    """Offer the profiles of the config file, if this run has read it."""
    store = vars(runtime).get("store")
    if store is None:
        return
    with harmless():
        default = store.default_profile()
        profiles = {name: text_of(table, "account_sid") for name, table in store.profiles().items()}
        if default is not None:
            profiles.setdefault(default, "")  # the sandbox, which is in no file
        Names(runtime.environ).save_profiles(
            (name, account_sid, name == default) for name, account_sid in profiles.items()
        )


@contextlib.contextmanager
def account_of(runtime: Runtime) -> Iterator[Account]:
    """The names of the account that this command works on; what fails while they change is of no matter."""
    with harmless():
        profile = runtime.profile
        yield Account(Names(runtime.environ), profile.name, "" if profile.is_sandbox else profile.account_sid)


@contextlib.contextmanager
def harmless() -> Iterator[None]:
    """Names are a comfort: a read-only home, a full disk or a broken config must not fail a command."""
    with contextlib.suppress(OSError, ValueError, ProxyctlError):
        yield


def service_names(raw: Mapping[str, Any]) -> tuple[str, str]:
    return text_of(raw, "sid"), text_of(raw, "unique_name")


def text_of(raw: Mapping[str, Any], key: str) -> str:
    """Return a text of an answer; what is missing or no text is as good as empty."""
    value = raw.get(key) if isinstance(raw, Mapping) else None
    return value if isinstance(value, str) else ""
