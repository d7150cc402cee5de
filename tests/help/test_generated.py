"""What is generated is fresh, complete and readable, and the wheel brings it to where shells and man look."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from importlib import import_module
from pathlib import Path

import pytest

from proxyctl.commands.help import command_tree
from proxyctl.commands.options import SHARED_PANELS
from proxyctl.errors import ExitCode
from proxyctl.help.pages import Node
from proxyctl.help.topics import TOPICS, topic
from proxyctl.writes.guard import RULES
from tests.support import REPOSITORY, Cli, all_commands, each

sys.path.append(str(REPOSITORY / ".ci" / "generate"))
files = import_module("files")
roff = import_module("roff")
TREE = command_tree()
MAN = REPOSITORY / "man"
PLACES = {
    "completions/proxyctl.bash": "share/bash-completion/completions/proxyctl",
    "completions/_proxyctl": "share/zsh/site-functions/_proxyctl",
    "completions/proxyctl.fish": "share/fish/vendor_completions.d/proxyctl.fish",
}


def leaves() -> list[Node]:
    return [node for node in all_commands() if not node.children]


def test_everything_is_fresh() -> None:
    assert files.main(["--check"]) == 0, "run: python .ci/generate"


def test_check_tells_what_is_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("man", "completions", "proxyctl"):
        shutil.copytree(REPOSITORY / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(files, "REPOSITORY", tmp_path)
    (tmp_path / "man" / "man1" / "proxyctl-gone.1").write_text("")
    (tmp_path / "man" / "man1" / "proxyctl.1").write_text("old")
    (tmp_path / "completions" / "_proxyctl").unlink()
    assert files.main(["--check"]) == 1
    told = capsys.readouterr().out.splitlines()
    assert sorted(told) == [
        f"{name} is stale"
        for name in ("completions/_proxyctl", "man/man1/proxyctl-gone.1", "man/man1/proxyctl.1")
    ]
    assert (tmp_path / "man" / "man1" / "proxyctl.1").read_text() == "old"
    assert files.main([]) == 0
    assert files.main(["--check"]) == 0
    assert not (tmp_path / "man" / "man1" / "proxyctl-gone.1").exists()


def plain(page: Path) -> str:
    """Return a page as text on one line, as a reader would search it."""
    text = page.read_text()
    text = re.sub(r"(?m)^\.[A-Z]{2} ?(\d+$)?", "", text)
    text = text.replace("\\&", "").replace("\\-", "-").replace("\\(aq", "'").replace("\\(dq", '"')
    text = text.replace("\\(ha", "^").replace("\\(ti", "~").replace("\\(ga", "`").replace("\\e", "\\")
    return " ".join(re.sub(r"\\f[BIR]", "", text).replace(" \\\n", " ").split())


@each(leaves())
def test_a_page_holds_all_of_a_command(node: Node) -> None:
    text = plain(MAN / "man1" / f"proxyctl-{node.path[0]}.1")
    assert node.command_line in text
    for words in (*node.paragraphs, *node.examples, *node.remarks):
        assert " ".join(words.replace("…", "...").split()) in text
    for parameter in node.parameters:
        if "--help" in parameter.names:
            continue
        if parameter.panel in SHARED_PANELS:
            assert parameter.names[0] in text
            text_of_all = plain(MAN / "man7" / "proxyctl-options.7")
        else:
            text_of_all = text
        for name in (*parameter.names, parameter.help, parameter.default):
            assert " ".join(name.replace("…", "...").split()) in text_of_all


def test_every_group_and_command_has_its_page() -> None:
    expected = {"proxyctl.1", *(f"proxyctl-{node.path[0]}.1" for node in TREE.children)}
    expected |= {f"proxyctl-{name}.7" for name in TOPICS}
    assert {path.name for path in MAN.glob("man?/*")} == expected
    text = plain(MAN / "man1" / "proxyctl.1")
    for node in TREE.children:
        assert f"proxyctl-{node.path[0]}(1)" in text


def test_pages_are_clean_and_fit() -> None:
    if shutil.which("mandoc") is None:
        assert not os.environ.get("CI"), "mandoc is not installed"
        return
    pages = sorted(MAN.glob("man?/*"))
    lint = subprocess.run(
        ["mandoc", "-Tlint", "-Wwarning", *pages], capture_output=True, text=True, check=False
    )
    assert (lint.returncode, lint.stdout + lint.stderr) == (0, "")
    for page in pages:
        shown = subprocess.run(["mandoc", "-Tascii", page], capture_output=True, text=True, check=True).stdout
        lines = [re.sub(r".\x08", "", line) for line in shown.splitlines()]
        assert [line for line in lines if len(line) > 80 and " " in line.strip()] == []
        assert "<?>" not in shown


def test_roff_shows_text_as_it_is() -> None:
    text = ".TH 'x' \\fB \"q\" a-b ^ ~ ` % é … \\"
    assert roff.text(text) == [
        "\\&.TH \\(aqx\\(aq \\efB \\(dqq\\(dq a\\-b \\(ha \\(ti \\(ga % \\[u00E9] ... \\e"
    ]
    if shutil.which("mandoc"):
        page = "\n".join(['.TH X 1 2026-01-01 "x" "y"', ".SH X", *roff.code(f"{text}\n'quote\n\n.dot")])
        shown = subprocess.run(
            ["mandoc", "-Tutf8", "-man"], input=page, capture_output=True, text=True, check=True
        ).stdout
        lines = [re.sub(r".\x08", "", line).strip() for line in shown.splitlines()]
        assert text.replace("…", "...") in lines
        assert "'quote" in lines
        assert ".dot" in lines


def test_exit_codes_are_told() -> None:
    told = {block.name: block.text for block in topic("exit-codes").blocks if block.kind == "term"}
    assert list(told)[: len(ExitCode)] == [str(int(code)) for code in ExitCode]


def test_rules_are_told_and_the_commands_that_they_concern_permit_them() -> None:
    blocks = topic("rules").blocks
    assert {
        block.name: block.text.partition(" Commands: ")[0] for block in blocks if block.kind == "term"
    } == {name: rule.refuses for name, rule in RULES.items()}
    named = set(re.findall(r"\b[a-z]+-[a-z]+\b", " ".join(b.text for b in blocks if b.kind == "text")))
    assert named - {"dry-run"} <= RULES.keys()
    permitting = [
        " ".join(node.path) for node in leaves() if any("--allow" in option.names for option in node.options)
    ]
    for rule in RULES.values():
        for command in rule.commands:
            assert any(f" {path}".endswith(f" {command}") for path in permitting), command


def test_the_output_of_every_command_is_told() -> None:
    terms = [block.name for block in topic("formatting").blocks if block.kind == "term"]
    told = set()
    for part in (part.strip() for term in terms for part in term.split(";")):
        first, *others = part.split(", ")
        group = first.rpartition(" ")[0]
        told |= {first, *(f"{group} {other}" for other in others)}
    printing = [node for node in leaves() if any("--output" in option.names for option in node.options)]
    assert printing
    assert [node.command_line for node in printing if " ".join(node.path) not in told] == []


def test_variables_are_told_and_no_others() -> None:
    terms = [block.name for block in topic("environment").blocks if block.kind == "term"]
    told = {name for term in terms for name in term.split(", ")}
    ours = REPOSITORY / "proxyctl"
    files = [path for path in ours.rglob("*.py") if "sandbox" not in path.relative_to(ours).parts]
    source = "\n".join(path.read_text() for path in files)
    read = set(re.findall(r"\b(?:PROXYCTL|TWILIO)_[A-Z_]+[A-Z]\b", source))
    assert {name for name in read if name not in told} == set()
    assert {name for name in told if name.startswith("PROXYCTL_")} <= read


def test_help_tells_topics_and_commands(bare: Cli) -> None:
    for name in TOPICS:
        text = bare.ok("help", name).out
        assert topic(name).summary in text
        assert max(len(line) for line in text.splitlines()) <= 80
    assert bare.ok("help").out.startswith("Usage: proxyctl")
    assert "proxyctl number reserve" in bare.ok("help", "number", "reserve").out
    assert "proxyctl number [" in bare.ok("help", "number").out
    wrong = bare("help", "exit-code")
    assert (wrong.code, wrong.out) == (2, "")
    assert "'exit-codes'" in wrong.err
    assert "'reserve'" in bare("help", "number", "reserv").err
    assert bare("help", "number", "reserve", "more").code == 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_the_script(bare: Cli, shell: str) -> None:
    name = {"bash": "proxyctl.bash", "zsh": "_proxyctl", "fish": "proxyctl.fish"}[shell]
    assert bare.ok("completion", shell).out == (REPOSITORY / "completions" / name).read_text()
    assert bare("completion", "tcsh").code == 2


def test_the_wheel_brings_them(tmp_path: Path) -> None:
    source = tmp_path / "source"
    ignored = shutil.ignore_patterns("__pycache__", ".git", ".venv", "tests", ".hypothesis", ".*_cache")
    shutil.copytree(REPOSITORY, source, ignore=ignored)
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")]
    subprocess.run(build, cwd=source, capture_output=True, check=True, timeout=120)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    wanted = files.generated()
    with zipfile.ZipFile(wheel) as archive:
        held = {
            name.partition(".data/data/")[2]: name for name in archive.namelist() if ".data/data/" in name
        }
        places = {path: PLACES.get(path, f"share/{path}") for path in wanted}
        assert sorted(held) == sorted(places.values())
        for path, text in wanted.items():
            assert archive.read(held[places[path]]).decode() == text
        for name in ("bash", "zsh", "fish"):
            assert f"proxyctl/completion/proxyctl.{name}" in archive.namelist()
        assert {f"proxyctl/help/topics/{name}.txt" for name in TOPICS} <= set(archive.namelist())
        assert "proxyctl/explaining/codes.toml" in archive.namelist()
