"""Bulk runs at a terminal: the progress bar, and whatever is said while it is shown."""

from __future__ import annotations

import re

from proxyctl.bulk.outcomes import Result
from proxyctl.clock import CLEAR_LINE, cleared
from proxyctl.commands.sending import watch
from proxyctl.errors import Interrupted, RefusedError
from proxyctl.render.progress import BulkLine, Live
from proxyctl.roles import line
from proxyctl.runtime import Runtime
from tests.support import Cli, stream, written

TOKEN = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\n|\r|[^\x1b\n\r]+")


def seen(text: str) -> list[str]:
    """The lines as they stay on the screen: as much of a terminal as a progress bar needs."""
    lines = [""]
    for token in TOKEN.findall(text):
        if token == "\n":
            lines.append("")
        elif token == "\x1b[1A":
            lines.pop()
        elif token == "\x1b[2K":
            lines[-1] = ""
        elif token[0] not in "\r\x1b":
            lines[-1] += token
    return lines


def test_lines_are_said_above_the_bar(cli: Cli) -> None:
    sids = [row["sid"] for row in cli.seed(5)]
    cli.ok("service", "create", "masking")
    ran = cli("number", "add", "masking", *sids, "-vv", tty=True)
    assert ran.code == 0
    assert "\x1b[?25l" in ran.err and "\x1b[?25h" in ran.err, "there was a bar"
    lines = seen(ran.err)
    assert len([line for line in lines if line.startswith("POST /v1/Services/")]) == 5
    assert not [line for line in lines if "POST" in line and "/5" in line], "each has a line of its own"
    assert lines[-2].startswith("masking (profile sandbox): added 5, failed 0 in ")
    assert not [line for line in lines if "─" in line], "the bar is gone"
    assert ran.out == "", "at a terminal no rows, unless a format is asked for"


def test_quiet_and_pipes_have_no_bar(cli: Cli) -> None:
    sids = [row["sid"] for row in cli.seed(4)]
    cli.ok("service", "create", "masking")
    assert cli("number", "add", "masking", *sids[:2], "-q", tty=True).err == ""
    assert "\x1b" not in cli("number", "add", "masking", *sids[2:]).err


def test_failures_and_summary_follow_the_bar(cli: Cli) -> None:
    *sids, stays = [row["sid"] for row in cli.seed(4)]
    cli.ok("service", "create", "masking")
    cli.ok("number", "add", "masking", *sids[:2], stays)
    ran = cli("number", "reserve", "masking", *sids, tty=True)
    assert ran.code == 6
    text = " ".join(seen(ran.err))
    assert text.index("1 failed  not in the pool") < text.index(sids[2]) < text.index("reserved 2, failed 1")


def test_what_fails_is_over_too_and_what_is_skipped_is_not() -> None:
    runtime = Runtime(environ={"PROXYCTL_PROFILE": "sandbox"}, stderr=stream(tty=True))
    take = watch(runtime, "add a", 4)
    assert isinstance(runtime.console.bar, Live)
    shown = runtime.console.bar._words
    assert isinstance(shown, BulkLine)
    take(Result(0, "done"))
    take(Result(1, "failed", error=RefusedError("no")))
    take(Result(2, "unknown"))
    assert (shown.done, shown.failed) == (3, 2)
    take(Result(3, "skipped", error=Interrupted(2)))
    assert (shown.done, shown.failed) == (3, 2)
    runtime.console.clear()


def test_a_signal_makes_room_where_a_bar_is_shown() -> None:
    runtime = Runtime(environ={}, stderr=stream(tty=True))
    assert cleared(runtime.console) == ""
    runtime.draw(lambda seconds: line("working"))
    assert cleared(runtime.console) == CLEAR_LINE
    runtime.console.clear()
    assert cleared(runtime.console) == ""


def test_what_is_said_after_the_bar_is_said_as_ever() -> None:
    target = stream(tty=True)
    runtime = Runtime(environ={}, stderr=target)
    with runtime.drawing(lambda seconds: line("working")):
        runtime.say("while it is shown, with [brackets] and \x1b[31m")
    runtime.say("afterwards")
    lines = seen(written(target))
    assert "while it is shown, with [brackets] and \\x1b[31m" in lines
    assert lines[-2:] == ["afterwards", ""]
