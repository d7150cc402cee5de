"""Profiles: the config file, which credentials win, and secrets. Nothing else reads or writes the config."""

from __future__ import annotations

from proxyctl.profiles.profile import (
    MASK,
    SANDBOX,
    SANDBOX_ACCOUNT_SID,
    SANDBOX_AUTH_TOKEN,
    Profile,
    masked_sid,
    sandbox_profile,
)
from proxyctl.profiles.resolve import resolve_profile
from proxyctl.profiles.secret import Secret
from proxyctl.profiles.store import ProfileStore

__all__ = [
    "MASK",
    "SANDBOX",
    "SANDBOX_ACCOUNT_SID",
    "SANDBOX_AUTH_TOKEN",
    "Profile",
    "ProfileStore",
    "Secret",
    "masked_sid",
    "resolve_profile",
    "sandbox_profile",
]
