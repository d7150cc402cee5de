"""Config files that were written to harm: refused in no time, with file and line, and without their values."""

from __future__ import annotations

from pathlib import Path
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxyctl.errors import ConfigError
from proxyctl.profiles.config_file import check_document, parse
from proxyctl.profiles.store import ProfileStore

HOSTILE = {
    "nested in a line": ("a = " + "[" * 5000 + "]" * 5000, 1),
    "nested in lines": ("a = " + "[\n" * 5000 + "]\n" * 5000, 51),
    "nested, with brackets in strings": ("a = " + '[ "]",\n' * 5000, 51),
    "nested inline tables": ("a = " + "{b = " * 600 + "1" + "}" * 600, 1),
    "nested headers": ("[" * 4000, 1),
    "a dotted key of 20,000 parts": (".".join("a" * 20_000) + " = 1", 1),
    "many dotted keys": ("\n".join(".".join("a" * 60) + f".b{n} = 1" for n in range(2000)), 1),
    "a dotted header": ("\n[" + ".".join("a" * 20_000) + "]", 2),
    "a 5,000-digit number": ("output = " + "1" * 5000, 1),
    "a number as long as a line may be": ("\noutput = " + "1" * 4080, 2),
    "a date that does not exist": ("a = 1\nb = 2020-02-30T00:00:00Z", None),
    "many keys": ("\n".join(f"a{n} = 1" for n in range(25_000)), 1),
    "many tables": ("\n".join(f"[profiles.a{n}]" for n in range(12_000)) + "\nx = 1", 12_001),
    "a key twice": ("output = 'csv'\n\noutput = 'csv'", 3),
    "a table twice": ("[profiles.a]\n[profiles.b]\n[profiles.a]", 3),
    "an unknown key": ("output = 'csv'\n[profiles.a]\nregoin = 'canary'", 3),
    "an unknown table": ("[profile.a]\nregion = 'ie1'", 1),
    "an unknown key, dotted": ("profiles.a.edge = 'x'\nprofiles.a.regoin = 'canary'", 2),
    "an unknown key, inline": ("[profiles]\na = {regoin = 'canary'}", 2),
    "an unknown key, quoted": ("[profiles.'a.b']\n\"\\u001b[31m\" = 'canary'", 2),
    "text for true": ("[profiles.a]\n\nprotected = 'canary'", 3),
    "a number for text": ("[profiles.a]\naccount_sid = 5", 2),
    "a profile that is text": ("[profiles]\na = 'canary'", 2),
    "profiles that are a list": ("[[profiles]]", 1),
    "an output that does not exist": ("\n\noutput = 'canary'", 3),
    "the sandbox's name": ("\n[profiles.sandbox]", 2),
    "not TOML": ("output = 'json'\nauth_token = canary", 2),
    "an unclosed string": ("[profiles.a]\nauth_token = 'canary", 2),
    "an unclosed long string": ("auth_token = '''canary\n" * 3, None),
    "a control character": ("output = '\x1b[31m'", 1),
    "a NUL": ("output = 'csv'\n\0", 2),
    "not UTF-8": (b"output = 'csv'\n\xff\xfe", 2),
    "UTF-16": ("output = 'csv'".encode("utf-16"), 1),
    "too large": ("#" * 300_000, 1),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_files_are_refused_at_once(tmp_path: Path, case: str) -> None:
    content, line = HOSTILE[case]
    path = tmp_path / "config.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(0o600)
    started = process_time()
    with pytest.raises(ConfigError) as caught:
        ProfileStore(path).profiles()
    assert process_time() - started < 1
    words = f"{caught.value} {caught.value.hint}"
    assert f"{path}:" in words if line is None else f"{path}:{line}: " in words
    assert "canary" not in words and words.isprintable() and len(words) < 500


def test_a_gigabyte_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    with open(path, "wb") as file:
        file.truncate(2**30)
    path.chmod(0o600)
    started = process_time()
    with pytest.raises(ConfigError, match=r"config\.toml:1: the file is larger"):
        ProfileStore(path).profiles()
    assert process_time() - started < 0.2


@pytest.mark.parametrize(
    "content",
    [b"\xef\xbb\xbfoutput = 'csv'\n", b"output = 'csv'\r\n# end\r\n", b"output = 'csv'", b"[profiles]\n"],
)
def test_harmless_files_are_read(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(content)
    path.chmod(0o600)
    assert ProfileStore(path).default_output() == ("csv" if b"csv" in content else None)


def test_a_thousand_profiles_fit(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    sid = "AC" + "1" * 32
    path.write_text(
        "".join(f"[profiles.p{n}]\naccount_sid = '{sid}'\nauth_token = '{n:032}'\n" for n in range(1000))
    )
    path.chmod(0o600)
    assert len(ProfileStore(path).profiles()) == 1000


fragments = st.sampled_from([*"[]{}=.#a1\\ ,'\"\n", "'''", '"""', "profiles", "output"])


@settings(max_examples=120)
@given(st.lists(fragments, max_size=60).map("".join) | st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    path = Path("/config.toml")
    try:
        document, read = parse(text.encode("utf-8", "surrogatepass"), path)
        check_document(document, read, path)
    except ConfigError as error:
        assert str(error).startswith("/config.toml:")
    else:
        assert set(document) <= {"default_profile", "output", "profiles"}
