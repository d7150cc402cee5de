"""What the API's refusals mean for a number and its pool, in words, with what to type next: a table, no requests."""

from __future__ import annotations

from proxyctl.errors import NotFoundError, RefusedError
from proxyctl.pools.changes import Change, Kind

ALREADY_IN_THE_POOL = 80104
POOL_FULL = 80622
SPREAD = "Numbers can be spread over several Services; 'proxyctl number list --idle' shows what is unused."

_HELD = "another Service's pool has it"
_MEANINGS = {
    80101: _HELD,
    ALREADY_IN_THE_POOL: _HELD,  # of another, where this one's pool does not show it
    80301: "the account does not own it",
    80601: "another Service's pool or a Messaging Service has it",
    80611: "it is in use by open Sessions",
    POOL_FULL: "pool full",
}


def refusal(change: Change, error: RefusedError) -> RefusedError:
    """Return ``error`` as one about the number of ``change``: what could not be done, why, what to type next."""
    problem = error.problem
    if problem is None:
        return error
    said = f"{problem.status}, code {problem.code}" if problem.code else str(problem.status)
    said = f"({said}: {problem.message})" if problem.message else f"({said})"
    meaning = _MEANINGS.get(problem.code or 0, "the API refused")
    if problem.code == POOL_FULL:
        return RefusedError(f"{meaning} {said}", hint=SPREAD, problem=problem)
    name = change.item.input
    return RefusedError(
        f"{name} can't be {change.kind.done}: {meaning} {said}",
        hint=_hint(problem.code, name),
        problem=problem,
    )


def _hint(code: int | None, name: str) -> str | None:
    match code:
        case 80101 | 80104 | 80601:
            return f"'proxyctl number find {name}' says where it is."
        case 80301:
            return "'proxyctl auth status' shows which account this is."
        case 80611:
            return f"'proxyctl number drain SERVICE {name}' waits until it is idle."
    return None


def left_meanwhile(change: Change, error: NotFoundError) -> NotFoundError:
    """The error for a number that was in the pool at the look, and is not there any more."""
    hint = "Somebody else removed it meanwhile; look with 'proxyctl number list'."
    if change.kind is Kind.RESERVE:
        hint = "Somebody else removed it meanwhile; with --add it is put back as reserved."
    return NotFoundError(f"{change.item.input} is no longer in the pool.", hint=hint, problem=error.problem)


def service_left(service_sid: str, error: NotFoundError) -> NotFoundError:
    """The error for a Service that is gone, which a missing number looks like."""
    return NotFoundError(
        f"Service {service_sid} does not exist any more.",
        hint="Somebody deleted it meanwhile; 'proxyctl service list' shows those that are left.",
        problem=error.problem,
    )
