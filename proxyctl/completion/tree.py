"""The command tree as completion reads it: from a generated text file, since importing Typer takes as long as a TAB
may take in all.
"""

from __future__ import annotations

import os

FILE = "commands.txt"


class Option:
    """An option: its names, what kind of value follows ('' for none), whether it may be repeated, its help."""

    __slots__ = ("help", "kind", "names", "repeatable")

    def __init__(self, names: str, kind: str, help_text: str) -> None:
        self.names = names.split(" ")
        self.kind = kind.removesuffix("*")
        self.repeatable = kind.endswith("*")
        self.help = help_text


class Command:
    """A command or a group: what it takes, and the line that says what it is for."""

    __slots__ = ("arguments", "options", "path", "summary")

    def __init__(self, path: str, summary: str) -> None:
        self.path = path
        self.summary = summary
        self.options: list[Option] = []
        self.arguments: list[str] = []  # kinds; '*' after the last where it takes any number

    def option(self, name: str) -> Option | None:
        return next((option for option in self.options if name in option.names), None)

    def argument(self, position: int) -> str:
        """Return the kind of the argument at ``position``, '' where none is taken there."""
        if position < len(self.arguments):
            return self.arguments[position].removesuffix("*")
        last = self.arguments[-1] if self.arguments else ""
        return last.removesuffix("*") if last.endswith("*") else ""


class Tree:
    """All commands by path: '' is the root, 'number' a group, 'number reserve' a command."""

    def __init__(self, text: str) -> None:
        self.commands: dict[str, Command] = {}
        for line in text.splitlines():
            first, second, *more = line.split("\t")
            if first:
                path = first.partition(" ")[2]
                command = self.commands[path] = Command(path, second)
            elif second:
                command.options.append(Option(second, *more))
            else:
                command.arguments.append(more[0])

    @classmethod
    def load(cls) -> Tree:
        """Read the generated file."""
        with open(os.path.join(os.path.dirname(__file__), FILE), encoding="utf-8") as file:
            return cls(file.read())

    def children(self, path: str) -> list[tuple[str, str]]:
        """Return name and summary of the commands of a group."""
        start = f"{path} " if path else ""
        return [
            (name[len(start) :], command.summary)
            for name, command in self.commands.items()
            if name and name.startswith(start) and " " not in name[len(start) :]
        ]
