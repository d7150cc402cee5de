"""The layers and house rules that no linter knows, read from the sources themselves: the table here is the rule."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.sources import MODULES, PACKAGE, nodes
from tests.support import REPOSITORY

MOST_LINES = 350
MOST_FILES = 16  # in a folder

# Modules that anybody may import, since they import nothing of ours but errors.
ROOTS = {
    "__version__",
    "clock",
    "errors",
    "console",
    "files",
    "identifiers",
    "named_files",
    "roles",
    "text",
    "toml_files",
}

# What each part may import besides: commands -> runtime -> the rest, and never back.
ALLOWED: dict[str, set[str]] = {
    "__init__": set(),
    **{name: set() for name in ROOTS - {"__version__"}},
    "api": set(),
    "bulk": set(),
    "input": set(),
    "state": set(),
    "sandbox": set(),
    "render": set(),
    "explaining": set(),
    "writes": {"api", "bulk", "input"},
    "pools": {"api", "bulk", "input", "state", "writes"},
    "sessions": {"api", "bulk", "input", "state", "writes"},
    "profiles": {"sandbox.context"},  # the sandbox's credentials, which are public
    "runtime": {
        *("api", "bulk", "completion", "input", "pools", "profiles", "render", "sandbox", "state"),
        "writes",
    },
    "completion": {"runtime", "writes"},
    "doctor": {"api", "explaining", "profiles", "render", "runtime"},
    "commands": {
        *("api", "bulk", "completion", "doctor", "explaining", "help", "pools", "profiles", "render"),
        *("input", "runtime", "sandbox", "sessions", "state", "writes", "cli"),
    },
    "cli": {"commands", "explaining", "runtime", "state"},
    # the sandbox's guesses stand in the help
    "help": {"commands", "explaining", "pools", "render", "sandbox.guesses", "writes"},
    "__main__": {"cli", "commands"},
}

# Libraries with one home each.
HOMES = {
    "rich": ("render/", "roles.py"),
    "httpx": ("api/", "runtime/access.py"),
    "sqlite3": ("sandbox/",),
    "phonenumbers": ("identifiers.py", "sandbox/world/selection.py"),
    "platformdirs": ("files.py",),
    "typer": ("cli.py", "commands/", "help/"),
}

HEAVY = ("httpx", "rich", "sqlite3", "phonenumbers", "asyncio", "concurrent.futures")

TOP = {
    *(".ci", ".gitignore", "CHANGELOG.md", "CONTRIBUTING.md", "README.md", "completions", "man", "proxyctl"),
    *("pyproject.toml", "tests"),
}


def place(path: Path) -> str:
    """A module's path within the package, with slashes."""
    return path.relative_to(PACKAGE).as_posix()


