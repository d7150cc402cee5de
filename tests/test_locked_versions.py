"""The versions in `.ci/`, for `pip install --require-hashes`: what pyproject.toml wants, each with hashes, none with an
address. `.ci/lock` writes them anew.
"""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.support import REPOSITORY

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
RUN = PROJECT["dependencies"]
DEV = [each for extra in PROJECT["optional-dependencies"].values() for each in extra if "[test]" not in each]
WANTED = {"requirements.txt": RUN, "requirements-dev.txt": RUN + DEV}
LOCKED = re.compile(r"([a-z0-9-]+)==([\w.]+)( ; [^\\\n]+)?((?: \\\n {4}--hash=sha256:[0-9a-f]{64})+)\n")


def text_of(name: str) -> str:
    return (REPOSITORY / ".ci" / name).read_text()


def parts(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)]


def permits(requirement: str, version: str) -> bool:
    """Whether a version is within the bounds of a requirement."""
    for sign, bound in re.findall(r"(>=|==|<)([\d.]+)", requirement):
        found, limit = parts(version), parts(bound)
        if not {">=": found >= limit, "==": found == limit, "<": found < limit}[sign]:
            return False
    return True


@pytest.mark.parametrize("name", WANTED)
def test_each_line_is_a_version_with_its_hashes(name: str) -> None:
    assert LOCKED.sub("", text_of(name)) == "", "no option, address or version without hashes stands there"


@pytest.mark.parametrize("name", WANTED)
def test_the_project_permits_the_versions(name: str) -> None:
    everywhere = {found[1]: found[2] for found in LOCKED.finditer(text_of(name)) if not found[3]}
    for requirement in WANTED[name]:
        wanted = re.match(r"[\w-]+", requirement)
        assert wanted and permits(requirement, everywhere[wanted[0]]), f"{requirement}: run .ci/lock"


def test_both_files_have_the_same_versions() -> None:
    run, dev = (
        {(name, version, hashes) for name, version, _, hashes in LOCKED.findall(text_of(file))}
        for file in WANTED
    )
    assert run < dev
