"""A command's texts and parameters as a reader sees them, for its help and its man page.

Read from Typer's parameters and never from the text of --help, whose wording changes between its versions.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

OPTIONS = "Options"


@dataclass(frozen=True)
class Parameter:
    """An argument or option as a reader sees it. ``value`` stands for what follows an option, '' for nothing."""

    names: tuple[str, ...]  # as typed; none for an argument
    value: str
    help: str
    default: str
    required: bool
    repeatable: bool
    panel: str

    @property
    def is_argument(self) -> bool:
        return not self.names


def paragraphs_of(text: str) -> list[str]:
    """Split a docstring into paragraphs, each on one line."""
    return [" ".join(part.split()) for part in inspect.cleandoc(text).split("\n\n") if part.strip()] or [""]


def examples_of(epilog: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split an epilog into its indented lines, which are command lines, and the paragraphs of the rest."""
    lines = epilog.splitlines()
    examples = tuple(line.strip() for line in lines if line.startswith(" "))
    rest = "\n".join(line for line in lines if not line.startswith(" ") and not line.endswith(":"))
    return examples, tuple(" ".join(part.split()) for part in rest.split("\n\n") if part.strip())


def parameter_of(parameter: Any) -> Parameter:
    """Return what is known of an argument or option."""
    argument = parameter.param_type_name == "argument"
    # Typer keeps the names of --help in a set, so their order is nobody's.
    names = sorted((*parameter.opts, *parameter.secondary_opts), key=lambda name: name.startswith("--"))
    takes_value = not argument and not parameter.is_flag and not parameter.count
    metavar = (
        parameter.metavar or "|".join(getattr(parameter.type, "choices", ())) or parameter.type.name.upper()
    )
    return Parameter(
        names=() if argument else tuple(names),
        value=metavar if argument or takes_value else "",
        help=" ".join((parameter.help or "").split()),
        default=default_of(parameter),
        required=parameter.required,
        repeatable=parameter.nargs == -1
        or bool(getattr(parameter, "multiple", False) or getattr(parameter, "count", 0)),
        panel=getattr(parameter, "rich_help_panel", None) or ("Arguments" if argument else OPTIONS),
    )


def default_of(parameter: Any) -> str:
    """Return the default as one would type it, '' where there is none to speak of."""
    if isinstance(parameter.show_default, str):
        return parameter.show_default
    value = parameter.default
    if (
        value is None
        or value is False
        or parameter.show_default is False
        or value == []
        or getattr(parameter, "count", False)
    ):
        return ""
    if value is True:
        return str(parameter.opts[0])
    return str(value)
