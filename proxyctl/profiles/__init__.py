"""Profiles: the config file, which credentials win, and secrets. Nothing else reads or writes the config."""

from __future__ import annotations

from proxyctl.profiles.profile import MASK, SANDBOX, Profile, sandbox_profile
from proxyctl.profiles.resolve import environment_profile, named_profile, resolve_profile
from proxyctl.profiles.store import ProfileStore

__all__ = [
    "MASK",
    "SANDBOX",
    "Profile",
    "ProfileStore",
    "environment_profile",
    "named_profile",
    "resolve_profile",
    "sandbox_profile",
]
