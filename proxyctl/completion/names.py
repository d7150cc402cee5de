"""What completion knows of accounts: names of profiles and Services, in small private files.

Commands write them as they go by, a TAB reads them. No secret and no phone number is among them, all are bounded in
size and age, and losing them loses nothing: what can't be read is not there, and nothing here fails a command.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from proxyctl.errors import ProxyctlError
from proxyctl.files import open_private, private_directory, write_new

if TYPE_CHECKING:
    from proxyctl.runtime import Runtime
    from proxyctl.writes.reading import Page

    SomePage = TypeVar("SomePage", bound=Page)

OLDEST = 30 * 86400.0  # seconds
MOST_SERVICES = 200
LARGEST_FILE = 1 << 20  # bytes
SANDBOX = "sandbox"
ENVIRONMENT = "environment"
# Names are a comfort: a read-only home, a full disk or a broken config must not fail a command.
HARMLESS = (OSError, ValueError, ProxyctlError)


def cache_directory(environ: Mapping[str, str]) -> Path | None:
    """Return where the names are kept: below platformdirs' user cache directory; None without a home."""
    base = Path(environ.get("XDG_CACHE_HOME", "").strip())
    if not base.is_absolute():
        base = Path(environ.get("HOME", ""), "Library/Caches" if sys.platform == "darwin" else ".cache")
    return base / "proxyctl" / "completion" if base.is_absolute() else None


def file_name(text: str) -> str:
    """Turn any text into a name for a file."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "_-") else f"%{ord(c):02x}" for c in text)
    return plain if len(plain) <= 100 else f"{plain[:90]}%{checksum(plain)}"


def checksum(text: str) -> str:
    from binascii import crc32

    return f"{crc32(os.fsencode(text)):08x}"


def fit(text: object) -> bool:
    """Whether ``text`` can be offered: not empty, and nothing in it that a terminal or a file would act on."""
    return isinstance(text, str) and 0 < len(text) <= 500 and text.isprintable()


class AccountNames:
    """The names of one account, as one profile sees it. A name that ``clean`` would change holds a secret."""

    def __init__(
        self, names: Names, profile: str, account_sid: str, clean: Callable[[str], str] = str
    ) -> None:
        self.names, self.clean = names, clean
        self.file = f"services.{file_name(profile)}@{file_name(account_sid)}"

    def services(self) -> list[tuple[str, str]]:
        """Return SID and unique name of the Services; the name may be empty."""
        rows = [line.partition("\t") for line in self.names.read(self.file)]
        return [(sid, name) for sid, _, name in rows if fit(sid)]

    def save_services(self, rows: Iterable[tuple[str, str]]) -> None:
        """Keep these Services instead of those there."""
        lines = [
            f"{sid}\t{name if fit(name) and self.clean(name) == name else ''}"
            for sid, name in rows
            if fit(sid)
        ]
        self.names.write(self.file, lines[:MOST_SERVICES])

    def save_service(self, sid: str, name: str | None) -> None:
        """Keep one Service more, as the first; None: one less. A name is no other's any more."""
        others = [row for row in self.services() if row[0] != sid and not (name and row[1] == name)]
        self.save_services(others if name is None else [(sid, name), *others])


