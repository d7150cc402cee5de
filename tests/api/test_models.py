"""Resources around what the server said, whatever that is."""

from __future__ import annotations

from typing import Any

import pytest

from proxyctl.api.models import IncomingNumber, MessagingService, PhoneNumber, Service
from proxyctl.errors import AnswerError


@pytest.mark.parametrize("raw", [None, [], "x", {}, {"sid": None}, {"sid": 5}, {"sid": ""}])
@pytest.mark.parametrize("kind", [Service, PhoneNumber, IncomingNumber, MessagingService])
def test_what_is_no_resource(kind: type[Service], raw: Any) -> None:
    with pytest.raises(AnswerError):
        kind(raw)


def test_fields_that_are_missing_or_of_another_type_are_none() -> None:
    bare, odd = (
        PhoneNumber({"sid": "12345"}),
        PhoneNumber({"sid": "x", "in_use": True, "is_reserved": 1, "capabilities": []}),
    )
    for number in (bare, odd):
        assert (number.in_use, number.is_reserved, number.capabilities, number.phone_number) == (
            None,
            None,
            {},
            None,
        )
    mixed = PhoneNumber(
        {"sid": "x", "capabilities": {"fax_inbound": False, "new": True, "odd": "yes"}, "in_use": 0}
    )
    assert (mixed.capabilities, mixed.in_use) == ({"fax_inbound": False, "new": True}, 0)
