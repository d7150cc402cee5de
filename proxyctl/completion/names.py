"""What completion knows of accounts: names of profiles and Services, and pool numbers, in small private files.

Listing commands write them, a TAB reads them. No secret is among them, all are bounded in size and age, and losing
them loses nothing: reading and writing fail silently.
"""

from __future__ import annotations

import os
import stat
import sys
import time

TYPE_CHECKING = False  # `typing` costs a TAB some milliseconds
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

OLDEST = 30 * 86400.0  # seconds
MOST_SERVICES = 200
MOST_NUMBERS = 5000  # of each Service
LARGEST_FILE = 1 << 20  # bytes
SANDBOX = "sandbox"
ENVIRONMENT = "environment"


def cache_directory(environ: Mapping[str, str]) -> str | None:
    """Return where the names are kept: below platformdirs' user cache directory; None without a home."""
    base = environ.get("XDG_CACHE_HOME", "").strip()
    if not os.path.isabs(base):
        home = environ.get("HOME", "")
        if not os.path.isabs(home):
            return None
        base = os.path.join(home, "Library/Caches" if sys.platform == "darwin" else ".cache")
    return os.path.join(base, "proxyctl", "completion")


def file_name(text: str) -> str:
    """Turn any text into a name for a file or directory."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "_-") else f"%{ord(c):02x}" for c in text)
    return plain if len(plain) <= 100 else f"{plain[:90]}%{checksum(plain)}"


def checksum(text: str) -> str:
    from binascii import crc32

    return f"{crc32(os.fsencode(text)):08x}"


def fit(text: object) -> bool:
    """Whether ``text`` can be offered: not empty, and nothing in it that a terminal or a file would act on."""
    return isinstance(text, str) and 0 < len(text) <= 500 and text.isprintable()


class Account:
    """The names of one account, as one profile sees it."""

    def __init__(self, names: Names, profile: str, account_sid: str) -> None:
        self.names = names
        self.place = file_name(f"{profile}") + "@" + file_name(account_sid)

    def services(self) -> list[tuple[str, str]]:
        """Return SID and unique name of the Services; the name may be empty."""
        rows = [line.partition("\t") for line in self.names.read(self.place, "services")]
        return [(sid, name) for sid, _, name in rows if fit(sid)]

    def numbers(self, service: str) -> list[str]:
        """Return the pool numbers of a Service, which is a SID or a unique name."""
        sid = next((sid for sid, name in self.services() if service in (sid, name)), service)
        return self.names.read(self.place, f"numbers.{file_name(sid)}")

    def all_numbers(self) -> list[str]:
        """Return the pool numbers of all Services."""
        found = [number for sid, _ in self.services() for number in self.numbers(sid)]
        return found[:MOST_NUMBERS]

    def save_services(self, rows: Iterable[tuple[str, str]]) -> None:
        """Keep these Services instead of those there, and forget the numbers of others."""
        known = [(sid, name if fit(name) else "") for sid, name in rows if fit(sid)][:MOST_SERVICES]
        self.names.write(self.place, "services", [f"{sid}\t{name}" for sid, name in known])
        kept = {"services", *(f"numbers.{file_name(sid)}" for sid, _ in known)}
        for name in self.names.files(self.place):
            if name not in kept:
                self.names.remove(self.place, name)

    def add_service(self, sid: str, name: str) -> None:
        """Keep one Service more, as the first; a name that changed replaces the old one."""
        others = [(there, its_name) for there, its_name in self.services() if there != sid]
        self.save_services([(sid, name), *others])

    def forget_service(self, sid: str) -> None:
        """Forget a Service and its numbers."""
        self.save_services([(there, name) for there, name in self.services() if there != sid])

    def save_numbers(self, sid: str, numbers: Iterable[str]) -> None:
        """Keep these numbers of a Service instead of those there."""
        others = [name for name in self.names.files(self.place) if name != "services"]
        if len(others) <= MOST_SERVICES:
            known = [number for number in numbers if fit(number)][:MOST_NUMBERS]
            self.names.write(self.place, f"numbers.{file_name(sid)}", known)


class Names:
    """The files of all profiles, for one environment."""

    def __init__(self, environ: Mapping[str, str], now: float | None = None) -> None:
        self.environ = environ
        self.directory = cache_directory(environ)
        self.now = time.time() if now is None else now

    # Profiles

    @property
    def profiles_file(self) -> str:
        """Which file holds the profiles: each config file has its own."""
        config = self.environ.get("PROXYCTL_CONFIG")
        return f"profiles.{checksum(os.path.abspath(config))}" if config else "profiles"

    def profiles(self) -> list[tuple[str, str, bool]]:
        """Return name and account SID of each profile, and whether it is the default."""
        found = []
        for line in self.read(".", self.profiles_file):
            name, _, rest = line.partition("\t")
            account_sid, _, default = rest.partition("\t")
            if fit(name):
                found.append((name, account_sid, default == "default"))
        return found

    def save_profiles(self, rows: Iterable[tuple[str, str, bool]]) -> None:
        """Keep these profiles: name, account SID, whether it is the default."""
        lines = [
            f"{name}\t{account_sid if fit(account_sid) else ''}\t{'default' if default else ''}"
            for name, account_sid, default in rows
            if fit(name)
        ]
        if lines != self.read(".", self.profiles_file):
            self.write(".", self.profiles_file, lines)

    def account(self, profile: str | None) -> Account | None:
        """Return the account that a command works on, by the rules of precedence; None where nothing tells.

        ``profile`` is what --profile says.
        """
        environ = self.environ
        name = profile or environ.get("PROXYCTL_PROFILE", "").strip()
        if name == SANDBOX:
            return Account(self, SANDBOX, "")
        sid = environ.get("TWILIO_ACCOUNT_SID", "").strip()
        if not name and sid:
            return Account(self, ENVIRONMENT, sid)
        for there, account_sid, default in self.profiles():
            if there == name or (not name and default):
                return Account(self, there, "" if there == SANDBOX else account_sid)
        return None

    # Files

    def read(self, *path: str) -> list[str]:
        """Return the lines of a file that is our own, regular, and not too old; else none."""
        if self.directory is None:
            return []
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            descriptor = os.open(os.path.join(self.directory, *path), flags)
        except (OSError, ValueError):
            return []
        try:
            found = os.fstat(descriptor)
            foreign = not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid()
            if foreign or self.now - found.st_mtime > OLDEST:
                return []
            data = os.read(descriptor, LARGEST_FILE)
        except OSError:
            return []
        finally:
            os.close(descriptor)
        return data.decode("utf-8", "replace").splitlines()

    def files(self, *path: str) -> list[str]:
        """Return the names of what is in a directory."""
        if self.directory is None:
            return []
        try:
            return os.listdir(os.path.join(self.directory, *path))
        except OSError:
            return []

    def write(self, place: str, name: str, lines: list[str]) -> None:
        """Replace a file as one step, 0600 in a directory of 0700; OSError where that can't be done."""
        if self.directory is None:
            return
        from pathlib import Path  # not at the top: a TAB writes nothing

        from proxyctl.files import private_directory, write_new

        folder = Path(self.directory, place)
        private_directory(Path(self.directory))
        private_directory(folder)
        new = folder / f".{name}.{os.getpid()}"  # a name of its own: no lock keeps writers apart
        write_new(new, "".join(line + "\n" for line in lines).encode(), durable=False)
        new.replace(folder / name)

    def remove(self, *path: str) -> None:
        """Remove a file, if it is there."""
        if self.directory is not None:
            try:
                os.unlink(os.path.join(self.directory, *path))
            except OSError:
                pass

    def drop_old(self) -> None:
        """Remove what is too old to be read, and directories that hold nothing more."""
        for entry in self.files():
            inside = self.files(entry)
            for path in [os.path.join(entry, name) for name in inside] or [entry]:
                if self.age(path) > OLDEST:
                    self.remove(path)
            if inside and not self.files(entry) and self.directory is not None:
                os.rmdir(os.path.join(self.directory, entry))

    def age(self, path: str) -> float:
        """Return how many seconds ago a file was written."""
        try:
            return self.now - os.lstat(os.path.join(self.directory or "", path)).st_mtime
        except OSError:
            return 0.0
