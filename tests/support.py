"""The whole program, run as a user would run it: in process through `main`, or as a process of its own."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from proxyctl.cli import main
from proxyctl.clock import Clock
from proxyctl.commands.help import command_tree
from proxyctl.help.pages import Node

REPOSITORY = Path(__file__).parent.parent


@dataclass(frozen=True)
class Ran:
    """What a run left behind: exit code, stdout, stderr."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Stdout as JSON."""
        return json.loads(self.out)

    @property
    def rows(self) -> list[Any]:
        """Stdout as JSON Lines."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def actions(self) -> list[str]:
        """What was done with each item, by rows in JSON or JSON Lines."""
        return [row["action"] for row in (self.json if self.out.startswith("[") else self.rows)]

    @property
    def counts(self) -> Counter[str]:
        """How many rows have each action."""
        return Counter(self.actions)

    @property
    def error(self) -> Any:
        """The JSON error that ends stderr."""
        return json.loads(self.err.splitlines()[-1])["error"]


class StandingClock:
    """Time that passes by sleeping alone; ``script[n]`` is called in the n-th sleep, counted from 1."""

    def __init__(self, epoch: float = 1_750_000_000.0) -> None:
        self.epoch, self.time = epoch, 0.0
        self.slept: list[float] = []
        self.script: dict[int, Callable[[], object]] = {}

    def monotonic(self) -> float:
        return self.time

    def now(self) -> float:
        return self.epoch + self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(max(0.0, seconds))
        self.time += self.slept[-1]
        assert len(self.slept) < 100_000, "it waits for ever"
        self.script.pop(len(self.slept), lambda: None)()


class Tty(io.TextIOWrapper):
    """A text stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def stream(text: str | bytes = "", *, tty: bool = False) -> io.TextIOWrapper:
    """Return a text stream over memory, as stdin, stdout and stderr are."""
    data = text.encode() if isinstance(text, str) else text
    return (Tty if tty else io.TextIOWrapper)(io.BytesIO(data), encoding="utf-8", newline="")


def written(target: io.TextIOWrapper) -> str:
    """Return what was written to a stream of `stream`."""
    target.flush()
    buffer = target.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode()


@dataclass
class Cli:
    """Runs command lines with an environment of their own: no HOME of the user, no other state.

    ``options`` stand before each command line: a test that runs both ways leaves ``--sandbox`` to them.
    """

    directory: Path
    environ: dict[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    clock: Clock | None = None

    def __post_init__(self) -> None:
        self.environ = {
            "PROXYCTL_STATE_DIR": str(self.directory / "state"),
            "PROXYCTL_CONFIG": str(self.directory / "config" / "config.toml"),
            "HOME": str(self.directory / "home"),
            "PATH": os.environ["PATH"],
            **self.environ,
        }

    def __call__(
        self,
        *arguments: str,
        stdin: str | bytes = "",
        tty: bool = False,
        environ: dict[str, str] | None = None,
    ) -> Ran:
        """Run ``arguments`` in process; with ``tty`` all three streams are terminals."""
        streams = [stream(stdin, tty=tty), stream(tty=tty), stream(tty=tty)]
        code = main(
            [*self.options, *arguments],
            environ={**self.environ, **(environ or {})},
            stdin=streams[0],
            stdout=streams[1],
            stderr=streams[2],
            clock=self.clock,
        )
        return Ran(code, written(streams[1]), written(streams[2]))

    def ok(self, *arguments: str, stdin: str | bytes = "") -> Ran:
        """Run ``arguments`` and demand exit code 0."""
        ran = self(*arguments, stdin=stdin)
        assert ran.code == 0, ran.err
        return ran

    def process(self, *arguments: str, **settings: Any) -> subprocess.Popen[bytes]:
        """Start ``arguments`` as a process of their own; it gets this environment and nothing else."""
        settings = {
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            **settings,
        }
        environ = settings.pop("env", self.environ)
        return subprocess.Popen(command(*self.options, *arguments), env=environ, **settings)

    def run_process(self, *arguments: str, stdin: bytes = b"", **settings: Any) -> Ran:
        """Run ``arguments`` as a process of their own, to its end."""
        with self.process(*arguments, **{"stdin": subprocess.PIPE, **settings}) as process:
            out, err = process.communicate(stdin, timeout=60)
        return Ran(process.returncode, (out or b"").decode(), (err or b"").decode())

    def seed(self, count: int, *, seed: int = 1, country: str = "US") -> list[dict[str, Any]]:
        """Put numbers into this sandbox's account."""
        ran = self.ok(
            "sandbox",
            "seed",
            "--numbers",
            str(count),
            "--seed",
            str(seed),
            "--country",
            country,
            "-o",
            "json",
        )
        rows: list[dict[str, Any]] = ran.json
        return rows


def each(values: Iterable[Any]) -> Callable[[Callable[[Any], None]], Callable[[], None]]:
    """Make one test of a check that is quick: it is made of each value, and what fails is named."""

    def of(check: Callable[[Any], None]) -> Callable[[], None]:
        def test() -> None:
            for value in values:
                with case(value):
                    check(value)

        test.__doc__ = check.__doc__
        return test

    return of


@contextlib.contextmanager
def case(*what: object) -> Iterator[None]:
    """Name what fails within: for a test that goes through many cases on one stage."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"case: {what}")
        raise


def command(*arguments: str) -> Sequence[str]:
    """Return the argument vector that starts proxyctl with this interpreter."""
    return [sys.executable, "-m", "proxyctl", *arguments]


def all_commands() -> Iterator[Node]:
    """Yield proxyctl, its groups and its commands, each before those below it."""
    nodes = [command_tree()]
    while nodes:
        node = nodes.pop(0)
        yield node
        nodes[:0] = node.children
