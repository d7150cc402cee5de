"""What names a thing: SIDs, phone numbers, unique names, distinguished and checked before they reach a path.

A root module: importing it costs nothing, and the table of the world's number plans is loaded only for a
number that was written in its national format.
"""

from __future__ import annotations

import re
from functools import partial
from typing import NamedTuple

from proxyctl.errors import AnswerError, UsageError
from proxyctl.text import counted, show, without_invisible

ACCOUNT = "AC"
SERVICE = "KS"
PHONE_NUMBER = "PN"

MOST_DIGITS = 15
FEWEST_DIGITS = 7
"""E.164 sets no lower limit. The shortest in use (Niue, Saint Helena) have seven, country code included."""

EXAMPLE = "+14155550100"

SID = "[A-Z]{2}[0-9a-fA-F]{32}"  # of any kind
_HEX = partial(re.fullmatch, r"[0-9a-fA-F]{32}")
_E164 = partial(re.fullmatch, r"\+[1-9][0-9]{1,14}")
_PLAIN_E164 = partial(re.fullmatch, rf"\+[1-9][0-9]{{{FEWEST_DIGITS - 1},{MOST_DIGITS - 1}}}")
_ANY_SID = partial(re.fullmatch, SID)
_PLAIN_NAME = partial(re.fullmatch, "[A-Za-z0-9_][A-Za-z0-9_.-]*")
# The spaces and dashes of word processors resemble those of a keyboard, so they are tolerated alike.
_SEPARATORS = partial(re.sub, r"[ \t\u00a0\u2000-\u200a\u202f\u3000.\-\u2010-\u2015\u2212()\[\]]+")
_TRUNK_ZERO = partial(re.search, r"[(\[]\s*0\s*[)\]]")
_DIGITS = partial(re.fullmatch, r"\+?[0-9]+")
_FLOAT = partial(re.fullmatch, r"(\+?[0-9]+)\.0")  # as spreadsheets and data frames write whole numbers
_MORE_ZEROS = partial(re.fullmatch, r"\+?[0-9]+\.00+")
_ROUNDED = partial(re.fullmatch, r"\+?[0-9]+(?:[.,][0-9]+)?[eE]\+?[0-9]+")
_WIDE_PLUS = "\uff0b"
_VALID, _POSSIBLE = 2, 1  # how far the number plans know a number


class NumberRef(NamedTuple):
    """A PhoneNumber as a person named it: by its PN SID or by its number in E.164, never both."""

    sid: str | None
    phone_number: str | None


def is_sid(prefix: str, text: str) -> bool:
    """Return whether ``text`` is ``prefix`` and 32 hexadecimal digits, and nothing else."""
    return text.startswith(prefix) and _HEX(text[len(prefix) :]) is not None


def checked_sid(text: str) -> str:
    """Return ``text`` if it is a SID of any kind, which may stand in a path, a file's name, a comment or a lock.

    The only way there for what an answer says. AnswerError otherwise.
    """
    if _ANY_SID(text):
        return text
    raise AnswerError(f"the response has {show(text)} where a SID belongs")


def argument(name: str | None, sid: str) -> str:
    """Return a Service as a command takes it: its name, unless a shell or a parser could read it otherwise."""
    return name if name and _PLAIN_NAME(name) and not is_sid(SERVICE, name) else sid


def is_e164(text: str) -> bool:
    """Return whether ``text`` is in E.164 exactly: ``+``, then 2 to 15 digits of which the first is not 0."""
    return _E164(text) is not None


def parse_number(text: str, default_country: str | None = None) -> NumberRef:
    """Read a NUMBER: a PN SID, or a phone number in E.164 as people write it.

    Spaces, dots, dashes, brackets, ``tel:``, a ``00`` prefix, the ``.0`` of a float and invisible characters are
    tolerated; the national format only with ``default_country`` (two letters, ISO 3166), and where it can be no other
    number without its ``+``. A number need not be assigned, but of a possible length.

    ValueError: it can't be read. Its words follow the text, as in ``"+1" has only 1 digit. …``.
    UsageError: there is no such country.
    """
    if _PLAIN_E164(text):
        return NumberRef(None, text)
    text = without_invisible(text).strip()
    if is_sid(PHONE_NUMBER, text):
        return NumberRef(text, None)
    if default_country is not None:
        default_country = require_country(default_country)
    return NumberRef(None, _parse_phone_number(text, default_country))


def is_float(text: str) -> bool:
    """Whether a number ends with ``.0``, which `parse_number` drops."""
    return text.endswith("0") and _FLOAT(_bare(text)) is not None


def agree(one: str, other: str) -> bool:
    """Whether two numbers are the same but for a ``+``."""
    return one.removeprefix("+") == other.removeprefix("+")


def perhaps_without_plus(text: str) -> str | None:
    """Return the digits of what may be a number in E.164 that lost its ``+``, if it may."""
    digits = _SEPARATORS("", _bare(text).removesuffix(".0"))
    return digits if _E164("+" + digits) and len(digits) >= FEWEST_DIGITS else None


