"""The words of the program: no banned ones anywhere. In what users read, no semicolons and no long sentences."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tests.sources import SOURCES, nodes
from tests.support import REPOSITORY

BANNED = re.compile(
    r"(?i)\b(mend(s|ed|ing)?|tells?|told|telling|looks?|looked|looking|settle[sd]?|blindly|of yours|by itself"
    r"|by themselves|way back|ends? with (an? )?(exit |code |\d)|wins?|won|captive|stray|travellers?|a defect"
    r"|go(es)? wrong)\b"
)
WORDS = 20  # of a sentence
TEXTS = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")
FILES = [*SOURCES, *(REPOSITORY / name for name in TEXTS)]
# SQL, signs, and what HTTP and terminals read, are no sentences.
NO_SENTENCE = re.compile(
    r"(?i)^\s*(CREATE|SELECT|INSERT|UPDATE|DELETE|PRAGMA|BEGIN|WITH)\b|charset=|^\x1b|[{}]$|^[\d\W]+$"
)


def name_of(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


def user_texts(path: Path) -> Iterator[str]:
    """Yield what a user may read of a file: values of texts, and docstrings of commands."""
    if path.suffix == ".toml":
        for entry in tomllib.loads(path.read_text()).values():
            for value in entry.values():
                yield from [value] if isinstance(value, str) else value if isinstance(value, list) else ()
        return
    if path.suffix in (".txt", ".md"):
        text = re.sub(r"(?ms)^```.*?^```|^    .*?$|\{[a-z-]+\}|^\|.*?$|^#.*?$|<[^>]*>", "", path.read_text())
        yield from (" ".join(part.split()) for part in re.split(r"\n\n|\n(?=: |- |\d\. |    )", text))
        return
    code = [node for node in nodes(path) if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))]
    docstrings = {
        id(node.body[0].value)
        for node in code
        if isinstance(node.body[0], ast.Expr)
        and not (path.name == "declare.py" and isinstance(node, ast.FunctionDef))
    }
    joined = [node for node in nodes(path) if isinstance(node, ast.JoinedStr)]
    inner = {id(part) for node in joined for part in ast.walk(node)} - {id(node) for node in joined}
    for node in nodes(path):
        if isinstance(node, ast.JoinedStr) and id(node) not in inner:
            yield "".join(str(one.value) if isinstance(one, ast.Constant) else "VALUE" for one in node.values)
        elif (
            isinstance(node, ast.Constant)
            and id(node) not in docstrings | inner
            and isinstance(node.value, str)
        ):
            yield node.value


def sentences(text: str) -> Iterator[str]:
    """Yield the sentences of a text; a quoted command is a word."""
    text = re.sub(r"'[^'\n]* [^'\n]*'|`[^`]*`|\([^)]*\)", "X", text)
    text = re.sub(r"(?m)^ +(proxyctl|\$) .*|^ *--.*", "", text)
    yield from re.split(r"(?<=[.!?:])\s+|\n", text)


def banned_in(path: Path) -> list[str]:
    text = re.sub(r"`[^`\n]+`", "X", path.read_text()) if path.suffix == ".md" else path.read_text()
    return [found[0] for found in BANNED.finditer(text)]


def semicolons_in(path: Path) -> list[str]:
    return [text for text in user_texts(path) if re.search(r";\s|;$", text) and not NO_SENTENCE.search(text)]


def long_in(path: Path) -> list[str]:
    return [
        sentence
        for text in user_texts(path)
        if not NO_SENTENCE.search(text)
        for sentence in sentences(text)
        if len(sentence.split()) > WORDS
    ]


def test_texts_are_plain() -> None:
    found = {name_of(path): (banned_in(path), semicolons_in(path), long_in(path)) for path in FILES}
    assert {name: what for name, what in found.items() if any(what)} == {}
