"""What the API's answers hold, as frozen values around the untouched object.

A field is None where it is missing or of another type. Unknown fields are kept, and none is validated.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from proxyctl.errors import AnswerError

Kind = TypeVar("Kind")

ACTIVE = ("open", "in-progress")  # statuses of Sessions that hold their numbers


class Field(Generic[Kind]):
    """A field of a resource, by the name that it has in the class."""

    def __init__(self, kind: type[Kind]) -> None:
        self._kind = kind

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, resource: Resource, owner: type | None = None) -> Kind | None:
        value = resource.raw.get(self._name)
        return value if type(value) is self._kind else None  # true is no number


class Resource:
    """Any resource. AnswerError where ``raw`` is not an object with a sid."""

    __slots__ = ("raw", "sid")
    NAMED_BY = "phone_number"

    def __init__(self, raw: dict[str, Any]) -> None:
        if not isinstance(raw, dict) or not isinstance(raw.get("sid"), str) or not raw["sid"]:
            raise AnswerError(f"the response has no {type(self).__name__} (an object with a sid)")
        self.raw, self.sid = raw, str(raw["sid"])

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and isinstance(other, Resource) and other.raw == self.raw

    @property
    def name(self) -> str:
        """What people call it: the field that `NAMED_BY` names, or its SID."""
        return self.text(self.NAMED_BY) or self.sid

    def text(self, name: str) -> str | None:
        """Return any field if it is a text."""
        value = self.raw.get(name)
        return value if isinstance(value, str) else None


class Service(Resource):
    """A Proxy Service."""

    __slots__ = ()
    NAMED_BY = "unique_name"
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
    NAMED_BY = "friendly_name"
    friendly_name = Field(str)
    use_inbound_webhook_on_number = Field(bool)


class MessagingPhoneNumber(Resource):
    """A number in a Messaging Service."""

    __slots__ = ()
    phone_number = Field(str)


class Session(Resource):
    """Who is connected to whom, under which numbers, and since when."""

    __slots__ = ()
    NAMED_BY = "unique_name"
    service_sid = Field(str)
    unique_name = Field(str)
    status = Field(str)
    ttl = Field(int)
    date_created = Field(str)
    date_last_interaction = Field(str)
    date_expiry = Field(str)
    date_ended = Field(str)

    @property
    def is_active(self) -> bool:
        """Whether it holds its numbers: it is open or in progress."""
        return self.status in ACTIVE


class Participant(Resource):
    """Somebody in a Session. ``proxy_identifier``: the number that this participant dials and sees."""

    __slots__ = ()
    identifier = Field(str)
    proxy_identifier = Field(str)
    proxy_identifier_sid = Field(str)
    date_deleted = Field(str)
