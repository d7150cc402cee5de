"""The form of numbers in the countries that the sandbox can be seeded with, as data.

In a pattern each ``#`` is a digit, and ``@`` an area code of the country's list. North American numbers are in the
exchange 555, most of which nobody holds; elsewhere the patterns are only as real as their lengths.
"""

from __future__ import annotations

from dataclasses import dataclass

_BOTH_WAYS = ("voice_inbound", "voice_outbound", "sms_inbound", "sms_outbound")
_NORTH_AMERICAN = (*_BOTH_WAYS, "mms_inbound", "mms_outbound", "fax_inbound", "fax_outbound", "sip_trunking")
_MOBILE = _BOTH_WAYS
_VOICE = ("voice_inbound", "voice_outbound", "sip_trunking")

# All keys of the map, in the order in which Twilio was seen to give them.
CAPABILITIES = (
    "voice_inbound",
    "voice_outbound",
    "sms_inbound",
    "sms_outbound",
    "mms_inbound",
    "mms_outbound",
    "fax_inbound",
    "fax_outbound",
    "sip_trunking",
    "restriction_voice_domestic",
    "restriction_sms_domestic",
    "restriction_mms_domestic",
    "restriction_fax_domestic",
)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of number of a country. ``type`` is ``local`` or ``mobile``; ``can`` are its true capabilities."""

    pattern: str
    type: str
    can: tuple[str, ...]
    areas: tuple[str, ...] = ("",)


def _areas(codes: str) -> tuple[str, ...]:
    return tuple(codes.split())


_US_AREAS = _areas(
    "415 628 510 650 408 213 310 323 424 619 858 916 503 971 206 425 360 702 480 602 303 720 801 505 512 737 214 "
    "469 972 713 832 281 210 312 773 872 314 816 612 651 414 608 317 502 615 901 404 470 678 770 305 786 813 407 "
    "561 704 919 984 804 703 571 202 301 410 443 215 267 484 412 212 646 917 718 347 929 516 914 201 973 862 203 "
    "860 617 857 508 401 207 603 802 216 614 513 313 248 586 402 515 405 918 504 205 907 808"
)
_CA_AREAS = _areas("416 647 437 905 289 613 343 514 438 450 418 604 778 236 250 403 587 780 204 306 902 506")

# The first kind of a country can do SMS: it is what a plain seed hands out.
COUNTRIES: dict[str, tuple[Kind, ...]] = {
    "US": (Kind("+1@555####", "local", _NORTH_AMERICAN, _US_AREAS),),
    "CA": (Kind("+1@555####", "local", _NORTH_AMERICAN, _CA_AREAS),),
    "GB": (Kind("+4474########", "mobile", _MOBILE), Kind("+4420########", "local", _VOICE)),
    "DE": (Kind("+491573#######", "mobile", _MOBILE), Kind("+4930########", "local", _VOICE)),
    "FR": (Kind("+336########", "mobile", _MOBILE), Kind("+331########", "local", _VOICE)),
    "AU": (
        Kind("+614########", "mobile", (*_MOBILE, "mms_inbound", "mms_outbound")),
        Kind("+612########", "local", _VOICE),
    ),
    "NL": (
        Kind("+316@#######", "mobile", _MOBILE, _areas("1 2 3 4 5")),
        Kind("+3120#######", "local", _VOICE),
    ),
    "BE": (Kind("+3246#######", "mobile", _MOBILE), Kind("+322#######", "local", _VOICE)),
    "ES": (Kind("+346########", "mobile", _MOBILE), Kind("+3491#######", "local", _VOICE)),
    "IT": (Kind("+393########", "mobile", _MOBILE), Kind("+3906########", "local", _VOICE)),
    "SE": (Kind("+467########", "mobile", _MOBILE), Kind("+468#######", "local", _VOICE)),
    "CH": (Kind("+417########", "mobile", _MOBILE), Kind("+4144#######", "local", _VOICE)),
    "IE": (
        Kind("+353@#######", "mobile", _MOBILE, _areas("83 85 86 87 89")),
        Kind("+3531#######", "local", _VOICE),
    ),
    "PL": (Kind("+485########", "mobile", _MOBILE), Kind("+4822#######", "local", _VOICE)),
    "BR": (Kind("+55119########", "mobile", _MOBILE), Kind("+5511########", "local", _VOICE)),
    "MX": (Kind("+5255########", "local", _MOBILE),),
    "SG": (Kind("+659#######", "mobile", _MOBILE), Kind("+656#######", "local", _VOICE)),
    "HK": (Kind("+8529#######", "mobile", _MOBILE), Kind("+8522#######", "local", _VOICE)),
    "IL": (
        Kind("+972@#######", "mobile", _MOBILE, _areas("50 52 53 54 58")),
        Kind("+9723#######", "local", _VOICE),
    ),
    "ZA": (Kind("+277########", "mobile", _MOBILE), Kind("+2711#######", "local", _VOICE)),
}
