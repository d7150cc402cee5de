"""What a shell is answered: by Typer's own protocol, and whatever the surroundings are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from proxyctl.commands.completion import answer_to
from proxyctl.completion.names import AccountNames, Names
from proxyctl.completion.shells import Line, answer, quoted, split
from tests.support import REPOSITORY, command

SERVICE = "KS" + "0" * 32
Environ = dict[str, str]


@pytest.fixture
def environ(tmp_path: Path) -> Environ:
    """An environment whose cache knows three profiles, and one account well."""
    environ = {"HOME": str(tmp_path)}
    names = Names(environ)
    names.save_profiles([("prod", "AC1", True), ("dev", "AC2", False), ("empty", "AC3", False)])
    prod = AccountNames(names, "prod", "AC1")
    prod.save_services([(SERVICE, "masking"), ("KS" + "1" * 32, "other")])
    AccountNames(names, "dev", "AC2").save_services([("KS" + "2" * 32, "of-dev")])
    AccountNames(names, "environment", "AC9").save_services([("KS" + "3" * 32, "of-environment")])
    AccountNames(names, "sandbox", "").save_services([("KS" + "4" * 32, "of-sandbox")])
    return environ


def offered(environ: Environ, line: str) -> list[str]:
    """Return what is offered for ``line``, as Typer's script for bash would ask."""
    words = line.split(" ")
    asked = {"_PROXYCTL_COMPLETE": "complete_bash", "COMP_WORDS": "\n".join(words)}
    code, text = answer_to({**environ, **asked, "COMP_CWORD": str(len(words) - 1)})
    assert code == 0
    return text.splitlines()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("proxyctl num", ["number"]),
        ("proxyctl number rel", ["release"]),
        ("proxyctl -v --sandbox number rel", ["release"]),
        ("proxyctl -vq -o json number rel", ["release"]),
        ("proxyctl number reserve ", ["masking", "other"]),
        ("proxyctl number reserve ma", ["masking"]),
        ("proxyctl number reserve KS1", ["KS" + "1" * 32]),
        ("proxyctl number reserve masking ", []),
        ("proxyctl number list masking ", ["other"]),
        ("proxyctl number move --from ma", ["masking"]),
        ("proxyctl service show masking ", []),
        ("proxyctl number show ma", ["masking"]),
        ("proxyctl number show masking ", []),
        ("proxyctl -p ", ["prod", "dev", "empty", "sandbox"]),
        ("proxyctl service list --profile d", ["dev"]),
        ("proxyctl service -p d", ["dev"]),
        ("proxyctl profile use e", ["empty"]),
        ("proxyctl -p dev service show ", ["of-dev"]),
        ("proxyctl service show -pdev ", ["of-dev"]),
        ("proxyctl service show --profile = dev ", ["of-dev"]),
        ("proxyctl --profile=dev service show ", ["of-dev"]),
        ("proxyctl -p empty service show ", []),
        ("proxyctl -p unknown service show ", []),
        ("proxyctl --sandbox service show ", ["of-sandbox"]),
        ("proxyctl -o js", ["json", "jsonl"]),
        ("proxyctl number list --output = cs", ["csv"]),
        ("proxyctl service list --output=cs", ["csv"]),
        ("proxyctl service create x --geo-match-level c", ["country"]),
        ("proxyctl --sand", ["--sandbox"]),
        ("proxyctl service list --no-", ["--no-header"]),
        ("proxyctl service list --no-header --no-", []),
        ("proxyctl number list --id", ["--idle"]),
        ("proxyctl number list -- --id", []),
        ("proxyctl completion ", ["bash", "zsh", "fish"]),
        ("proxyctl help number rel", ["release"]),
        ("proxyctl number drain masking --allow le", ["leave-first", "leave-messaging"]),
        ("proxyctl pool audit --ignore webhook-s", ["webhook-stale"]),
        ("proxyctl messaging check a --severity w", ["warning"]),
        ("proxyctl help ex", ["explain", "exit-codes"]),
        ("proxyctl service list --limit ", []),
    ],
)
def test_what_is_offered(environ: Environ, line: str, expected: list[str]) -> None:
    assert offered(environ, line) == expected


