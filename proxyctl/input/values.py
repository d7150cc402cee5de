"""The values of a row's fields, from every format alike; ValueError says what is wrong with one."""

from __future__ import annotations

import re

from proxyctl.text import show, without_invisible

_BOOLEANS = {
    "": None,
    **dict.fromkeys(("true", "1", "1.0", "yes", "reserved"), True),
    **dict.fromkeys(("false", "0", "0.0", "no", "unreserved"), False),
}
_FORMULA = re.compile(r'="(.*)"', re.DOTALL)  # keeps a spreadsheet from reading a number


def value_text(value: object) -> str:
    """Return a value as a message shows it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def text_of(field: str, value: object) -> str:
    """Return a field's text, "" for none: without what is not seen, and without the ' or =" that are there for
    spreadsheets. A JSON number is what its digits are in a CSV.
    """
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise ValueError(f"{field} is not a text")
    text = without_invisible(value).strip()
    if formula := _FORMULA.fullmatch(text):
        return formula[1].replace('""', '"').strip()
    return text.removeprefix("'").lstrip()


def boolean_of(value: object) -> bool | None:
    """Return what a field says of yes and no; None for nothing."""
    if value is None or isinstance(value, bool):
        return value
    if not isinstance(value, str | int | float):
        raise ValueError("is_reserved is neither true nor false")
    word = text_of("is_reserved", value)
    if word.lower() in _BOOLEANS:
        return _BOOLEANS[word.lower()]
    raise ValueError(f"is_reserved {show(word)} is neither true nor false")
