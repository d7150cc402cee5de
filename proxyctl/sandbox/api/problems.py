"""Twilio's refusals as the sandbox gives them: code, HTTP status, words, and their exception."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

# code: (HTTP status, message)
_TABLE: dict[int, tuple[int, str]] = {
    20001: (400, "A parameter is invalid"),
    20003: (401, "Authenticate"),
    20004: (405, "Method not allowed"),
    20007: (400, "Page size too large: the maximum is 1000"),
    20403: (403, "Forbidden"),
    20404: (404, "The requested resource was not found"),
    20429: (429, "Too many concurrent requests"),
    20500: (500, "An internal server error has occurred"),
    20503: (503, "Service unavailable"),
    20504: (504, "Gateway timeout"),
    21402: (400, "The URL is not valid"),
    21403: (400, "The HTTP method is not valid: GET or POST"),
    21710: (409, "Phone Number is already in this Messaging Service"),
    21712: (409, "Phone Number is associated with another Messaging Service"),
    21714: (400, "The Messaging Service has reached its maximum of senders"),
    21715: (400, "Phone Number lacks the SMS capability that a Messaging Service requires"),
    70002: (400, "The page can't be found: the page token is missing, damaged or of another list"),
    80101: (400, "PhoneNumber has already been added to another Service"),
    80104: (400, "PhoneNumber has already been added to Service"),
    80301: (400, "Phone Number is not associated with your Account"),
    80406: (400, "Invalid Phone Number Did"),
    80407: (400, "Invalid Phone Number Sid"),
    80408: (400, "Invalid Service Sid"),
    80409: (400, "Invalid Session Sid"),
    80601: (400, "PhoneNumber is not available. It may be bound to a number pool"),
    80602: (400, "Service UniqueName must be unique"),
    80611: (400, "Proxy Number is in active Sessions and can't be removed"),
    80621: (429, "Too many requests to this endpoint of the Service"),
    80622: (400, "The Service has reached its maximum pool size"),
    80701: (400, "A parameter is invalid"),
}

_MESSAGE_LIMIT = 400


class ApiError(Exception):
    """A refusal in Twilio's shape. ``headers`` are added to the answer's own."""

    def __init__(
        self,
        code: int,
        message: str | None = None,
        *,
        status: int | None = None,
        headers: Iterable[tuple[str, str]] = (),
    ) -> None:
        known_status, known_message = _TABLE.get(code, (400, "The request was refused"))
        self.code = code
        self.status = status or known_status
        self.message = (message or known_message)[:_MESSAGE_LIMIT]
        self.headers = tuple(headers)
        super().__init__(f"{self.status} / {self.code}: {self.message}")

    def body(self) -> dict[str, Any]:
        """The answer's JSON object."""
        return {
            "code": self.code,
            "message": self.message,
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }


def invalid(parameter: str, reason: str) -> ApiError:
    """80701: Proxy can't accept the value of ``parameter``."""
    return ApiError(80701, f"'{parameter}' is invalid. {reason}")


def not_found(path: str) -> ApiError:
    """20404 for ``path``, which is shown as it was sent."""
    return ApiError(20404, f"The requested resource {path} was not found")
