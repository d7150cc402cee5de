"""What may be a secret in a wrong place: a command about credentials does not repeat it."""

from __future__ import annotations

from itertools import product

from tests.support import Cli, case

SECRET = "hunter2-0123456789abcdef"


LINES = [
    "auth login {}",
    "auth login -p prod {}",
    "auth logout {}",
    "auth status {}",
    "auth {}",
    "config {}",
    "config get {}",
    "config get output {}",
    "config set {}",
    "config set {} x",
    "config set profiles.prod.{} x",
    "config get profiles.{}.x",
    "config get profiles.{}.region",
    "config set profiles.{}.x y",
    "config set profiles.{}.region ie1",
    "config unset profiles.{}.region",
    "config unset {}",
    "profile list {}",
    "profile use prod {}",
]


def test_a_word_that_was_not_asked_for(bare: Cli) -> None:
    for line, secret, output, tty in product(LINES, [SECRET, "hunter2"], ["json", "table"], [False, True]):
        with case(line, secret, output, tty):
            ran = bare(*line.format(secret).split(), tty=tty, environ={"PROXYCTL_OUTPUT": output})
            assert ran.code == 2
            assert secret not in ran.err + ran.out


def test_a_key_of_the_config_file(bare: Cli) -> None:
    config = bare.directory / "config" / "config.toml"
    config.parent.mkdir(mode=0o700)
    config.touch(0o600)
    for text in (f'{SECRET} = "x"\n', f'[profiles.prod]\n"{SECRET}" = "x"\n'):
        config.write_text(text)
        ran = bare("config", "list")
        assert ran.code == 2 and SECRET not in ran.err and ".toml:" in ran.err


def test_what_is_meant_is_still_said(bare: Cli) -> None:
    assert "'whoami'. Did you mean 'status'" in bare("auth", "whoami").err
    assert "did you mean profiles.NAME.region" in bare("config", "get", "profiles.prod.regoin").err