def test_the_environment_chooses_whose_names(environ: Environ) -> None:
    line = "proxyctl service show "
    assert offered({**environ, "PROXYCTL_PROFILE": "dev"}, line) == ["of-dev"]
    assert offered({**environ, "PROXYCTL_PROFILE": "sandbox"}, line) == ["of-sandbox"]
    assert offered({**environ, "TWILIO_ACCOUNT_SID": "AC9"}, line) == ["of-environment"]
    assert offered({**environ, "TWILIO_ACCOUNT_SID": "AC8"}, line) == []
    both = {**environ, "PROXYCTL_PROFILE": "dev", "TWILIO_ACCOUNT_SID": "AC9"}
    assert offered(both, line) == ["of-dev"]
    assert offered(both, "proxyctl -p prod service show ") == ["masking", "other"]
    assert offered({**environ, "PROXYCTL_CONFIG": "/elsewhere/config.toml"}, line) == []


def asked_by_script(shell: str, line: str, environ: Environ, word: str = "") -> tuple[int, str]:
    own = {"_PROXYCTL_COMPLETE_WORD": word} if shell != "zsh" else {}
    return answer_to(
        {**environ, **own, "_PROXYCTL_COMPLETE": f"complete_{shell}", "_TYPER_COMPLETE_ARGS": line}
    )


def test_shells_are_told_to_complete_files(environ: Environ) -> None:
    for shell in ("bash", "zsh", "fish"):
        assert asked_by_script(shell, "proxyctl number add x -f ", environ) == (0, "\tfiles\n")
        assert asked_by_script(shell, "proxyctl pool export --numbers-to x", environ) == (
            0,
            "\tdirectories\n",
        )
        assert asked_by_script(shell, "proxyctl service create ", environ) == (0, "")
    # Typer's own script takes silence for that.
    assert offered(environ, "proxyctl number add x -f ") == []


def test_fish_gets_whole_words_with_what_they_are(environ: Environ) -> None:
    assert asked_by_script("fish", "proxyctl service show m", environ)[1] == f"masking\t{SERVICE}\n"
    assert (
        asked_by_script("fish", "proxyctl --output=js", environ)[1] == "--output=json\t\n--output=jsonl\t\n"
    )
    assert asked_by_script("fish", "TERM=dumb proxyctl num", environ)[1].startswith("number\t")


def test_zsh_gets_names_as_describe_reads_them(environ: Environ) -> None:
    AccountNames(Names(environ), "prod", "AC1").save_services([(SERVICE, "a:b'c\\d$(x)")])
    text = asked_by_script("zsh", "proxyctl service show ", environ)[1]
    assert text == f"a\\:b'c\\\\d$(x):{SERVICE}\n"


def test_names_that_a_terminal_would_act_on_are_never_offered(environ: Environ) -> None:
    evil = ["ok", "bell\a", "esc\x1b[31m", "bidi\u202eabc", "tab\there", "new\nline", "half\udc80", "nul\0"]
    prod = AccountNames(Names(environ), "prod", "AC1")
    prod.save_services([(f"KS{i:032d}", name) for i, name in enumerate(evil)])
    assert [name for name in offered(environ, "proxyctl service show ") if not name.startswith("KS")] == [
        "ok"
    ]
    files = list(Path(environ["HOME"]).rglob("services.prod*"))
    files[0].write_bytes(b"KS1\t\x1b[31mred\nKS2\t\xff\xfe\n\nnonsense\nKS3\tgood\n")
    assert "good" in offered(environ, "proxyctl service show ")
    assert all(name.isprintable() for name in offered(environ, "proxyctl service show "))


@pytest.mark.parametrize("quote", ["", "'", '"'])
@pytest.mark.parametrize(
    "value", ["plain", "two words", "it's", 'a"b', "a\\b", "$(x)`y`", "a!", "x'", 'x"', "ü&|;<>"]
)
def test_what_is_quoted_is_read_again(value: str, quote: str) -> None:
    text = quoted(value, quote)
    line = f"{quote}{text}{'' if text.endswith(quote or ' ') else quote}"
    read = subprocess.run(["bash", "-c", f"printf %s {line}"], capture_output=True, text=True, check=True)
    assert read.stdout == value


