"""What a config file may hold: keys, types and values, stated once for reading, setting and explaining."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from proxyctl.console import FORMATS
from proxyctl.errors import UsageError
from proxyctl.profiles.config_file import at_line
from proxyctl.profiles.profile import SANDBOX
from proxyctl.toml_files import Places
from proxyctl.visible import visible

TOP_KEYS: dict[str, type] = {"default_profile": str, "output": str, "profiles": dict}
PROFILE_KEYS: dict[str, type] = {
    "account_sid": str,
    "api_key": str,
    "api_secret": str,
    "auth_token": str,
    "api_secret_command": str,
    "auth_token_command": str,
    "base_url": str,
    "region": str,
    "edge": str,
    "protected": bool,
}
SECRET_KEYS = frozenset({"api_secret", "auth_token"})
WORDS: dict[type, str] = {str: "text in quotes", bool: "true or false", dict: "a table"}


def check_document(document: Mapping[str, Any], text: str, path: Path) -> None:
    """Check the shape of a config file. Raises ConfigError with file and line, and never with a value."""

    def refuse(what: str, *key: str) -> NoReturn:
        raise at_line(path, Places(text).line(*key), what)

    def check_keys(table: Mapping[str, Any], known: Mapping[str, type], *where: str) -> None:
        for key, value in table.items():
            name = visible(".".join((*where, key)))
            if key not in known:
                refuse(f"unknown key {name}{did_you_mean(key, known)}", *where, key)
            if not isinstance(value, known[key]):
                refuse(f"{name} must be {WORDS[known[key]]}", *where, key)

    check_keys(document, TOP_KEYS)
    if document.get("output", "tsv") not in FORMATS:
        refuse(f"output is none of {', '.join(FORMATS)}", "output")
    for name, table in document.get("profiles", {}).items():
        if name == SANDBOX:
            refuse("the profile sandbox is built in; give this one another name", "profiles", name)
        if not isinstance(table, dict):
            refuse(f"profiles.{visible(name)} must be a table", "profiles", name)
        check_keys(table, PROFILE_KEYS, "profiles", name)


def did_you_mean(word: str, known: Mapping[str, Any] | list[str]) -> str:
    """Return `` (did you mean X?)``, or nothing where nothing is near."""
    from difflib import get_close_matches  # only for errors

    near = get_close_matches(word, list(known), n=1)
    return f" (did you mean {visible(near[0])}?)" if near else ""


def split_key(key: str) -> tuple[str, ...]:
    """Return the parts of a settable key: ``(output,)`` or ``(profiles, NAME, field)``; NAME may hold dots.

    Raises UsageError for keys that don't exist, and for secrets, which are never shown or typed here.
    """
    head, _, rest = key.partition(".")
    if head in ("default_profile", "output") and not rest:
        return (head,)
    name, _, field = rest.rpartition(".")
    if head != "profiles" or not name:
        _no_such_key(key, ["default_profile", "output", "profiles.NAME.KEY"])
    if field in SECRET_KEYS:
        raise UsageError(
            f"{visible(key)} is a secret, which config neither shows nor takes.",
            hint=f"Run 'proxyctl auth login --profile {visible(name)}'.",
        )
    if field not in PROFILE_KEYS:
        _no_such_key(key, [f"profiles.{name}.{known}" for known in PROFILE_KEYS if known not in SECRET_KEYS])
    return head, name, field


def displaced_secrets(name: str, table: Mapping[str, Any], field: str) -> tuple[str, ...]:
    """Return which stored secrets of the profile's ``table`` the command ``field`` takes the place of.

    All of them: with a command, none need lie on disk. Raises UsageError for a command that would never run,
    because the profile signs in the other way.
    """
    has_key = bool(table.get("api_key"))
    shown = visible(name)
    if field == "api_secret_command" and not has_key:
        raise UsageError(
            f"profile {shown!r} has no api_key, so {field} would not be used.",
            hint="Set auth_token_command if the command prints the account's auth token.\n"
            f"Or set the key first: proxyctl config set profiles.{shown}.api_key SK…",
        )
    if field == "auth_token_command" and has_key:
        raise UsageError(
            f"profile {shown!r} signs in with its api_key, so {field} would not be used.",
            hint="Set api_secret_command if the command prints the key's secret.\n"
            f"Or unset the key first: proxyctl config set profiles.{shown}.api_key ''",
        )
    return tuple(key for key in ("api_secret", "auth_token") if key in table)


def _no_such_key(key: str, known: list[str]) -> NoReturn:
    raise UsageError(
        f"there is no config key {visible(key)}{did_you_mean(key, known)}.",
        hint=visible(f"Known are {', '.join(known)}."),
    )


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


# What a value must look like, and in words. Regions and edges become part of a host name.
LABEL = r"[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?"
RULES: dict[str, tuple[str, str]] = {
    "account_sid": (r"AC[0-9a-fA-F]{32}", "AC and 32 hexadecimal digits"),
    "api_key": (r"SK[0-9a-fA-F]{32}", "SK and 32 hexadecimal digits"),
    "region": (LABEL, "a region such as us1 or ie1"),
    "edge": (LABEL, "an edge such as dublin or ashburn"),
}


def checked(value: str | None, field: str, what: str, error: type[UsageError]) -> str | None:
    """Return ``value``, or raise ``error``, which does not repeat it: a secret may have been pasted into it."""
    pattern, words = RULES.get(field, (".*", ""))
    if value is not None and not re.fullmatch(pattern, value, re.DOTALL):
        raise error(f"{what} must be {words}.")
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
    if len(text) > 2000:
        raise UsageError(f"{field} must be at most 2000 characters.")
    return text