class Names:
    """The files of all profiles, for one environment."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.directory = cache_directory(environ)
        self.now = time.time()

    @property
    def profiles_file(self) -> str:
        """Which file holds the profiles: each config file has its own."""
        config = self.environ.get("PROXYCTL_CONFIG")
        return f"profiles.{checksum(str(Path(config).absolute()))}" if config else "profiles"

    def profiles(self) -> list[tuple[str, str, bool]]:
        """Return name and account SID of each profile, and whether it is the default."""
        rows = [(*line.split("\t"), "", "")[:3] for line in self.read(self.profiles_file)]
        return [(name, account_sid, default == "default") for name, account_sid, default in rows if fit(name)]

    def save_profiles(self, rows: Iterable[tuple[str, str, bool]]) -> None:
        """Keep these profiles: name, account SID, whether it is the default."""
        lines = [
            f"{name}\t{account_sid if fit(account_sid) else ''}\t{'default' if default else ''}"
            for name, account_sid, default in rows
            if fit(name)
        ]
        if lines != self.read(self.profiles_file):
            self.write(self.profiles_file, lines)

    def account(self, profile: str | None) -> AccountNames | None:
        """Return the account that a command works on, by the rules of precedence; None where it is not known.

        ``profile`` is what --profile says.
        """
        environ = self.environ
        name = profile or environ.get("PROXYCTL_PROFILE", "").strip()
        if name == SANDBOX:
            return AccountNames(self, SANDBOX, "")
        sid = environ.get("TWILIO_ACCOUNT_SID", "").strip()
        if not name and sid:
            return AccountNames(self, ENVIRONMENT, sid)
        for there, account_sid, default in self.profiles():
            if there == name or (not name and default):
                return AccountNames(self, there, "" if there == SANDBOX else account_sid)
        return None

    # Files

    def read(self, name: str) -> list[str]:
        """Return the lines of a file that is our own, regular, and not too old; else none."""
        if self.directory is None:
            return []
        try:
            with open(open_private(self.directory / name, os.O_RDONLY), "rb") as file:
                found = os.fstat(file.fileno())
                if found.st_uid != os.geteuid() or self.now - found.st_mtime > OLDEST:
                    return []
                return file.read(LARGEST_FILE).decode("utf-8", "replace").splitlines()
        except (OSError, ValueError):
            return []

    def write(self, name: str, lines: list[str]) -> None:
        """Replace a file as one step, 0600 in a directory of 0700; OSError where that can't be done."""
        if self.directory is None:
            return
        private_directory(self.directory)
        self.drop_old()
        new = self.directory / f".{name}.{os.getpid()}"  # a name of its own: no lock keeps writers apart
        write_new(new, "".join(line + "\n" for line in lines).encode(), durable=False)
        new.replace(self.directory / name)

    def drop_old(self) -> None:
        """Remove what is too old to be read, and directories: earlier versions kept phone numbers in them."""
        for path in self.directory.iterdir() if self.directory is not None else ():
            with contextlib.suppress(OSError):
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                elif self.now - path.lstat().st_mtime > OLDEST:
                    path.unlink()


def watch_services(runtime: Runtime, pages: Iterable[SomePage]) -> Iterator[SomePage]:
    """Yield ``pages`` of Services as they are; when the last has gone by, these are the names to offer.

    A list that is not read to its end changes nothing.
    """
    seen: list[tuple[str, str]] = []
    for page in pages:
        if len(seen) < MOST_SERVICES:
            seen.extend(service_names(raw) for raw in page.items)
        yield page
    with account_of(runtime) as account:
        account.save_services(seen)


def remember_service(runtime: Runtime, raw: Mapping[str, Any]) -> None:
    """Offer one Service from now on: it was just shown, created or renamed."""
    with account_of(runtime) as account:
        account.save_service(*service_names(raw))


def forget_service(runtime: Runtime, service_sid: str) -> None:
    """Offer a Service no longer: it was just deleted."""
    with account_of(runtime) as account:
        account.save_service(service_sid, None)


def remember_profiles(runtime: Runtime) -> None:
    """Offer the profiles of the config file."""
    store = runtime.store
    with contextlib.suppress(*HARMLESS):
        default = store.default_profile()
        profiles = {name: text_of(table, "account_sid") for name, table in store.profiles().items()}
        if default is not None:
            profiles.setdefault(default, "")  # the sandbox, which is in no file
        Names(runtime.environ).save_profiles(
            (name, account_sid, name == default) for name, account_sid in profiles.items()
        )


@contextlib.contextmanager
def account_of(runtime: Runtime) -> Iterator[AccountNames]:
    """The names of the account that this command works on; what fails while they change is of no matter."""
    with contextlib.suppress(*HARMLESS):
        profile = runtime.profile
        account_sid = "" if profile.is_sandbox else profile.account_sid
        clean = runtime.console.redactor.clean
        yield AccountNames(Names(runtime.environ), profile.name, account_sid, clean)


def service_names(raw: Mapping[str, Any]) -> tuple[str, str]:
    return text_of(raw, "sid"), text_of(raw, "unique_name")


def text_of(raw: Mapping[str, Any], key: str) -> str:
    """Return a text of an answer; what is missing or no text is as good as empty."""
    value = raw.get(key) if isinstance(raw, Mapping) else None
    return value if isinstance(value, str) else ""
