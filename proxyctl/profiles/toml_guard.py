"""The config file as TOML: what `toml_files` finds wrong becomes an error that names the file and what to mend."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from proxyctl.errors import ConfigError
from proxyctl.visible import visible

LARGEST_FILE = 256 * 1024
LONGEST_LINE = 4096


def parse_toml(data: bytes, path: Path) -> tuple[dict[str, Any], str]:
    """Return the document and its text; ConfigError with file and line for anything that isn't sane TOML."""
    from proxyctl import toml_files  # most commands run on the environment's credentials, and read no config

    try:
        return toml_files.parse_toml(data, toml_files.Bounds(line=LONGEST_LINE))
    except toml_files.TomlFlaw as flaw:
        raise at_line(path, flaw.line, visible(flaw.what)) from None


def at_line(path: Path, line: int, what: str) -> ConfigError:
    """Return the error that names the place, as editors and compilers do."""
    return ConfigError(f"{path}:{line}: {what}.", hint=f"Mend line {line} of the config file.")


def line_of(text: str, *parts: str) -> int:
    """Return the line where the key ``parts`` is set, or else its table opens; 1 where neither is."""
    from proxyctl.toml_files import Places

    return Places(text).line(*parts)
