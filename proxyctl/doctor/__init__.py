"""What `proxyctl doctor` checks, and what a check finds: ok, a warning, or fail. A check changes nothing; its
CheckResult says what is wrong and what to type.
"""

from __future__ import annotations

from dataclasses import dataclass

from proxyctl.errors import ProxyctlError

OK, WARNING, FAIL = "ok", "warning", "fail"


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


def ok(check: str, detail: str) -> CheckResult:
    """Return the finding that all is well."""
    return CheckResult(check, OK, detail)


def warning(check: str, detail: str, hint: str | None) -> CheckResult:
    """Return a finding that does not keep commands from working."""
    return CheckResult(check, WARNING, detail, hint)


def fail(check: str, error: ProxyctlError) -> CheckResult:
    """Return the finding that commands fail, and how: ``error`` says it, and its class the exit code."""
    return CheckResult(check, FAIL, error.message, error.hint, error)
