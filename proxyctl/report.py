"""How an error is told: one short paragraph for people, or one JSON object for programs."""

from __future__ import annotations

import json
from typing import Any

from proxyctl.errors import ProxyctlError, exit_status


def error_object(error: ProxyctlError) -> dict[str, Any]:
    """Return the JSON form: ``{"error": {kind, message, hint, status, code, more_info, request_id, exit_code}}``."""
    problem = error.problem
    return {
        "error": {
            "kind": error.kind,
            "message": error.message,
            "hint": error.hint,
            "status": problem.status if problem else None,
            "code": problem.code if problem else None,
            "more_info": problem.more_info if problem else None,
            "request_id": problem.request_id if problem else None,
            "exit_code": exit_status(error),
        }
    }


def error_json(error: ProxyctlError) -> str:
    """Return the JSON form on one line."""
    return json.dumps(error_object(error))


def error_text(error: ProxyctlError) -> str:
    """Return the paragraph: what failed and why, what to type next, the request id."""
    lines = [f"proxyctl: {error.message}"]
    if error.hint:
        lines.extend(f"  {line}" for line in error.hint.splitlines())
    if error.problem and error.problem.request_id:
        lines.append(f"  Request id: {error.problem.request_id}")
    return "\n".join(lines)
