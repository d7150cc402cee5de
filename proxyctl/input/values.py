"""The values of a row's fields, from CSV and JSON alike; ValueError says what is wrong with one."""

from __future__ import annotations

from proxyctl.text import show

_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False, "": None}


def value_text(value: object) -> str:
    """Return a value as a message shows it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def text_of(field: str, value: object) -> str:
    """Return a field's text, without the ' that keeps spreadsheets from running it; "" for none."""
    if value is None:
        return ""
    if isinstance(value, str):
        value = value.strip()
        return value[1:].lstrip() if value.startswith("'") else value
    if isinstance(value, int) and not isinstance(value, bool):
        raise ValueError(f'{field} is not in quotes. Write it as text, like "+14155550100"')
    raise ValueError(f"{field} is not a text")


def boolean_of(value: object) -> bool | None:
    """Return what a field says of yes and no; None for nothing."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        word = value.strip().removeprefix("'").lower()
        if word in _BOOLEANS:
            return _BOOLEANS[word]
        raise ValueError(f"is_reserved {show(value)} is neither true nor false")
    raise ValueError("is_reserved is neither true nor false")


def sid_text(value: object) -> str:
    """Return a SID that a row has beside its number; "" for none. It is compared only, so it may be any text."""
    return str(value or "").strip().removeprefix("'")
