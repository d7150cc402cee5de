"""Sessions, their parts and ShortCodes: there are none here, which the sandbox says in Twilio's shape."""

from __future__ import annotations

from proxyctl.sandbox.api.paging import empty_list
from proxyctl.sandbox.api.problems import ApiError, not_found
from proxyctl.sandbox.api.services import require_service
from proxyctl.sandbox.context import Context, Reply


def list_sessions(context: Context) -> Reply:
    """GET /v1/Services/{ServiceSid}/Sessions: always empty, even where a number was made busy."""
    service = require_service(context, context.names["ServiceSid"])
    return empty_list(context, "sessions", f"/v1/Services/{service['sid']}/Sessions")


def list_short_codes(context: Context) -> Reply:
    """GET /v1/Services/{ServiceSid}/ShortCodes: always empty."""
    service = require_service(context, context.names["ServiceSid"])
    return empty_list(context, "short_codes", f"/v1/Services/{service['sid']}/ShortCodes")


def no_session(context: Context) -> Reply:
    """Anything about one Session: there is none."""
    require_service(context, context.names["ServiceSid"])
    raise context.missing(80409)


def no_short_code(context: Context) -> Reply:
    """Anything about one ShortCode: there is none."""
    require_service(context, context.names["ServiceSid"])
    raise not_found(context.path)


def not_emulated(context: Context) -> Reply:
    """What Twilio can do and the sandbox can't."""
    if "ServiceSid" in context.names:
        require_service(context, context.names["ServiceSid"])
    guesses = context.rules.guesses
    raise ApiError(
        guesses.not_emulated,
        f"The sandbox does not emulate this: POST {context.path}",
        status=guesses.not_emulated_status,
    )