def require_number(text: str, default_country: str | None = None) -> NumberRef:
    """Do as ``parse_number`` for a single argument: UsageError, with the text in it, for ValueError."""
    try:
        return parse_number(text, default_country)
    except ValueError as error:
        raise UsageError(f"{show(text)} {error}") from None


def require_country(text: str) -> str:
    """Return the country's code in capitals; UsageError for one that no number plan is known for."""
    from phonenumbers import SUPPORTED_REGIONS

    country = text.strip().upper()
    if country in SUPPORTED_REGIONS:
        return country
    hint = "The United Kingdom is GB." if country == "UK" else None
    raise UsageError(
        f"there is no country {show(text)}. Give its two letters of ISO 3166, like US, GB or DE", hint=hint
    )


def calling_code(country: str) -> str:
    """Return how the numbers of a country begin: ``+1`` for US."""
    import phonenumbers as plans

    return f"+{plans.country_code_for_region(country)}"


def country_of(number: str) -> str | None:
    """Return the country that a number in E.164 belongs to, by the number plans; None where they know none."""
    import phonenumbers as plans

    try:
        parsed = plans.parse(number)
    except plans.NumberParseException:
        return None
    code = parsed.country_code or 0
    region = plans.region_code_for_number(parsed) or plans.region_code_for_country_code(code)
    return region if region in plans.SUPPORTED_REGIONS else None


def is_placeholder(text: str) -> bool:
    """Whether this is a bare word in capitals, by which printed commands leave a value open."""
    return re.fullmatch("[A-Z][A-Z_]*", text) is not None


def _bare(text: str) -> str:
    """Return a number without what is around its digits, and with the ``+`` of a keyboard."""
    text = without_invisible(text).strip()
    return (text[4:] if text[:4].lower() == "tel:" else text).strip().replace(_WIDE_PLUS, "+")


def _parse_phone_number(text: str, country: str | None) -> str:
    text = _bare(text)
    whole = _FLOAT(text)
    digits = _SEPARATORS("", whole[1] if whole else text)
    if not _DIGITS(digits):
        if _ROUNDED(text):
            raise ValueError(
                "was rounded by a spreadsheet. Format its column as text there, or add a column sid"
            )
        raise ValueError(f"is neither a PN SID nor a number in E.164, like {EXAMPLE}")
    if not whole and (text.endswith(".0") or _MORE_ZEROS(text)):
        shorter = _SEPARATORS("", text[: text.rindex(".")])
        raise ValueError(f"may be {shorter} or {digits}. Write it in E.164, without a point at the end")
    if digits.startswith(("+", "00")) and _TRUNK_ZERO(text):
        # Left out in most countries, kept in Italy: only the owner knows.
        raise ValueError("has a (0) after its country code. Write only the digits dialled from abroad")
    if digits.startswith("+"):
        return _international(digits)
    if country is not None:
        return _without_plus(text, digits, country)
    if digits.startswith("00"):
        return _international("+" + digits[2:])
    raise ValueError(
        f"has no + and country code. Write it in E.164, like {EXAMPLE}, or add --default-country"
    )


def _international(number: str) -> str:
    if _PLAIN_E164(number):
        return number
    count = counted(len(number) - 1, "digit")
    raise ValueError(
        f"has {count}. A number in E.164 has {FEWEST_DIGITS} to {MOST_DIGITS}, and begins with no 0, like {EXAMPLE}"
    )


def _without_plus(text: str, digits: str, country: str) -> str:
    """Read digits as a number of ``country``, or as one that lacks its ``+``.

    ValueError where they may be both, and their groups in ``text`` are not those of the national format alone.
    """
    national, known, usual = _reading(digits, country)
    abroad, known_abroad, usual_abroad = _reading("+" + digits.removeprefix("00"), None)
    if national != abroad and known == known_abroad > 0:
        groups = re.findall("[0-9]+", text)
        if len(groups) > 1 and groups == usual != usual_abroad:
            return _international(national)
        raise ValueError(
            f"is {national} as a number of {country}, and {abroad} with a + before it. Write it in E.164"
        )
    if known_abroad == _VALID or (digits.startswith("00") and known_abroad >= known):
        return _international(abroad)
    if known:
        return _international(national)
    raise ValueError(f"is not a number of {country}. Write it in E.164, like {EXAMPLE}")


def _reading(digits: str, country: str | None) -> tuple[str, int, list[str]]:
    """Return one way to read digits: the number in E.164, how far the number plans know it, and its usual groups."""
    import phonenumbers as plans

    try:
        number = plans.parse(digits, country)
    except plans.NumberParseException:
        return digits, 0, []
    forms = plans.PhoneNumberFormat
    written = plans.format_number(number, forms.E164)
    if country is None and written != digits:
        return digits, 0, []  # with a zero that is dialled at home only
    usual = plans.format_number(number, forms.NATIONAL if country else forms.INTERNATIONAL)
    possible = plans.is_possible_number_with_reason(number) == plans.ValidationResult.IS_POSSIBLE
    known = _VALID if plans.is_valid_number(number) else _POSSIBLE if possible else 0
    return written, known, re.findall("[0-9]+", usual)
