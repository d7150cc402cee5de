"""What a config file may hold: keys, types and values, stated once for reading, setting and explaining."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from proxyctl.console import FORMATS
from proxyctl.errors import UsageError
from proxyctl.identifiers import is_sid
from proxyctl.profiles.profile import SANDBOX
from proxyctl.profiles.toml_guard import at_line, line_of
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
    _check_keys(document, TOP_KEYS, (), text, path)
    if document.get("output", "tsv") not in FORMATS:
        line = line_of(text, "output")
        raise at_line(path, line, f"output is none of {', '.join(FORMATS)}")
    for name, table in document.get("profiles", {}).items():
        if not isinstance(table, dict) or name == SANDBOX:
            what = f"profiles.{visible(name)} must be a table"
            if name == SANDBOX:
                what = "the profile sandbox is built in; give this one another name"
            raise at_line(path, line_of(text, "profiles", name), what)
        _check_keys(table, PROFILE_KEYS, ("profiles", name), text, path)


def _check_keys(
    table: Mapping[str, Any], known: Mapping[str, type], where: tuple[str, ...], text: str, path: Path
) -> None:
    for key, value in table.items():
        if key in known and isinstance(value, known[key]):
            continue
        name = visible(".".join((*where, key)))
        what = f"unknown key {name}{did_you_mean(key, known)}"
        if key in known:
            what = f"{name} must be {WORDS[known[key]]}"
        raise at_line(path, line_of(text, *where, key), what)


def did_you_mean(word: str, known: Mapping[str, Any] | list[str]) -> str:
    """Return `` (did you mean X?)``, or nothing where nothing is near."""
    from difflib import get_close_matches

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


# What a value must look like. Malformed values are never repeated: a secret may have been pasted into them.
VALUE_RULES: dict[str, str] = {
    "account_sid": "AC and 32 hexadecimal digits",
    "api_key": "SK and 32 hexadecimal digits",
    "region": "a region such as us1 or ie1",
    "edge": "an edge such as dublin or ashburn",
}


def follows_rule(field: str, value: str) -> bool:
    """Tell whether ``value`` may stand in ``field``; regions and edges become part of a host name."""
    if field in ("account_sid", "api_key"):
        return is_sid("AC" if field == "account_sid" else "SK", value)
    if field in ("region", "edge"):
        return re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?", value) is not None
    return True


def parse_value(field: str, text: str) -> str | bool:
    """Return ``text`` as the type of ``field``; UsageError, without repeating it, where it does not fit."""
    if PROFILE_KEYS.get(field) is bool:
        if text.lower() not in ("true", "false"):
            raise UsageError(f"{field} must be true or false.")
        return text.lower() == "true"
    if not follows_rule(field, text):
        raise UsageError(f"{field} must be {VALUE_RULES[field]}.")
    if field == "output" and text not in FORMATS:
        raise UsageError(f"output must be one of {', '.join(FORMATS)}.")
    if not text.isprintable():
        raise UsageError(f"{field} must be one line of plain text.")
    if len(text) > 2000:
        raise UsageError(f"{field} must be at most 2000 characters.")
    return text