def part(path: Path) -> str:
    """The part that a module belongs to: its package, or itself at the root."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


@cache
def imports(path: Path) -> list[str]:
    """All modules that ``path`` imports, at the top, in functions and for type checking alike."""
    found: list[str] = []
    for node in nodes(path):
        if isinstance(node, ast.Import):
            found += (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, f"{path}: imports are absolute"
            found += (f"{node.module}.{alias.name}" for alias in node.names)
    return found


def imports_at_run_time(path: Path) -> Iterator[str]:
    """The modules of ours that ``path`` imports, but for those that only a type checker reads."""
    unread = {
        id(node)
        for guard in nodes(path)
        if isinstance(guard, ast.If) and "TYPE_CHECKING" in ast.unparse(guard.test)
        for node in ast.walk(guard)
    }
    for node in nodes(path):
        if isinstance(node, ast.ImportFrom) and id(node) not in unread:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_the_layers_hold() -> None:
    broken = []
    for path in MODULES:
        allowed = ALLOWED[part(path)] | ROOTS | {part(path)}
        for name in imports(path):
            head, _, inner = name.partition(".")
            if head == "proxyctl" and not any(f"{inner}.".startswith(f"{one}.") for one in allowed):
                broken.append(f"{place(path)} imports {name}")
    assert broken == []


def test_no_module_imports_one_that_imports_it() -> None:
    """Not even inside a function, and not by way of others."""
    names = {
        ".".join(("proxyctl", *path.relative_to(PACKAGE).with_suffix("").parts)): path for path in MODULES
    }
    names = {name.removesuffix(".__init__"): path for name, path in names.items()}
    wanted = {
        name: {
            owner
            for target in imports_at_run_time(path)
            if (owner := target if target in names else target.rpartition(".")[0]) in names and owner != name
        }
        for name, path in names.items()
    }
    while ends := {name for name, targets in wanted.items() if not targets & wanted.keys()}:
        wanted = {name: targets for name, targets in wanted.items() if name not in ends}
    assert sorted(wanted) == []


def test_only_the_demo_runs_the_program_from_within() -> None:
    found = {place(path) for path in MODULES for name in imports(path) if name.startswith("proxyctl.cli")}
    assert {name for name in found if name.startswith("commands/")} == {"commands/sandbox/demo.py"}


def test_only_what_serves_the_sandbox_imports_its_server() -> None:
    found = {place(path) for path in MODULES for name in imports(path) if "proxyctl.sandbox.server" in name}
    serving = {"commands/sandbox/serving.py", "sandbox/api/control.py"}
    assert {name for name in found if not name.startswith("sandbox/server/")} == serving


def test_the_table_names_what_there_is() -> None:
    assert {part(path) for path in MODULES} == set(ALLOWED)


def test_libraries_stay_at_home() -> None:
    broken = [
        f"{place(path)} imports {name}"
        for path in MODULES
        for name in imports(path)
        if (library := name.partition(".")[0]) in HOMES and not place(path).startswith(HOMES[library])
    ]
    assert broken == []


def test_one_module_imports_private_names_of_typer() -> None:
    private = ("typer.core", "typer.main", "typer.completion", "typer._")
    found = {place(path) for path in MODULES for name in imports(path) if name.startswith(private)}
    assert found == {"commands/tree.py"}


def test_nothing_is_printed_past_the_output() -> None:
    for path in MODULES:
        for node in nodes(path):
            called = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else None
            assert called != "print", f"{place(path)}:{getattr(node, 'lineno', 0)} prints"


def test_modules_are_short_and_say_what_they_are() -> None:
    lines = {place(path): path.read_text(encoding="utf-8").count("\n") for path in MODULES}
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}
    assert [place(path) for path in MODULES if not ast.get_docstring(nodes(path)[0])] == []
    tests = {
        path.name: path.read_text(encoding="utf-8").count("\n") for path in REPOSITORY.glob("tests/**/*.py")
    }
    assert {name: count for name, count in tests.items() if count > MOST_LINES} == {}


def test_no_folder_is_a_heap() -> None:
    folders = Counter(str(path.parent.relative_to(PACKAGE)) for path in MODULES)
    assert {name: count for name, count in folders.items() if count > MOST_FILES} == {}


def test_commands_import_nothing_heavy() -> None:
    """In one process, one module after the other: the first to bring something in is named."""
    modules = [
        "proxyctl.cli",
        *(
            f"proxyctl.{place(path).removesuffix('.py').replace('/', '.')}"
            for path in MODULES
            if part(path) == "commands"
        ),
    ]
    script = (
        "import importlib, sys\n"
        f"for module in {modules}:\n"
        "    importlib.import_module(module)\n"
        f"    found = [name for name in {HEAVY} if name in sys.modules]\n"
        "    if found:\n"
        "        sys.exit(f'{module} imports {found}')\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=REPOSITORY
    )
    assert (ran.returncode, ran.stderr) == (0, "")


def test_the_top_of_the_repository_is_tidy() -> None:
    if (REPOSITORY / ".git").exists():
        listed = subprocess.run(
            ["git", "ls-files"], capture_output=True, text=True, check=True, cwd=REPOSITORY
        ).stdout
        names = {line.partition("/")[0] for line in listed.splitlines()}
    else:  # unpacked from an archive
        names = {path.name for path in REPOSITORY.iterdir() if not path.name.startswith(".")} - {"PKG-INFO"}
    assert names <= TOP


def test_colours_have_one_home() -> None:
    """Names of colours, and their numbers, stand where the roles are."""
    names = {"black", "red", "green", "yellow", "blue", "magenta", "cyan", "white", "bold", "dim", "italic"}
    for path in MODULES:
        if path.name == "roles.py":
            continue
        for node in nodes(path):
            text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
            assert not set(text.removeprefix("bright_").split()) & names, f"{path}: {text}"
            assert not re.search("\x1b\\[[0-9;]*m", text), f"{path}: {text}"
