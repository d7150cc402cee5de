"""The config file as TOML: what `toml_files` finds wrong becomes an error that names the file and what to mend."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from proxyctl.errors import ConfigError
from proxyctl.toml_files import Bounds, Places, TomlFlaw
from proxyctl.toml_files import parse_toml as parse
from proxyctl.visible import visible

LARGEST_FILE = 256 * 1024
LONGEST_LINE = 4096


def parse_toml(data: bytes, path: Path) -> tuple[dict[str, Any], str]:
    """Return the document and its text; ConfigError with file and line for anything that isn't sane TOML."""
    try:
        return parse(data, Bounds(line=LONGEST_LINE))
    except TomlFlaw as flaw:
        raise at_line(path, flaw.line, visible(flaw.what)) from None


def at_line(path: Path, line: int, what: str) -> ConfigError:
    """Return the error that names the place, as editors and compilers do."""
    return ConfigError(f"{path}:{line}: {what}.", hint=f"Mend line {line} of the config file.")


def line_of(text: str, *parts: str) -> int:
    """Return the line where the key ``parts`` is set, or else its table opens; 1 where neither is."""
    return Places(text).line(*parts)
