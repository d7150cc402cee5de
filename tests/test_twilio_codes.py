"""The table of codes: complete, true to what the program does, and naming only commands that there are."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

from proxyctl.api.answers import error_of
from proxyctl.api.resources import Call
from proxyctl.commands.report import End, failure_of
from proxyctl.commands.tree import root_command
from proxyctl.errors import ExitCode, NotFoundError, Problem, ProxyctlError, RefusedError
from proxyctl.explaining import (
    Explanation,
    error_json,
    error_lines,
    explanation_of,
    hint_for,
    lead_of,
    near_codes,
    twilio_code,
)
from proxyctl.input.items import Item
from proxyctl.roles import laid_out
from tests.support import each

KS = "KS" + "a1" * 16
PN = "PN" + "b2" * 16

# Every code of Proxy's in Twilio's error dictionary.
PROXY = (
    *range(80101, 80106), *range(80201, 80204), *range(80205, 80209), 80301, *range(80303, 80309),
    *range(80401, 80410), *range(80501, 80507), *range(80601, 80626), 80701, 80801, 80802,
    *range(80901, 80912), 80913,
)  # fmt: skip
PLATFORM = (20003, 20004, 20006, 20007, 20403, 20404, 20429, 20500, 20503, 70002)
MESSAGING = (21710, 21712, 21714, 21715)
STATUSES = (400, 401, 403, 404, 409, 422, 429, 500, 502, 503, 504)
CODES = (*PROXY, *PLATFORM, *MESSAGING, *STATUSES, *(int(code) for code in ExitCode))

# The HTTP statuses that come with the codes of Twilio's which do not come with 400.
STATUS_OF = {
    10001: 401, 20003: 401, 20005: 401, 20006: 403, 20008: 403, 20403: 403, 20404: 404, 20409: 409, 20422: 422,
    20429: 429, 20500: 500, 20503: 503, 80501: 500, 80502: 500, 80504: 500, 80621: 429,
}  # fmt: skip


def entry(code: int) -> Explanation:
    found = explanation_of(code)
    assert found is not None, code
    return found


def commands(text: str) -> list[list[str]]:
    """Return the command lines that stand in single quotes in ``text``, as words."""
    return [match.split() for match in re.findall(r"'proxyctl ([^']+)'", text)]


def test_every_code_that_an_operator_meets_is_explained() -> None:
    assert [code for code in CODES if explanation_of(code) is None] == []
    assert len(PROXY) == 74


@each(CODES)
def test_an_entry_is_whole_and_readable_anywhere(code: int) -> None:
    found = entry(code)
    texts = (found.title, found.meaning, *found.causes, *found.next)
    assert all(text and text == text.strip() and text.isascii() and text.isprintable() for text in texts)
    assert all(text.endswith(".") for text in (found.meaning, *found.causes, *found.next))
    assert found.next
    assert found.causes or code in set(ExitCode)
    assert len(found.meaning) <= 240
    assert found.more_info == (f"https://www.twilio.com/docs/errors/{code}" if code > 999 else None)


@each([code for code in CODES if code > 999])
def test_the_exit_code_is_the_one_that_the_program_ends_with(code: int) -> None:
    found = entry(code)
    if found.exit_code is None:  # Twilio logs it, and no request gets it.
        assert code in (80614, 80619, 80620, 80624, 80625) or code > 80900
        return
    call = Call("DELETE", f"/v1/Services/{KS}/PhoneNumbers/{PN}")
    error = error_of(call, Problem(STATUS_OF.get(code, 400), code))
    assert error.exit_code == found.exit_code


@each(STATUSES)
def test_so_is_that_of_a_status(status: int) -> None:
    error = error_of(Call("GET", f"/v1/Services/{KS}"), Problem(status))
    assert error.exit_code == entry(status).exit_code


@each(CODES)
def test_the_commands_to_type_exist_with_their_options(code: int) -> None:
    tree: Any = root_command()
    for words in [line for text in entry(code).next for line in commands(text)]:
        command, context = tree, tree.make_context("proxyctl", ["explain"], resilient_parsing=True)
        while hasattr(command, "list_commands"):
            assert words[0] in command.list_commands(context), words
            command = command.get_command(context, words.pop(0))
        known = {name for parameter in command.params for name in parameter.opts + parameter.secondary_opts}
        given = {word for word in words if word.startswith("-")}
        assert given <= known | {"-h"}, (code, given)


def test_near_codes_are_those_of_a_slip_of_the_hand() -> None:
    assert 80601 in [found.code for found in near_codes(8061)]
    assert near_codes(9)[0].code in range(9)
    assert len(near_codes(123456789)) == 3


def test_a_servers_small_number_is_no_exit_code_of_ours() -> None:
    assert twilio_code(7) is None
    assert twilio_code(429) is None
    assert twilio_code(None) is None
    assert hint_for(RefusedError("no", problem=Problem(400, 7))) is None


def text_of(error: ProxyctlError) -> str:
    """What a pipe gets of an error."""
    return laid_out(error_lines(error, lead_of(error, terminal=False))).removesuffix("\n")


def test_an_error_without_a_hint_of_its_own_teaches() -> None:
    path = f"/v1/Services/{KS}/PhoneNumbers/{PN}"
    error = error_of(Call("DELETE", path), Problem(400, 80611, "in use", None, "RQ" + "c" * 32))
    text = text_of(error)
    assert f"DELETE {path}: refused (400, code 80611): in use" in text
    assert "Open sessions use the number" in text
    assert f"'proxyctl number drain {KS} {PN} --wait --remove'" in text
    assert "https://www.twilio.com/docs/errors/80611" in text
    assert text.endswith("Request id: RQ" + "c" * 32)
    told = json.loads(error_json(error))["error"]
    assert told["hint"] == hint_for(error)
    assert (told["status"], told["code"], told["exit_code"]) == (400, 80611, 5)
    assert told["more_info"] == "https://www.twilio.com/docs/errors/80611"


def test_a_better_hint_and_the_servers_own_link_stay() -> None:
    problem = Problem(404, 20404, "gone", "https://example.com/why")
    error = NotFoundError("there is no Service 'prdo'.", hint="Did you mean 'prod'?", problem=problem)
    text = text_of(error)
    assert text.splitlines()[1:] == ["  Did you mean 'prod'?", "  More: https://example.com/why"]


def test_the_number_of_an_item_is_filled_in() -> None:
    error = RefusedError("refused", problem=Problem(400, 80101))
    assert "'proxyctl number find +14155550100'" in str(hint_for(error, number="+14155550100"))
    assert "'proxyctl number find NUMBER'" in str(hint_for(error))


FULL = """
import os
from proxyctl.errors import Problem, RefusedError
from proxyctl.explaining import error_lines
from proxyctl.roles import Piece, laid_out
held = []
try:
    while True:
        held.append(os.open("/dev/null", os.O_RDONLY))
except OSError:
    error = RefusedError("refused", problem=Problem(400, 80601))
    print(laid_out(error_lines(error, Piece("proxyctl:"))), end="")
"""


def test_where_no_file_can_be_opened_the_error_is_told_all_the_same() -> None:
    done = subprocess.run(
        ["sh", "-c", 'ulimit -n 64; exec "$0" -c "$1"', sys.executable, FULL], capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("proxyctl: refused.\n", "")


def test_an_unknown_code_adds_nothing() -> None:
    error = RefusedError("refused", problem=Problem(400, 99999, "what?"))
    assert text_of(error) == "proxyctl: refused."
    assert json.loads(error_json(error))["error"]["more_info"] is None


def test_the_line_of_a_failed_item_teaches_too() -> None:
    item = Item("+1 415 555 0100", None, "+14155550100", None, 3)
    error = RefusedError("refused (400, code 80605)", problem=Problem(400, 80605))
    line = failure_of(End(item, "failed", error=error)).one_line
    assert line.startswith("+1 415 555 0100 (read as +14155550100): failed: refused (400, code 80605). ")
    assert "is not in this Service's pool. 'proxyctl number find +14155550100' shows where it is" in line
    assert "\n" not in line
