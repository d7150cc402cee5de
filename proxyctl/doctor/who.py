"""Which credentials win, and whether there is a secret to them; it is fetched, and never shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxyctl.doctor.findings import Finding, bad, good
from proxyctl.errors import ProxyctlError

if TYPE_CHECKING:
    from proxyctl.profiles import Profile
    from proxyctl.runtime import Runtime

VARIABLES = ("TWILIO_ACCOUNT_SID", "TWILIO_API_KEY", "TWILIO_API_SECRET", "TWILIO_AUTH_TOKEN")


def credentials(runtime: Runtime) -> tuple[Profile | None, Finding]:
    """Return the profile that commands use here, None where there is none, and the finding about it."""
    try:
        profile = runtime.profile
        if not profile.is_sandbox:
            runtime.console.redactor.add(profile.secret())
    except ProxyctlError as error:
        return None, bad("credentials", error)
    return profile, good("credentials", told(profile) + passed_over(runtime, profile))


def told(profile: Profile) -> str:
    """Return who signs in and what chose it; of the secret, only that it is there."""
    from proxyctl.profiles import MASK

    if profile.is_sandbox:
        return f"the embedded sandbox ({profile.source}); it needs none"
    if profile.name == profile.source:
        chosen = f"from the {profile.name}"
    else:
        chosen = f"profile {profile.name!r} ({profile.source})"
    what = f"API key {profile.username}" if profile.uses_api_key else "the auth token"
    return f"{chosen}: account {profile.account_sid}, with {what}, secret {MASK}"


def passed_over(runtime: Runtime, profile: Profile) -> str:
    """Return what to know where TWILIO_* variables are set and something else wins."""
    if profile.name == profile.source or not any(runtime.environ.get(name) for name in VARIABLES):
        return ""
    return "; the TWILIO_ variables of the environment are passed over"
