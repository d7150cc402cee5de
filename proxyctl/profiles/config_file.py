"""The config file: on disk (checked when read, parsed, replaced whole, locked while it changes), and the keys, types
and values that it may hold, stated once for reading, setting and explaining.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from shlex import quote
from typing import Any, NoReturn

from proxyctl.clock import Clock
from proxyctl.console import FORMATS
from proxyctl.errors import ConfigError, LockHeldError, ProxyctlError, UsageError
from proxyctl.files import make_directories, open_private, replace_private, take_lock, writing
from proxyctl.text import QUOTED_HINT, command_line, in_quotes, nearest, visible
from proxyctl.toml_files import TYPE_WORDS, Places, TomlFlaw, parse_toml

LARGEST_FILE = 256 * 1024
LONGEST_LINE = 4096
LOCK_SECONDS = 10.0
LOCK_PAUSE = 0.05
NOT_WRITTEN = "Fix that, or set PROXYCTL_CONFIG to a file that can be written."

SANDBOX = "sandbox"  # the profile that always exists
TOP_KEYS: dict[str, type] = {"default_profile": str, "output": str, "profiles": dict}
PROFILE_KEYS: dict[str, type] = {
    **dict.fromkeys(("account_sid", "api_key", "api_secret", "auth_token"), str),
    **dict.fromkeys(("api_secret_command", "auth_token_command", "base_url", "region", "edge"), str),
    "protected": bool,
}
SECRET_KEYS = frozenset({"api_secret", "auth_token"})


def read_private(path: Path) -> bytes | None:
    """Return what is in ``path``, or None where there is no such file.

    Raises ConfigError where it is not a regular file, belongs to somebody else, can be read, written or replaced
    by others, or is too large for a config file.
    """
    if str(path) == os.devnull:
        return None
    try:
        # O_NONBLOCK: opening a pipe that nobody writes to must not wait.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigError(
            f"{path} can't be read: {error.strerror}.", hint="Set PROXYCTL_CONFIG to a file of your own."
        ) from None
    try:
        _check(path, os.fstat(descriptor))
        data = os.read(descriptor, LARGEST_FILE + 1)
    finally:
        os.close(descriptor)
    if len(data) > LARGEST_FILE:
        raise ConfigError(
            f"{path}:1: the file is larger than {LARGEST_FILE // 1024} KiB, so not a config file of proxyctl."
        )
    return data


def _check(path: Path, status: os.stat_result) -> None:
    quoted = quote(str(path))
    if not stat.S_ISREG(status.st_mode):
        raise ConfigError(f"{path} is not a regular file.", hint="Set PROXYCTL_CONFIG to a file.")
    if status.st_uid != os.geteuid():
        raise ConfigError(
            f"{path} belongs to another user (uid {status.st_uid}), so it is not used.",
            hint=f"Run: sudo chown {os.geteuid()} {quoted} && chmod 600 {quoted}",
        )
    if status.st_mode & 0o066:
        raise ConfigError(
            f"{path} can be read or written by other users (mode {stat.S_IMODE(status.st_mode):04o}), "
            "so it is not used.",
            hint=f"Run: chmod 600 {quoted}",
        )
    for directory in (path.parent, Path(os.path.realpath(path)).parent):  # of a link, and of its file
        mode = directory.stat().st_mode
        if mode & 0o022 and not mode & stat.S_ISVTX:
            raise ConfigError(
                f"{directory} can be written by other users (mode {stat.S_IMODE(mode):04o}), "
                "so the config file in it is not used.",
                hint=f"Run: chmod go-w {quote(str(directory))}",
            )


def parse(data: bytes, path: Path) -> tuple[dict[str, Any], str]:
    """Return the document and its text; ConfigError with file and line for anything that isn't sane TOML."""
    try:
        return parse_toml(data, LONGEST_LINE)
    except TomlFlaw as flaw:
        raise at_line(path, flaw.line, visible(flaw.what)) from None


def at_line(path: Path, line: int, what: str) -> ConfigError:
    """Return the error that names the place, as editors and compilers do."""
    return ConfigError(f"{path}:{line}: {what}.", hint=f"Fix line {line} of the config file.")


def replace(path: Path, data: bytes) -> None:
    """Replace the config file; a link stays one. The caller holds `only_writer`. Raises OutputError."""
    replace_private(Path(os.path.realpath(path)), data, hint=NOT_WRITTEN)


@contextmanager
def only_writer(path: Path, clock: Clock) -> Iterator[None]:
    """Hold the lock beside ``path``, so that of two writers none loses the other's change.

    Raises LockHeldError after some seconds, OutputError where the lock file can't be made.
    """
    target = Path(os.path.realpath(path))
    with ExitStack() as held:
        with writing(path, NOT_WRITTEN):
            make_directories(target.parent)
            descriptor = open_private(target.with_name(f".{target.name}.lock"), os.O_RDWR | os.O_CREAT)
            held.callback(os.close, descriptor)  # which gives the lock back
            taken = take_lock(descriptor, clock, LOCK_SECONDS, pause=LOCK_PAUSE)
        if not taken:
            raise LockHeldError(f"another proxyctl is changing {path}.", hint="Try again.")
        yield


