"""What could stand under the cursor: commands, options, values of options, names from the cache."""

from __future__ import annotations

from proxyctl.completion.names import SANDBOX, Account, Names
from proxyctl.completion.tree import Command, Option, Tree

Candidate = tuple[str, str]  # the word, and a line about it
FILES = "files"
DIRECTORIES = "directories"


class Found:
    """The candidates, or ``paths`` (FILES, DIRECTORIES) where the shell itself knows better.

    ``prefix`` belongs to the word, but not to the candidates: '--output=' in '--output=js'.
    """

    __slots__ = ("candidates", "paths", "prefix")

    def __init__(self, candidates: list[Candidate], paths: str = "", prefix: str = "") -> None:
        self.candidates = candidates
        self.paths = paths
        self.prefix = prefix


class Line:
    """A command line up to the cursor: which command it names so far, and what it gave already."""

    def __init__(self, tree: Tree, words: list[str]) -> None:
        self.tree = tree
        self.command: Command | None = tree.commands[""]
        self.arguments: list[str] = []
        self.used: list[Option] = []
        self.values: dict[str, str] = {}  # the last value of each kind
        self.waiting: Option | None = None  # the option whose value is under the cursor
        self.only_arguments = False
        for word in words:
            self.read(word)

    def read(self, word: str) -> None:
        """Take in one whole word."""
        if self.waiting is not None:
            self.values[self.waiting.kind] = word
            self.waiting = None
        elif word == "--" and not self.only_arguments:
            self.only_arguments = True
        elif word.startswith("-") and len(word) > 1 and not self.only_arguments:
            self.read_option(word)
        elif self.command is not None and self.tree.children(self.command.path):
            self.command = self.tree.commands.get(f"{self.command.path} {word}".strip())
        else:
            self.arguments.append(word)

    def read_option(self, word: str) -> None:
        """Take in ``--name``, ``--name=value``, ``-n``, ``-nvalue`` or several flags in one, as ``-vq``."""
        name, equals, value = word.partition("=")
        if word.startswith("--"):
            self.use(name, value if equals else None)
            return
        for position, letter in enumerate(word[1:], 2):
            if self.use(f"-{letter}", word[position:].removeprefix("=") or None):
                return

    def use(self, name: str, value: str | None) -> bool:
        """Note that an option was given; return whether a value belongs to it."""
        option = self.command.option(name) if self.command is not None else None
        if option is None:
            return False
        if not option.repeatable:
            self.used.append(option)
        if not option.kind:
            return False
        if value is None:
            self.waiting = option
        else:
            self.values[option.kind] = value
        return True


def complete(tree: Tree, names: Names, words: list[str], word: str) -> Found:
    """Return what could stand in place of ``word``, which is being typed after ``words``."""
    line = Line(tree, words)
    if line.command is None:
        return Found([])
    if line.waiting is not None:
        return values(line, names, line.waiting.kind, word)
    if word.startswith("-") and not line.only_arguments:
        return options(line, names, line.command, word)
    children = tree.children(line.command.path)
    if children:
        return Found(matching(children, word))
    return values(line, names, line.command.argument(len(line.arguments)), word)


def options(line: Line, names: Names, command: Command, word: str) -> Found:
    """Complete the name of an option, or a value that is written in one word with it."""
    name, equals, value = word.partition("=")
    option = command.option(name if equals else word[:2])
    if option is not None and option.kind and (equals or (word[1] != "-" and len(word) > 2)):
        start = name + equals if equals else word[:2]
        found = values(line, names, option.kind, value if equals else word[2:])
        return Found(found.candidates, found.paths, start)
    left = [option for option in command.options if option not in line.used]
    return Found(matching([(name, option.help) for option in left for name in option.names], word))


def values(line: Line, names: Names, kind: str, word: str) -> Found:
    """Complete a value of ``kind``."""
    if kind in ("file", "directory"):
        return Found([], FILES if kind == "file" else DIRECTORIES)
    if kind == "profile":
        known = [(name, account_sid) for name, account_sid, _ in names.profiles() if name != SANDBOX]
        return Found(matching([*known, (SANDBOX, "the embedded sandbox")], word))
    if kind.startswith("topic|"):
        return Found(matching(topics(line, kind), word))
    if "|" in kind:
        return Found(matching([(choice, "") for choice in kind.split("|")], word))
    return Found(matching(names_of_account(line, names, kind, word), word))


def topics(line: Line, kind: str) -> list[Candidate]:
    """Return what 'help' could be asked about, after the words that were given."""
    children = line.tree.children(" ".join(line.arguments))
    return children if line.arguments else [*children, *((name, "") for name in kind.split("|")[1:])]


def names_of_account(line: Line, names: Names, kind: str, word: str) -> list[Candidate]:
    """Return the Services or numbers of the account that the command line works on, without those given."""
    account = account_of(line, names)
    if account is None:
        return []
    given = set(line.arguments)
    if kind == "service":
        rows = account.services()
        found = [(sid, name) if word.startswith("KS") or not name else (name, sid) for sid, name in rows]
        # A name like an option could only be given behind '--'.
        usable = [one for one in found if line.only_arguments or not one[0].startswith("-")]
        return [one for one in usable if one[0] not in given]
    if kind == "number":
        service = service_of(line)
        numbers = account.numbers(service) if service else account.all_numbers()
        return [(number, "") for number in numbers if number not in given]
    return []


def account_of(line: Line, names: Names) -> Account | None:
    """Return whose names to offer."""
    flags = [option.names[0] for option in line.used]
    in_sandbox = "--sandbox" in flags or (
        line.command is not None and line.command.path.startswith("sandbox")
    )
    return names.account(SANDBOX if in_sandbox else line.values.get("profile"))


def service_of(line: Line) -> str | None:
    """Return the Service that was named, as an argument or an option."""
    kinds = line.command.arguments if line.command is not None else []
    if "service" in kinds and len(line.arguments) > kinds.index("service"):
        return line.arguments[kinds.index("service")]
    return line.values.get("service")


def matching(candidates: list[Candidate], word: str) -> list[Candidate]:
    """Return the candidates that begin with ``word`` and can be shown."""
    return [one for one in candidates if one[0].startswith(word) and one[0].isprintable()]
