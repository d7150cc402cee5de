"""HTTP's statuses as the API uses them, and proxyctl's own exit codes."""

from __future__ import annotations

from proxyctl.errors import EXIT_CODE_MEANINGS, ExitCode
from proxyctl.explaining.explanation import Explanation

_AGAIN = "Run the same command again: it looks first, and does only what is missing."


def _status(
    code: int,
    title: str,
    meaning: str,
    causes: tuple[str, ...],
    next: tuple[str, ...],  # noqa: A002
    exit_code: ExitCode,
) -> Explanation:
    return Explanation(code, f"HTTP status: {title}", meaning, causes, next, None, exit_code)


STATUSES: tuple[Explanation, ...] = (
    _status(
        400,
        "bad request",
        "The API refused the request; the code in its answer says why.",
        ("A value is not acceptable, a limit is reached, or the state does not allow it.",),
        ("'proxyctl explain CODE' with the code that the error shows.",),
        ExitCode.REFUSED,
    ),
    _status(
        401,
        "not signed in",
        "The credentials are missing or not accepted.",
        ("The secret is wrong, rotated or revoked; the key is of another region or account.",),
        ("'proxyctl auth status' shows whose credentials are used; 'proxyctl auth login' replaces them.",),
        ExitCode.AUTHENTICATION,
    ),
    _status(
        403,
        "not allowed",
        "The credentials are valid, but do not allow this.",
        ("A restricted API key, test credentials, or another account's resource.",),
        ("'proxyctl auth status' shows what is used; 'proxyctl auth login' saves a key that may do more.",),
        ExitCode.AUTHENTICATION,
    ),
    _status(
        404,
        "not found",
        "Nothing is at the path that was asked for.",
        ("The Service or number was deleted, is another account's, or is mistyped.",),
        ("'proxyctl service list' shows the Services, 'proxyctl number find NUMBER' where a number is.",),
        ExitCode.NOT_FOUND,
    ),
    _status(
        409,
        "conflict",
        "The request contradicts what is there now.",
        ("Somebody else changes the same at the same time.",),
        ("Look what is there, 'proxyctl service show SERVICE', and run the same command again.",),
        ExitCode.REFUSED,
    ),
    _status(
        422,
        "not acceptable",
        "The API understood the request and refused its values.",
        ("A field is missing or of the wrong form.",),
        ("'proxyctl explain CODE' with the code that the error shows.",),
        ExitCode.REFUSED,
    ),
    _status(
        429,
        "too many requests",
        "The API turned the request away, and carried nothing out.",
        (
            "More than 30 requests a second for one endpoint of a Service (80621).",
            "More requests under way than the account may have (20429).",
        ),
        ("Run the same command again later, with a lower '--rate' or '--concurrency'.",),
        ExitCode.TEMPORARY,
    ),
    _status(
        500,
        "the server failed",
        "The server failed; what was asked may have been carried out all the same.",
        ("A disturbance at Twilio, which passes as a rule.",),
        (_AGAIN,),
        ExitCode.TEMPORARY,
    ),
    _status(
        502,
        "bad gateway",
        "A server on the way got no good answer; what was asked may have been carried out.",
        ("A disturbance at Twilio, or a proxy between.",),
        (_AGAIN, "'proxyctl doctor' checks the way to Twilio."),
        ExitCode.TEMPORARY,
    ),
    _status(
        503,
        "not available",
        "The server is out of service or overloaded for the moment.",
        ("A disturbance at Twilio, or a proxy between.",),
        (_AGAIN, "'proxyctl doctor' checks the way to Twilio."),
        ExitCode.TEMPORARY,
    ),
    _status(
        504,
        "no answer in time",
        "A server on the way waited in vain; what was asked may have been carried out.",
        ("A disturbance at Twilio, or a proxy between.",),
        (_AGAIN, "'proxyctl doctor' checks the way to Twilio."),
        ExitCode.TEMPORARY,
    ),
)

_NEXT: dict[ExitCode, str] = {
    ExitCode.DONE: "Nothing is left to do.",
    ExitCode.DEFECT: "Read the error; 'PROXYCTL_DEBUG=1' before the command shows where a defect is.",
    ExitCode.USAGE: "Read the error; -h after the command shows what it takes, as in 'proxyctl number add -h'.",
    ExitCode.AUTHENTICATION: "'proxyctl auth status' shows whose credentials are used and whether they work.",
    ExitCode.NOT_FOUND: "'proxyctl service list' shows the Services, 'proxyctl number find NUMBER' a number's.",
    ExitCode.REFUSED: "'proxyctl explain CODE' with Twilio's code, which the error shows.",
    ExitCode.PARTIAL: "Read the failures; run the same command again once they are mended: it does what is missing.",
    ExitCode.TEMPORARY: "Run the same command again later; 'proxyctl doctor' checks the way to Twilio.",
    ExitCode.CHECK: "Read what the check found on stdout.",
    ExitCode.SIGHUP: "Run the same command again to continue.",
    ExitCode.SIGINT: "Run the same command again to continue.",
    ExitCode.SIGTERM: "Run the same command again to continue.",
}


def _exit_code(code: ExitCode) -> Explanation:
    """Return the entry of an exit code: what is known of it is stated once, beside the error classes."""
    meaning = EXIT_CODE_MEANINGS[code]
    name = code.name.replace("_", " ").lower() if code < 100 else code.name
    return Explanation(
        int(code),
        f"Exit code of proxyctl: {name}",
        f"{meaning[0].upper()}{meaning[1:]}.",
        (),
        (_NEXT[code],),
        None,
        int(code),
    )


ENTRIES: tuple[Explanation, ...] = (*STATUSES, *(_exit_code(code) for code in ExitCode))
