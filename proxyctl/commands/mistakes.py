"""What the parser refuses: an error of ours, with what was meant. The tables hold what people type who know gh,
kubectl, aws, terraform or Twilio's own command line.
"""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proxyctl.commands.options import HOISTED
from proxyctl.errors import UsageError
from proxyctl.roles import cells
from proxyctl.text import nearest, visible

if TYPE_CHECKING:
    from proxyctl.runtime import Runtime

SAME_WORD = 0.7  # of two spellings, how much is the same
LONGEST_MESSAGE = 400  # of the parser, which repeats what was typed

_TABLES = tomllib.loads(Path(__file__).with_name("mistakes.toml").read_text(encoding="utf-8"))
WORDS: dict[str, str] = _TABLES["words"]
VERBS: dict[str, list[str]] = _TABLES["verbs"]
OPTIONS: dict[str, str] = _TABLES["options"]
FORMATS: dict[str, str] = _TABLES["formats"]
# Commands beside which a secret may be typed where none belongs.
SECRETIVE = re.compile("proxyctl (?:auth|config|profile)( |$)")


def usage_error(error: Any, runtime: Runtime) -> UsageError:
    """Return the parser's error as ours: what is wrong, what was meant, where to read more."""
    context = error.ctx
    secretive = context is not None and SECRETIVE.match(context.command_path) is not None
    for word in unasked(error, runtime.argv) if secretive else ():
        runtime.console.redactor.add(word)
    message = " ".join((error.message if hasattr(error, "possibilities") else error.format_message()).split())
    if len(message) > LONGEST_MESSAGE:
        message = f"{message[:LONGEST_MESSAGE]}..."
    message = message if message.endswith("?") else f"{message.rstrip('.')}.{meant(error)}"
    found = UsageError(message, hint=f"See '{context.command_path if context else 'proxyctl'} -h'.")
    if runtime.console.terminal.stderr and not secretive:
        found.shown = pointed_out(error, runtime.argv, runtime.console.width - 2)
    return found


def unasked(error: Any, typed: Sequence[str]) -> Iterator[str]:
    """Yield the words that a command about credentials did not ask for: one may be a secret."""
    message = error.format_message()
    if meant(error) or not (hasattr(error, "words") or "extra argument" in message):
        return
    for word in typed:
        if not word.startswith("-") and word not in error.ctx.command_path.split() and word in message:
            yield word


def meant(error: Any) -> str:
    """Return what was probably meant, as a sentence behind the message; '' where nobody knows."""
    if words := getattr(error, "words", None):
        return question(command_meant(words, error.ctx.command.entries))
    if hasattr(error, "possibilities"):
        command = error.ctx.command
        own = [name for one in command.get_params(error.ctx) for name in (*one.opts, *one.secondary_opts)]
        shared = HOISTED if hasattr(command, "entries") else ()
        return option_meant(error.option_name, [*(name for name in own if name.startswith("-")), *shared])
    known = getattr(getattr(getattr(error, "param", None), "type", None), "choices", ())
    value = re.search(r"'(\w+)' is not", error.format_message())
    if known and value:
        other = FORMATS.get(value[1].lower()) if error.param.name == "output" else None
        return question(other or nearest(value[1].lower(), known))
    return ""


def question(found: str | None) -> str:
    return f" Did you mean {found!r}?" if found else ""


def command_meant(words: Sequence[str], entries: Mapping[str, Any]) -> str | None:
    """Return the command that ``words`` mean in a group or at the root."""
    first, *others = [word.casefold() for word in words]
    verbs: list[str] = [verb for verb in (*VERBS.get(first, ()), first) if verb in entries]
    if verbs:
        return verbs[0]
    if "service" not in entries:  # not the root
        return near(first, entries)
    if ":" in first:  # api:proxy:v1:services:list, phone-numbers:list
        *nouns, verb = first.split(":")
        return in_order(verb, [noun for noun in nouns if singular(noun) in entries], entries) or "help"
    nouns = [word for word in others if singular(word) in entries][:1]  # options may stand before it
    return in_order(first, nouns, entries) or WORDS.get(first) or near(first, entries)


def in_order(verb: str, nouns: Sequence[str], entries: Mapping[str, Any]) -> str | None:
    """Return ``number list`` for the verb ``list`` of ``numbers``."""
    groups = [noun for noun in map(singular, nouns) if noun in entries]
    if not groups:
        return None
    commands = getattr(entries[groups[-1]].make(), "entries", {})
    many = ("list",) if verb in ("get", "describe", "show") and nouns[-1].endswith("s") else ()
    found = next((name for name in (*many, *VERBS.get(verb, ()), verb) if name in commands), None)
    return f"{groups[-1]} {found}" if found else None


def near(word: str, known: Iterable[str]) -> str | None:
    """Return the name that is spelled nearly the same; a guess at another word may do harm."""
    found = nearest(word, known)
    return found if found and SequenceMatcher(None, word, found).ratio() >= SAME_WORD else None


def singular(noun: str) -> str:
    return noun.removesuffix("s").removeprefix("phone-").removeprefix("phone_")


def option_meant(name: str, known: Collection[str]) -> str:
    """Return what to write in place of an option that a command does not have."""
    found = OPTIONS.get(name.strip("-"))
    if found and found.endswith("."):
        return f" {found}"
    if found is None or re.split("(?<=-v)|[ ]", found)[0] not in known:
        found = near(name.casefold(), known)
    if found is None and name in HOISTED:
        return " This command does not use it. Leave it out."
    return question(found)


def pointed_out(error: Any, typed: Sequence[str], width: int) -> tuple[str, ...]:
    """Return the command line up to its wrong word, and carets below what is wrong; nothing where it is not known.

    What stands behind may be a secret that a wrong option was to take.
    """
    found = wrong_word(error, typed)
    if found is None:
        return ()
    place, part = found[0], visible(found[1])
    before = visible(shlex.join(("proxyctl", *typed[:place])))
    text = visible(shlex.quote(typed[place]))
    at = text.find(part) if part in text else 0
    # What stands behind an option, and a '=', is not repeated.
    shown = f"{before} {part if part == getattr(error, 'option_name', None) else text}"
    marks = " " * (cells(before) + 1 + at) + "^" * max(1, cells(part))
    if len(shown) >= width:  # the wrong word is at the end
        away = len(shown) - width + 4
        shown, marks = f"... {shown[away:]}", f"    {marks[away:]}"
    return shown, marks


def wrong_word(error: Any, typed: Sequence[str]) -> tuple[int, str] | None:
    """Return the place of a word that is wrong, and its wrong part: an option, its value, or an argument."""
    option, parameter = getattr(error, "option_name", None), getattr(error, "param", None)
    message = error.format_message()
    if "Missing" in message:
        return None
    names = getattr(parameter, "opts", ()) if getattr(parameter, "param_type_name", "") == "option" else ()
    extra = message.rpartition("(")[2].rstrip(").").split()[:1] if "extra argument" in message else ()
    for place, word in enumerate(typed):
        name, equals, value = word.partition("=")
        if option and name == option:
            return place, option
        if name in names:
            if equals:
                return place, value
            return (place + 1, typed[place + 1]) if typed[place + 1 :] else (place, word)
        if not option and not names and (word in extra or repr(word) in message):
            return place, word
    return None