def check_document(document: Mapping[str, Any], text: str, path: Path) -> None:
    """Check the shape of a config file. Raises ConfigError with file and line, and never with a value."""

    def refuse(what: str, *key: str) -> NoReturn:
        raise at_line(path, Places(text).line(*key), what)

    def check_keys(table: Mapping[str, Any], known: Mapping[str, type], *where: str) -> None:
        for key, value in table.items():
            if key not in known:  # not repeated: it may be a secret
                refuse(f"unknown key{did_you_mean(key, known)}", *where, key)
            name = visible(".".join((*where, key)))
            if not isinstance(value, known[key]):
                refuse(f"{name} must be {TYPE_WORDS[known[key]]}", *where, key)

    check_keys(document, TOP_KEYS)
    if document.get("output", "tsv") not in FORMATS:
        refuse(f"output is none of {', '.join(FORMATS)}", "output")
    for name, table in document.get("profiles", {}).items():
        if name == SANDBOX:
            refuse("the profile sandbox is built in, so this one needs another name", "profiles", name)
        if not isinstance(table, dict):
            refuse(f"profiles.{visible(name)} must be a table", "profiles", name)
        check_keys(table, PROFILE_KEYS, "profiles", name)


def did_you_mean(word: str, known: Mapping[str, Any] | list[str]) -> str:
    """Return `` (did you mean X?)``, or nothing where nothing is near."""
    near = nearest(word, known)
    return f" (did you mean {visible(near)}?)" if near else ""


def split_key(key: str) -> tuple[str, ...]:
    """Return the parts of a settable key: ``(output,)`` or ``(profiles, NAME, field)``; NAME may hold dots.

    Raises UsageError for keys that don't exist, and for secrets, which are never shown or typed here.
    """
    head, _, rest = key.partition(".")
    name, _, field = rest.rpartition(".")
    if head in ("default_profile", "output") and not rest:
        return (head,)
    if head == "profiles" and name and field in SECRET_KEYS:
        raise UsageError(
            f"{visible(key)} is a secret. config neither prints nor accepts secrets.",
            hint=f"Run '{command_line('auth', 'login', '--profile', name)}'.",
        )
    if head == "profiles" and name and field in PROFILE_KEYS:
        return head, name, field
    fields = (f"profiles.NAME.{field}" for field in PROFILE_KEYS if field not in SECRET_KEYS)
    known = ["default_profile", "output", *fields]
    raise UsageError(
        f"there is no such config key{did_you_mean(key, known)}.",  # not repeated: it may be a secret
        hint=f"Known are {', '.join(known)}.",
    )


def secret_key(table: Mapping[str, Any]) -> str:
    """Return the key of the secret: an API key is preferred over the token, as Twilio's own tools do."""
    return "api_secret" if table.get("api_key") else "auth_token"


def check_name(name: str) -> str:
    """Return ``name`` if a profile may be saved under it; UsageError otherwise."""
    if name == SANDBOX:
        raise UsageError(
            "the profile sandbox is built in and has nothing to set.", hint="Choose another name."
        )
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,63}", name):
        raise UsageError(
            f"{visible(name)!r} is not a profile name.",
            hint="Use up to 64 letters, digits and _ . @ + -, not starting with a dot or a sign.",
        )
    return name


# The form of a value, and in words. Regions and edges become part of a host name.
LABEL = r"[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?"
RULES: dict[str, tuple[str, str]] = {
    "account_sid": (r"AC[0-9a-fA-F]{32}", "AC and 32 hexadecimal digits"),
    "api_key": (r"SK[0-9a-fA-F]{32}", "SK and 32 hexadecimal digits"),
    "region": (LABEL, "a region such as us1 or ie1"),
    "edge": (LABEL, "an edge such as dublin or ashburn"),
}


def checked(value: str | None, field: str, what: str, error: type[UsageError]) -> str | None:
    """Return ``value``, or raise ``error``, which does not repeat it: a secret may have been pasted into it."""
    if value is not None and field in RULES:
        pattern, words = RULES[field]
        refuse_quotes(value, what, error)
        if not re.fullmatch(pattern, value):
            raise error(f"{what} must be {words}.")
    return value


def refuse_quotes(value: str, what: str, error: type[ProxyctlError]) -> None:
    """Raise ``error`` for a value in quotes: they may be part of it, so they are never dropped without a word."""
    if in_quotes(value):
        raise error(f"{what} is in quotes.", hint=QUOTED_HINT)


def usable_secret(text: str, what: str, error: type[ProxyctlError]) -> str:
    """Return ``text`` without its line end; raise ``error`` where that is no secret that can be sent."""
    value = text.strip(" \t\r\n")
    if not value:
        raise error(f"{what} is empty.")
    refuse_quotes(value, what, error)
    if not (value.isascii() and value.isprintable()) or " " in value:
        raise error(f"{what} is not a single word of plain ASCII text, so not a secret that can be sent.")
    return value


def parse_value(field: str, text: str) -> str | bool:
    """Return ``text`` as the type of ``field``; UsageError, without repeating it, where it does not fit."""
    if PROFILE_KEYS.get(field) is bool:
        if text.lower() not in ("true", "false"):
            raise UsageError(f"{field} must be true or false.")
        return text.lower() == "true"
    checked(text, field, field, UsageError)
    if field == "output" and text not in FORMATS:
        raise UsageError(f"output must be one of {', '.join(FORMATS)}.")
    if not text.isprintable():
        raise UsageError(f"{field} must be one line of plain text.")
    return text
