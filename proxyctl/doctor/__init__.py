"""What `proxyctl doctor` checks, and what a check finds: good, a warning, or bad. A check changes nothing; its
CheckResult says what is wrong and what to type.
"""

from __future__ import annotations

from dataclasses import dataclass

from proxyctl.errors import ProxyctlError

GOOD, WARNING, BAD = "good", "warning", "bad"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """A row. ``hint`` is what to type; ``error``, where bad, is what a command would raise."""

    check: str
    state: str
    detail: str
    hint: str | None = None
    error: ProxyctlError | None = None

    def row(self) -> dict[str, str | None]:
        """Return what is printed."""
        return {"check": self.check, "state": self.state, "detail": self.detail, "hint": self.hint}


def good(check: str, detail: str) -> CheckResult:
    """Return the finding that all is well."""
    return CheckResult(check, GOOD, detail)


def warning(check: str, detail: str, hint: str | None) -> CheckResult:
    """Return a finding that does not keep commands from working."""
    return CheckResult(check, WARNING, detail, hint)


def bad(check: str, error: ProxyctlError) -> CheckResult:
    """Return the finding that commands fail, and how: ``error`` says it, and its class the exit code."""
    return CheckResult(check, BAD, error.message, error.hint, error)
