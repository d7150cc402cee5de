"""`proxyctl explain`: the meaning of a code, its causes and the next step, without a network."""

from proxyctl.commands.options import DATA, argument, command
from proxyctl.errors import ConfigError, NotFoundError
from proxyctl.explaining import Explanation, explanation_of, near_codes
from proxyctl.roles import lines_of
from proxyctl.runtime import Runtime
from proxyctl.text import Lines


@command("explain", None, DATA)
def explain(
    runtime: Runtime,
    code: int = argument("CODE", "Code of Twilio, HTTP status, or exit code of proxyctl."),
) -> None:
    """Explain a code of Twilio, an HTTP status or an exit code of proxyctl.

    Codes of five digits are Twilio's. Codes from 400 to 599 are HTTP statuses. 0 to 8, 129, 130 and 143 are exit codes
    of proxyctl. This command needs no network and no credentials. It prints text unless -o names a format.

    Examples:
      proxyctl explain 80601
      proxyctl explain 429
      proxyctl explain 7 -o json
    """
    from proxyctl.render.shapes import Shape

    found = explanation_of(code)
    if found is None:
        raise unknown(code)
    try:
        asked = runtime.asked_format()
    except ConfigError:  # What explains errors has to work amid them.
        asked = runtime.format = "table"
    if runtime.options.fields is None and asked in (None, "table"):
        runtime.out.lines(lines_of(text_of(found)), widest=100)
    else:
        runtime.out.one(Shape.generic("code", Explanation._fields, id_field="code"), found._asdict())


def unknown(code: int) -> NotFoundError:
    """Return the error for an unknown code, with codes that are near."""
    near = (f"{entry.code}  {entry.title}" for entry in near_codes(code))
    link = f"See https://www.twilio.com/docs/errors/{code}." if code > 999 else None
    return NotFoundError(f"code {code} is unknown.", hint=Lines(link, "Similar codes:", *near))


def text_of(found: Explanation) -> Lines:
    """Return the explanation for people."""
    rows = [f"{found.code}: {found.title}", "", found.meaning]
    for title, lines in (("Causes:", found.causes), ("Next:", found.next)):
        if lines:
            rows += ["", title, *(f"  - {line}" for line in lines)]
    facts = [] if found.exit_code in (None, found.code) else [f"Exit code of proxyctl: {found.exit_code}"]
    facts += [f"More: {found.more_info}"] if found.more_info else []
    return Lines(*rows, *(["", *facts] if facts else []))
