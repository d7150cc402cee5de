"""`proxyctl explain`: what a code means, why it comes up and what to do; offline, in words of our own."""

from typing import Annotated

import typer

from proxyctl.commands.options import DATA, MESSAGES, argument, shared
from proxyctl.errors import ConfigError, NotFoundError, UsageError
from proxyctl.explaining import Explanation, explanation_of, near_codes
from proxyctl.roles import lines_of
from proxyctl.runtime import Runtime

app = typer.Typer(
    epilog="""Examples:
  proxyctl explain 80601
  proxyctl explain 429
  proxyctl explain 7 -o json
"""
)

FIELDS = ("code", "title", "meaning", "causes", "next", "more_info", "exit_code")
LONGEST = 9  # digits; no code of Twilio's has more than 6


@app.command("explain")
@shared(MESSAGES, DATA)
def explain(
    ctx: typer.Context,
    code: Annotated[
        str,
        argument("CODE", "Twilio's code, an HTTP status, or an exit code of proxyctl."),
    ],
) -> None:
    """Say what a code means, why it comes up and what to type next.

    A code of five digits is Twilio's, one from 400 to 599 a status of HTTP; 0 to 8, 129, 130 and 143 are exit
    codes of proxyctl. Needs no network and no credentials. Prints text unless a format is asked for.
    """
    from proxyctl.render.shapes import Shape

    runtime: Runtime = ctx.obj
    number = parse_code(code)
    found = explanation_of(number)
    if found is None:
        raise unknown(number)
    try:
        asked = runtime.asked_format()
    except ConfigError:  # What explains errors has to work amid them.
        asked = runtime.format = "table"
    if runtime.options.fields is None and asked in (None, "table"):
        runtime.out.lines(lines_of(text_of(found)), widest=100)
    else:
        runtime.out.one(Shape.generic("code", FIELDS, id_field="code"), found._asdict())


def parse_code(text: str) -> int:
    """Return the code that was typed; UsageError for what is no number."""
    if text.isascii() and text.isdigit() and len(text) <= LONGEST:
        return int(text)
    raise UsageError(
        f"{text[:40]!r} is not a code: codes are numbers, like 80601, 429 or 7.",
        hint="The code stands in the error: 'proxyctl explain 80601'.",
    )


def unknown(code: int) -> NotFoundError:
    """Return the error for a code that proxyctl has no words for, with those that may have been meant."""
    near = "\n".join(f"{entry.code}  {entry.title}" for entry in near_codes(code))
    link = f"https://www.twilio.com/docs/errors/{code} may know it.\n" if code > 999 else ""
    return NotFoundError(f"the code {code} is not known here.", hint=f"{link}Near are:\n{near}")


def text_of(found: Explanation) -> str:
    """Return the explanation for people."""
    blocks = [f"{found.code}: {found.title}", found.meaning]
    for title, lines in (("Why it comes up:", found.causes), ("What to do:", found.next)):
        if lines:
            blocks.append("\n".join([title, *(f"  - {line}" for line in lines)]))
    facts = [] if found.exit_code in (None, found.code) else [f"Exit code of proxyctl: {found.exit_code}"]
    facts += [f"More: {found.more_info}"] if found.more_info else []
    return "\n\n".join([*blocks, "\n".join(facts)] if facts else blocks)
