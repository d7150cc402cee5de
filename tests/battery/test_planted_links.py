"""Links in the place of files that proxyctl writes: refused before anything is sent, one's own too; and what exists and
is no regular file, which is written as it stands. Every option that names a file or directory has its kind here.
"""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

import pytest

from proxyctl import named_files
from proxyctl.help.pages import Node
from tests.commands.pool_support import fill
from tests.support import Cli, all_commands

WRITTEN = {"--summary-json", "--failed-to", "--untried-to", "--numbers-to"}
READ = {"--file", "--database"}
NODES = [node for node in all_commands() if not node.children]


def options_of(node: Node) -> set[str]:
    return {option.names[-1] for option in node.options if option.value in ("FILE", "DIR")}


def with_option(name: str) -> list[Node]:
    return [node for node in NODES if name in options_of(node)]


def test_every_option_that_names_a_file_is_known_here() -> None:
    named = set().union(*map(options_of, NODES))
    assert named == WRITTEN | READ, "say whether the new one is read or written: a written one refuses links"


@pytest.fixture
def link(tmp_path: Path) -> Path:
    """A link to a file that must stay as it is."""
    (tmp_path / "bashrc").write_text("precious")
    link = tmp_path / "link"
    link.symlink_to("bashrc")
    return link


def untouched(link: Path) -> bool:
    return link.is_symlink() and (link.parent / "bashrc").read_text() == "precious"


@pytest.mark.parametrize("node", with_option("--summary-json"), ids=lambda node: " ".join(node.path))
def test_no_summary_goes_through_a_link(cli: Cli, link: Path, node: Node) -> None:
    words = ["last" if argument.value == "ID" else "a" for argument in node.arguments if argument.required]
    needed = [word for option in node.options if option.required for word in (option.names[-1], "a")]
    ran = cli(*node.path, *words, *needed, "--summary-json", str(link))
    assert (ran.code, ran.out) == (2, "")
    assert f"--summary-json {link}: it is a link." in ran.err
    assert untouched(link)


VERBS = {
    "number add": ("masking", "NUMBERS"),
    "number reserve": ("masking", "NUMBERS"),
    "number release": ("masking", "NUMBERS"),
    "number remove": ("masking", "NUMBERS", "--yes"),
    "number drain": ("masking", "NUMBERS"),
    "number webhooks": ("masking", "NUMBERS", "--proxy"),
    "number move": ("NUMBERS", "--from", "masking", "--to", "other", "--yes"),
    "pool apply": ("POOL", "--yes"),
    "history undo": ("last", "--yes"),
    "session close": ("masking", "--all-sessions", "--yes"),
    "session delete": ("masking", "--all-sessions", "--yes"),
    "messaging attach": ("masking", "NUMBERS", "--messaging-service", "MG" + "0" * 32, "--yes"),
}


@pytest.mark.parametrize(
    ("node", "option"),
    [(node, option) for option in ("--failed-to", "--untried-to") for node in with_option(option)],
    ids=lambda value: value if isinstance(value, str) else " ".join(value.path),
)
def test_no_rest_of_a_run_goes_through_a_link(cli: Cli, link: Path, node: Node, option: str) -> None:
    numbers = [row["phone_number"] for row in cli.seed(3)]
    fill(cli, "masking", numbers[:1])
    cli.ok("service", "create", "other")
    pool = cli.directory / "pool.toml"
    pool.write_text("version = 1\n[services.masking]\ndefault_ttl = 60\n")
    before = cli.ok("number", "list", "--all", "-o", "json").out
    words = VERBS[" ".join(node.path)]
    line = [
        word
        for each in words
        for word in (numbers if each == "NUMBERS" else [str(pool)] if each == "POOL" else [each])
    ]
    ran = cli(*node.path, *line, option, str(link))
    assert ran.code == 2, ran.err
    assert f"{option} {link}: it is a link." in ran.err
    assert untouched(link)
    assert cli.ok("number", "list", "--all", "-o", "json").out == before


@pytest.mark.parametrize("flag", ["reserved", "unreserved"])
@pytest.mark.parametrize("dangling", [True, False])
def test_no_export_goes_through_a_link(cli: Cli, link: Path, flag: str, dangling: bool) -> None:
    fill(cli, "masking", [row["phone_number"] for row in cli.seed(2)])
    export = cli.directory / "export"
    export.mkdir()
    planted = export / f"masking.{flag}.csv"
    planted.symlink_to(export / "nowhere" if dangling else link.parent / "bashrc")
    ran = cli("pool", "export", "--all", "--numbers-to", str(export))
    assert (ran.code, ran.out) == (2, ""), ran.err
    assert f"--numbers-to {planted}: it is a link." in ran.err
    assert planted.is_symlink() and untouched(link) and len(list(export.iterdir())) == 1


def test_a_link_that_is_planted_during_the_run_is_not_followed(link: Path) -> None:
    with pytest.raises(OSError):
        named_files.write_output_file(link, b"new")
    assert untouched(link)


def test_memory_that_is_shared_by_all_is_none_of_the_system() -> None:
    assert not named_files.is_of_the_system(Path("/dev/shm/link"))
    assert not named_files.is_of_the_system(Path("/dev/../home/link"))
    assert named_files.is_of_the_system(Path("/dev/stderr"))
    assert named_files.is_of_the_system(Path("/proc/self/fd/2"))


def test_a_pipe_is_written_as_it_stands(cli: Cli) -> None:
    numbers = [row["phone_number"] for row in cli.seed(2)]
    fill(cli, "masking", numbers)
    export = cli.directory / "export"
    export.mkdir()
    pipe = export / "masking.reserved.csv"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()), daemon=True)
    reader.start()
    cli.ok("pool", "export", "masking", "--numbers-to", str(export))
    reader.join(10)
    assert read == ["\n".join(["phone_number", *sorted(numbers)]) + "\n"]
    assert pipe.is_fifo()


@pytest.mark.parametrize("name", ["/dev/stderr", "/dev/null", "/proc/self/fd/2", "/dev/fd/2"])
def test_what_the_system_has_there_is_written_as_it_stands(cli: Cli, name: str) -> None:
    cli.seed(1)
    with cli.process("pool", "audit", "--all", "--summary-json", name, stdin=subprocess.DEVNULL) as process:
        _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert (b'"verb": "pool audit"' in err) is (name != "/dev/null")
    assert os.path.lexists(name)
