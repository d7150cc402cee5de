"""The API's resources as frozen values around the untouched object: unknown fields are kept, none is
validated.

A field is None where it is missing or of another type; ``raw`` has what the server said.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from proxyctl.errors import AnswerError

Kind = TypeVar("Kind")


class Field(Generic[Kind]):
    """A field of a resource, by the name that it has in the class."""

    def __init__(self, kind: type[Kind]) -> None:
        self._kind = kind

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, resource: Resource, owner: type | None = None) -> Kind | None:
        value = resource.raw.get(self._name)
        return value if type(value) is self._kind else None  # true is no number


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
        """Return any field if it is a text."""
        value = self.raw.get(name)
        return value if isinstance(value, str) else None


class Service(Resource):
    """A Proxy Service."""

    __slots__ = ()
    unique_name = Field(str)


class PhoneNumber(Resource):
    """A number in a Service's pool. ``in_use``: open Sessions assigned to it."""

    __slots__ = ()
    phone_number = Field(str)
    iso_country = Field(str)
    is_reserved = Field(bool)
    in_use = Field(int)

    @property
    def capabilities(self) -> dict[str, bool]:
        """The API's open map, as far as its values are true or false."""
        value = self.raw.get("capabilities")
        items = value.items() if isinstance(value, dict) else ()
        return {name: flag for name, flag in items if isinstance(flag, bool)}


class IncomingNumber(Resource):
    """A number that the account owns, with its webhooks."""

    __slots__ = ()
    phone_number = Field(str)
    voice_url = Field(str)
    sms_url = Field(str)


class MessagingService(Resource):
    """A Messaging Service."""

    __slots__ = ()
    friendly_name = Field(str)
    use_inbound_webhook_on_number = Field(bool)


class MessagingPhoneNumber(Resource):
    """A number in a Messaging Service."""

    __slots__ = ()
    phone_number = Field(str)
