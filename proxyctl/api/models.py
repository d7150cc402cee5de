"""The API's resources as frozen values around the untouched object: unknown fields are kept, none is
validated.

A property is None where the field is missing or of another type; ``raw`` has what the server said.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from proxyctl.errors import AnswerError


@dataclass(frozen=True, slots=True)
class Resource:
    """Any resource. AnswerError where ``raw`` is not an object with a sid."""

    raw: dict[str, Any] = field(hash=False)

    def __post_init__(self) -> None:
        if not isinstance(self.raw, dict) or not isinstance(self.raw.get("sid"), str) or not self.raw["sid"]:
            raise AnswerError(f"the answer holds no {type(self).__name__} (no object with a sid)")

    @property
    def sid(self) -> str:
        return str(self.raw["sid"])

    def text(self, name: str) -> str | None:
        """Return a field if it is a text."""
        value = self.raw.get(name)
        return value if isinstance(value, str) else None

    def integer(self, name: str) -> int | None:
        """Return a field if it is a whole number."""
        value = self.raw.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def flag(self, name: str) -> bool | None:
        """Return a field if it is true or false."""
        value = self.raw.get(name)
        return value if isinstance(value, bool) else None


class Service(Resource):
    """A Proxy Service."""

    __slots__ = ()

    @property
    def unique_name(self) -> str | None:
        return self.text("unique_name")


class PhoneNumber(Resource):
    """A number in a Service's pool."""

    __slots__ = ()

    @property
    def phone_number(self) -> str | None:
        return self.text("phone_number")

    @property
    def iso_country(self) -> str | None:
        return self.text("iso_country")

    @property
    def is_reserved(self) -> bool | None:
        return self.flag("is_reserved")

    @property
    def in_use(self) -> int | None:
        """Open Sessions assigned to the number."""
        return self.integer("in_use")

    @property
    def capabilities(self) -> dict[str, bool]:
        """The API's open map, as far as its values are true or false."""
        value = self.raw.get("capabilities")
        items = value.items() if isinstance(value, dict) else ()
        return {name: flag for name, flag in items if isinstance(flag, bool)}


class IncomingNumber(Resource):
    """A number that the account owns, with its webhooks."""

    __slots__ = ()

    @property
    def phone_number(self) -> str | None:
        return self.text("phone_number")

    @property
    def voice_url(self) -> str | None:
        return self.text("voice_url")

    @property
    def sms_url(self) -> str | None:
        return self.text("sms_url")


class MessagingService(Resource):
    """A Messaging Service."""

    __slots__ = ()

    @property
    def friendly_name(self) -> str | None:
        return self.text("friendly_name")

    @property
    def use_inbound_webhook_on_number(self) -> bool | None:
        return self.flag("use_inbound_webhook_on_number")


class MessagingPhoneNumber(Resource):
    """A number in a Messaging Service."""

    __slots__ = ()

    @property
    def phone_number(self) -> str | None:
        return self.text("phone_number")
