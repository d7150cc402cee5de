"""Transcripts in README and in help topics: commands after ``$``, and what a terminal shows below them.

They run one after another in a directory and a sandbox of their own, with stdout and stderr on one terminal.
"""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from pathlib import Path

from proxyctl.cli import main
from tests.golden.replay import BAR
from tests.support import Cli, StandingClock, Tty, stream, written

# The block of a console in Markdown, or lines of a topic that are set in, the first with a prompt.
TRANSCRIPT = re.compile(r"(?m)(?<=^```console\n)()(?:(?!```).*\n)+|^(    )\$ .*\n(?:    .*\n|\n(?=    ))*")
ANSWER = re.compile(r"Type .*: (\S+)$")
# What differs from run to run: SIDs, how long it took, and the digits of a SID that was cut.
MASKS = ((r"\b([A-Z]{2})[0-9a-f]{6,32}\b", r"\1"), (r" in [0-9hm.]+s( \([^)]*\))?", " in TIME"))


class Typist(io.TextIOWrapper):
    """A terminal's stdin: what is typed into it is shown on ``screen``."""

    screen: io.TextIOWrapper

    def isatty(self) -> bool:
        return True

    def readline(self, size: int = -1, /) -> str:  # type: ignore[override]
        line = super().readline(size)
        self.screen.write(line)
        return line


class Session:
    """A person at a terminal, in ``directory``."""

    def __init__(self, directory: Path, terminal: dict[str, str]) -> None:
        self.directory, self.last_code = directory, 0
        self.cli = Cli(directory, {"NO_COLOR": "1", **terminal}, clock=StandingClock(1_795_330_000.0))

    def type(self, line: str, answers: str = "") -> list[str]:
        """Run a shell line of ours; returns the lines that the terminal shows."""
        if line == "echo $?":
            return [str(self.last_code)]
        line, _, target = line.partition(" > ")
        passed: str | None = None
        *before, last = line.split(" | ")
        for command in before:
            passed = self.run(command, passed, "", stream())
        screen = stream() if target else Tty(io.BytesIO(), encoding="utf-8", newline="", write_through=True)
        shown = self.run(last, passed, answers, screen)
        if target:
            (self.directory / target).write_text(shown)
            return []
        return re.sub(BAR, "", shown).splitlines()

    def run(self, command: str, passed: str | None, answers: str, screen: io.TextIOWrapper) -> str:
        stdin = Typist(io.BytesIO(answers.encode()), encoding="utf-8", newline="")
        stdin.screen = screen
        program, *words = shlex.split(command, comments=True)
        assert program == "proxyctl", command
        to_file = not screen.isatty()
        with contextlib.chdir(self.directory):
            self.last_code = main(
                words,
                environ=self.cli.environ,
                stdin=stdin if passed is None else stream(passed),
                stdout=screen,
                stderr=stream() if to_file else screen,
                clock=self.cli.clock,
            )
        return written(screen)


def replayed(text: str, directory: Path, terminal: dict[str, str], before: tuple[str, ...] = ()) -> str:
    """Run the transcripts of a document; returns the document as it has to be."""
    session = Session(directory, terminal)
    for line in before:
        session.type(line)
        assert session.last_code == 0, line
    return TRANSCRIPT.sub(lambda found: _replayed(found[0], found[1] or found[2] or "", session), text)


def _replayed(transcript: str, margin: str, session: Session) -> str:
    lines = [line.removeprefix(margin) for line in transcript.rstrip("\n").split("\n")]
    answers = "".join(f"{found[1]}\n" for line in lines if (found := ANSWER.match(line)))
    known = {masked(line): line for line in lines}
    shown = []
    for line in (line for line in lines if line.startswith("$ ")):
        shown.append(line)
        shown += [known.get(masked(new), new) for new in session.type(line[2:], answers)]
    return "".join(f"{margin}{line}".rstrip() + "\n" for line in shown)


def masked(line: str) -> str:
    for pattern, short in MASKS:
        line = re.sub(pattern, short, line)
    return line