@pytest.mark.parametrize(
    ("line", "words", "word", "quote"),
    [
        ("a b", ["a"], "b", ""),
        ("a b ", ["a", "b"], "", ""),
        ("a 'it is", ["a"], "it is", "'"),
        ("a 'two ", ["a"], "two ", "'"),
        ('a "say', ["a"], "say", '"'),
        ("a two\\ ", ["a"], "two ", ""),
        ("a b#c", ["a"], "b#c", ""),
        ("", [], "", ""),
    ],
)
def test_what_is_typed_is_read_as_shells_do(line: str, words: list[str], word: str, quote: str) -> None:
    assert split(line) == (words, word, quote)


def test_source_prints_the_script(environ: Environ) -> None:
    for shell in ("bash", "zsh", "fish"):
        code, text = answer_to({**environ, "_PROXYCTL_COMPLETE": f"source_{shell}"})
        assert (code, "proxyctl" in text) == (0, True)
    for nonsense in ("complete_tcsh", "nonsense", "", "run_bash"):
        assert answer_to({**environ, "_PROXYCTL_COMPLETE": nonsense}) == (1, "")


def process(environ: Environ, line: str, **settings: object) -> subprocess.CompletedProcess[bytes]:
    words = line.split(" ")
    asked = {"_PROXYCTL_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    environ = {"PYTHONPATH": str(REPOSITORY), "PATH": os.environ["PATH"], **environ, **asked}
    return subprocess.run(command(), env=environ, capture_output=True, timeout=60, check=False)


def test_silent_in_bad_surroundings(environ: Environ, tmp_path: Path) -> None:
    config = tmp_path / "broken.toml"
    config.write_text("not = [toml")
    readonly = tmp_path / "readonly"
    readonly.mkdir(mode=0o500)
    surroundings: list[Environ] = [
        {},
        {"HOME": ""},
        {"HOME": "/nonexistent"},
        {"HOME": "relative"},
        {"HOME": str(readonly)},
        {**environ, "PROXYCTL_CONFIG": str(config)},
        {**environ, "XDG_CACHE_HOME": "/dev/null"},
        {**environ, "HTTPS_PROXY": "http://127.0.0.1:9", "TWILIO_ACCOUNT_SID": "nonsense"},
        {**environ, "LC_ALL": "C", "PROXYCTL_BASE_URL": "http://nowhere.invalid"},
    ]
    for surrounding in surroundings:  # what is offered here is asked of the cache too
        ran = process(surrounding, "proxyctl service list -p sandb")
        assert (ran.returncode, ran.stdout, ran.stderr) == (0, b"sandbox\n", b"")


def test_reads_nothing_but_its_own_files(environ: Environ, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[profiles.prod]\n")
    watch = (
        "import os, sys; seen = []\n"
        "sys.addaudithook(lambda event, data: seen.append((event, str(data[0])))"
        " if event.split('.')[0] in ('open', 'socket', 'subprocess', 'os') else None)\n"
        "from proxyctl.commands.completion import respond\n"
        "code = respond(os.environ)\n"
        "print('\\n'.join(f'{event} {what}' for event, what in seen), file=sys.stderr); sys.exit(code)\n"
    )
    asked = {"_PROXYCTL_COMPLETE": "complete_bash", "COMP_WORDS": "proxyctl service show ", "COMP_CWORD": "3"}
    variables = {
        "PYTHONPATH": str(REPOSITORY),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PROXYCTL_CONFIG": str(config),
    }
    Names({**environ, **variables}).save_profiles([("prod", "AC1", True)])
    ran = subprocess.run(
        [sys.executable, "-c", watch],
        env={**environ, **variables, **asked},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    events = ran.stderr.splitlines()
    outside = [e for e in events if str(tmp_path) in e and str(tmp_path / ".cache") not in e]
    assert ran.stdout.splitlines() == ["masking", "other"]
    assert outside == []
    assert [event for event in events if not event.startswith(("open ", "os.listdir "))] == []


def test_a_name_is_quoted_for_a_script_that_quotes_nothing() -> None:
    """Typer's own script for bash puts the candidates in as they come."""
    line = Line(["proxyctl", "service", "show"], "ga")
    assert answer("bash", {"COMP_WORDS": "", "COMP_CWORD": "3"}, line, [("gate;touch x", "")]) == [
        "gate\\;touch\\ x"
    ]
