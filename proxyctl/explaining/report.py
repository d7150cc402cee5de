"""How an error is told: one short paragraph for people, or one JSON object for programs."""

from __future__ import annotations

import json
from typing import Any

from proxyctl.errors import Problem, ProxyctlError, exit_status
from proxyctl.explaining import hint_for, twilio_code


def error_object(error: ProxyctlError) -> dict[str, Any]:
    """Return the JSON form: ``{"error": {kind, message, hint, status, code, more_info, request_id, exit_code}}``."""
    problem = error.problem
    return {
        "error": {
            "kind": error.kind,
            "message": error.message,
            "hint": hint_for(error),
            "status": problem.status if problem else None,
            "code": problem.code if problem else None,
            "more_info": more_info(problem),
            "request_id": problem.request_id if problem else None,
            "exit_code": exit_status(error),
        }
    }


def error_json(error: ProxyctlError) -> str:
    """Return the JSON form on one line."""
    return json.dumps(error_object(error))


def error_text(error: ProxyctlError) -> str:
    """Return the paragraph: what failed and why, what to type next, where to read more, the request id."""
    lines = [f"proxyctl: {ended(error.message)}"]
    lines.extend(f"  {sentence(line)}" for line in (hint_for(error) or "").splitlines())
    link = more_info(error.problem)
    if link:
        lines.append(f"  More: {link}")
    if error.problem and error.problem.request_id:
        lines.append(f"  Request id: {error.problem.request_id}")
    return "\n".join(lines)


def sentence(text: str) -> str:
    """Return a hint as a sentence: a capital at the start (of a word, not of a command), a full stop at the end."""
    first = text.partition(" ")[0]
    return ended(text[:1].upper() + text[1:] if first.isalpha() and first != "proxyctl" else text)


def ended(text: str) -> str:
    """Return ``text`` with a full stop where it ends in none; a command at its end is left as it can be typed."""
    typed = text.endswith("`") or text.rpartition(": ")[2].startswith(("proxyctl", "chmod", "sudo", "export"))
    return text if typed or not text or text[-1] in ".!?:…" or "\n" in text else text + "."


def more_info(problem: Problem | None) -> str | None:
    """Return the page about a problem: the one that the answer names, else that of Twilio's dictionary."""
    if problem is None:
        return None
    found = twilio_code(problem.code)
    return problem.more_info or (found.more_info if found else None)
