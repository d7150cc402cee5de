"""The program's own files, as tests of its texts and of its layers read them."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from tests.support import REPOSITORY

PACKAGE = REPOSITORY / "proxyctl"
MODULES = sorted(PACKAGE.rglob("*.py"))
SOURCES = sorted([*MODULES, *PACKAGE.rglob("*.toml"), *PACKAGE.rglob("*.txt")])


@cache
def nodes(path: Path) -> list[ast.AST]:
    """All nodes of a module, the module first."""
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
