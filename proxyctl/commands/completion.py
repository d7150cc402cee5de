"""`proxyctl completion`: the script with which a shell completes proxyctl, and the answer to a TAB.

Typer knows what is under the cursor, and offers commands, options and choices. Names come from the cache.
"""

import os
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from proxyctl.commands.options import argument, command
from proxyctl.commands.tree import root_command, under_cursor
from proxyctl.completion.names import SANDBOX, Names
from proxyctl.completion.shells import SHELLS, VARIABLE, Candidate, answer, asked, script

PATHS = {"FILE": "files", "DIR": "directories"}  # what a shell completes better than we could


@command("completion")
def completion(
    runtime: Any, shell: Literal["bash", "zsh", "fish"] = argument("bash|zsh|fish", "Your shell.")
) -> None:
    """Print the script that completes commands, options and names in bash, zsh or fish.

    Names of profiles and Services come from earlier commands. A TAB sends nothing and reads no credentials.

    Examples:
      source <(proxyctl completion bash)
      proxyctl completion zsh > ~/.zfunc/_proxyctl
      proxyctl completion fish > ~/.config/fish/completions/proxyctl.fish
    """
    runtime.stdout.write(script(shell))


def respond(environ: Mapping[str, str]) -> int:
    """Answer a shell on stdout, and return the exit code. An error here is never printed."""
    try:
        code, text = answer_to(environ)
        data = text.encode("utf-8", "surrogateescape")
        while data:
            data = data[os.write(1, data) :]
    except (Exception, KeyboardInterrupt):
        if environ.get("PROXYCTL_DEBUG"):
            raise
        return 1
    return code


def answer_to(environ: Mapping[str, str]) -> tuple[int, str]:
    """Return the exit code and the answer to what the variables ask."""
    action, _, shell = environ[VARIABLE].partition("_")
    if shell not in SHELLS or action not in ("complete", "source"):
        return 1, ""
    if action == "source":
        return 0, script(shell)
    line = asked(environ)
    context, parameter, word, found = under_cursor(root_command(), line.words[1:], line.word)
    if parameter is not None:
        kind = str(parameter.metavar).split(" ")[0].strip("[].")
        if kind in PATHS:
            return 0, f"\t{PATHS[kind]}\n" if "_TYPER_COMPLETE_ARGS" in environ else ""
        found = [*found, *known_values(context, parameter.name, kind, word, Names(environ))]
    fit = [one for one in found if one[0].startswith(word) and one[0].isprintable()]
    return 0, "".join(f"{row}\n" for row in answer(shell, environ, line, fit))


def known_values(context: Any, name: str, kind: str, word: str, names: Names) -> Iterable[Candidate]:
    """Return the values of a parameter that only proxyctl knows."""
    if name in ("profile", "confirm_profile") or context.command_path.startswith("proxyctl profile "):
        profiles = [(name, account_sid) for name, account_sid, _ in names.profiles() if name != SANDBOX]
        return [*profiles, (SANDBOX, "the embedded sandbox")]
    if kind == "SERVICE" and not context.params.get("names"):  # `number show` has a number after it
        return services(context.params, word, names)
    if kind == "TOPIC":
        return topics(context, context.params[name] or ())
    if kind == "RULE":
        from proxyctl.writes.guard import RULES

        return [(rule, about.refuses) for rule, about in RULES.items()]
    if name in ("only", "ignore"):
        from proxyctl.pools.findings import KINDS

        return [(kind, about.title) for kind, about in KINDS.items()]
    return []


def services(given: Mapping[str, Any], word: str, names: Names) -> Iterable[Candidate]:
    """Return the Services of the account that the command line works on, without those that it names."""
    account = names.account(SANDBOX if given.get("sandbox") else given.get("profile"))
    rows = account.services() if account is not None else []
    found = [(sid, name) if word.startswith("KS") or not name else (name, sid) for sid, name in rows]
    named = given.get("services") or ()
    return [one for one in found if one[0] not in named and not one[0].startswith("-")]


def topics(context: Any, words: Iterable[str]) -> Iterable[Candidate]:
    """Return the commands and topics that 'help' accepts after these words."""
    from proxyctl.help.topics import TOPICS

    root = context.find_root()
    command = root.command
    for word in words:
        command = command.get_command(root, word)
    commands = [(name, entry.summary) for name, entry in getattr(command, "entries", {}).items()]
    return commands if words else [*commands, *((name, "") for name in TOPICS)]
