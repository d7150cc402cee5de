"""Where proxyctl keeps its files; the only place that asks the environment or platformdirs for a path."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from proxyctl.errors import ConfigError


class Paths:
    """The files and directories of one process, each worked out on first use; nothing is created here.

    ``PROXYCTL_CONFIG`` and ``PROXYCTL_STATE_DIR`` are taken from the environment handed in. Everything else
    comes from platformdirs, which reads ``HOME`` and ``XDG_*`` from the process's own environment. Without a
    home directory a property raises ConfigError, and only when it is used.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    @cached_property
    def config_file(self) -> Path:
        """The config file, which need not exist."""
        return self._named("PROXYCTL_CONFIG") or self._standard("config", "PROXYCTL_CONFIG") / "config.toml"

    @cached_property
    def state_dir(self) -> Path:
        """Where history and locks live."""
        return self._named("PROXYCTL_STATE_DIR") or self._standard("state", "PROXYCTL_STATE_DIR")

    @cached_property
    def data_dir(self) -> Path:
        """Where the sandbox's database lives."""
        return self._named("PROXYCTL_STATE_DIR") or self._standard("data", "PROXYCTL_STATE_DIR")

    @cached_property
    def cache_dir(self) -> Path:
        """Where completion caches live; losing it loses nothing."""
        return self._standard("cache", "XDG_CACHE_HOME")

    def _named(self, variable: str) -> Path | None:
        value = self._environ.get(variable)
        return Path(value).absolute() if value else None

    @staticmethod
    def _standard(kind: str, variable: str) -> Path:
        from platformdirs import PlatformDirs

        directories = PlatformDirs("proxyctl", appauthor=False)
        try:
            path = Path(getattr(directories, f"user_{kind}_dir"))
        except RuntimeError:
            path = Path("~")
        # Without HOME and without an entry in the password database, older versions of platformdirs leave
        # the "~" in place, and newer ones raise.
        if not path.is_absolute():
            raise ConfigError(
                f"there is no home directory, so no place for proxyctl's {kind} files.",
                hint=f"Set HOME, or {variable}.",
            )
        return path
