"""Commands that print a secret: run once and without a shell, and never quoted when they fail."""

from __future__ import annotations

import base64
import os
import shlex
import signal
import sys
import time
from pathlib import Path

import pytest

from proxyctl.errors import AuthenticationError, ConfigError
from proxyctl.profiles.profile import resolve_profile
from proxyctl.profiles.secret_command import secret_from_command
from proxyctl.profiles.store import ProfileStore

ACCOUNT = "AC" + "1" * 32


def python(code: str) -> str:
    return shlex.join([sys.executable, "-c", code])


def test_the_line_end_is_cut_and_the_command_runs_once(tmp_path: Path) -> None:
    store = ProfileStore(tmp_path / "config.toml")
    store.set_value("profiles.prod.account_sid", ACCOUNT)
    runs = tmp_path / "runs"
    command = python(f"open({str(runs)!r}, 'a').write('x'); print('canary')")
    store.set_value("profiles.prod.auth_token_command", command)
    profile = resolve_profile(option="prod", sandbox=False, environ=os.environ, store=store)
    assert not runs.exists()
    assert [profile.secret(), profile.secret()] == ["canary", "canary"]
    assert runs.read_text() == "x"
    assert "canary" not in repr(profile)


def test_there_is_no_shell_and_stdin_is_empty() -> None:
    assert secret_from_command("echo $HOME;id|cat", "x", os.environ) == "$HOME;id|cat"
    assert secret_from_command(python("import sys; print('a' + sys.stdin.read())"), "x", os.environ) == "a"
    assert secret_from_command(python("import os; print(os.environ['MINE'])"), "x", {"MINE": "b"}) == "b"


@pytest.mark.parametrize(
    ("command", "error", "words"),
    [
        ("", ConfigError, "empty"),
        ("echo 'canary", ConfigError, "unclosed quote"),
        ("/nonexistent/program canary", ConfigError, "No such file"),
        ("/ canary", ConfigError, "Permission denied"),
        (python("import sys; print('canary'); sys.exit(3)"), AuthenticationError, "exit code 3"),
        (
            python("import os; print('canary', flush=True); os.kill(os.getpid(), 9)"),
            AuthenticationError,
            "-9",
        ),
        (python("pass"), AuthenticationError, "is empty"),
        (python("print('canary\\ncanary')"), AuthenticationError, "not a single word"),
        (python("print('canary\\x1b[0m')"), AuthenticationError, "not a single word"),
        (python("import os; os.write(1, b'canary\\xff')"), AuthenticationError, "not a single word"),
        (python("while True: print('canary' * 1000)"), AuthenticationError, "more than 65536 bytes"),
        (python("print(' canary' * 9362 + ' ')"), AuthenticationError, "not a single word"),  # 65,536 bytes
    ],
)
def test_failures_do_not_repeat_the_command_or_its_output(
    command: str, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words) as caught:
        secret_from_command(command, "profile 'prod': auth_token_command", os.environ)
    assert "auth_token_command" in str(caught.value)
    assert "canary" not in f"{caught.value!r} {getattr(caught.value, 'hint', '')}"


def test_what_the_command_complains_about_is_cut_and_made_visible() -> None:
    command = python("import sys; sys.stderr.write('locked \\x1b[31m' + 'x' * 9000); sys.exit(1)")
    with pytest.raises(AuthenticationError) as caught:
        secret_from_command(command, "x", os.environ)
    assert r"locked \x1b[31m" in str(caught.value) and len(str(caught.value)) < 700


@pytest.mark.parametrize(
    ("out", "err"),
    [
        ("canary-5e11", "set -x: echo canary-5e11"),
        ("canary-5e11\\nuser", "token='canary-5e11'"),
        ('{"token": "canary-5e11"}', "no such field: canary-5e11"),
        ("user:canary-5e11", "user canary-5e11 is locked"),
        ("canary-5e11", "Basic " + base64.b64encode(b"user:canary-5e11").decode()),
        ("canary-5e11", "x" * 490 + "canary-5e11"),
        ("canary-5e11 " * 3 + " ".join(map(str, range(1000))), "canary-5e11"),
        ("canary", "the word canary"),
    ],
)
def test_a_complaint_is_cleaned_of_what_was_printed(out: str, err: str) -> None:
    command = python(f"import sys; print('{out}'); sys.stderr.write({err!r}); sys.exit(1)")
    with pytest.raises(AuthenticationError, match="exit code 1") as caught:
        secret_from_command(command, "x", os.environ)
    assert "canary" not in str(caught.value)
    assert "Y2FuYXJ5" not in str(caught.value) and "dXNlcjpj" not in str(caught.value)


def test_a_complaint_with_nothing_printed_is_shown() -> None:
    with pytest.raises(AuthenticationError, match="the vault is locked"):
        secret_from_command(python("import sys; sys.exit('the vault is locked')"), "x", os.environ)


@pytest.mark.parametrize(
    "child", ["time.sleep(60)", "[print(i, flush=True) for i in iter(int, 1) if not time.sleep(0.1)]"]
)
def test_a_child_that_holds_the_streams_is_not_waited_for(tmp_path: Path, child: str) -> None:
    """A vault's agent, say, which the command starts: it lives on."""
    kept = tmp_path / "pid"
    agent = [sys.executable, "-c", f"import time; {child}"]
    start = f"import subprocess; agent = subprocess.Popen({agent!r})"
    code = f"{start}; open({str(kept)!r}, 'w').write(str(agent.pid)); print('canary')"
    began = time.monotonic()
    try:
        assert secret_from_command(python(code), "x", os.environ).startswith("canary")
        assert time.monotonic() - began < 10
    finally:
        os.kill(int(kept.read_text()), signal.SIGKILL)


@pytest.mark.parametrize("close", ["", "import os; os.close(1); os.close(2); "])
def test_a_command_that_hangs_is_ended(close: str) -> None:
    command = python(f"{close}import signal; signal.pause()")
    with pytest.raises(AuthenticationError, match=r"within 0\.3 seconds"):
        secret_from_command(command, "x", os.environ, seconds=0.3)
