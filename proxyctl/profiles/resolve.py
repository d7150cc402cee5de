"""Which credentials win: the rules of precedence, and what to say where there are none."""

from __future__ import annotations

from collections.abc import Mapping

from proxyctl.profiles.profile import Profile
from proxyctl.profiles.store import ProfileStore


def resolve_profile(
    *, option: str | None, sandbox: bool, environ: Mapping[str, str], store: ProfileStore
) -> Profile:
    """Return the profile of a command: ``--profile``, PROXYCTL_PROFILE, the environment, then the config's default."""
    raise NotImplementedError
