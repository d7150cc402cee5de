"""No form of a secret comes through, whatever stands around it."""

from __future__ import annotations

import base64
import json
import re
from urllib.parse import quote, urlencode

from hypothesis import assume, given
from hypothesis import strategies as st

from proxyctl.text import REDACTED, Redactor

_SECRET = st.text(st.characters(codec="utf-8", exclude_characters="[]"), min_size=8, max_size=40).filter(
    lambda secret: secret not in REDACTED
)
# A shorter one leaves too little in base64 to be told from a word.
_ENCODED = st.text(st.characters(codec="utf-8"), min_size=5, max_size=40).filter(
    lambda secret: secret not in ("Basic", "[redacted]", "redacted")
)
_AROUND = st.text(max_size=30)


def _redactor(secret: str) -> Redactor:
    redactor = Redactor()
    redactor.add(secret)
    return redactor


@given(_SECRET, _AROUND, _AROUND)
def test_the_secret_is_gone_from_any_text(secret: str, before: str, after: str) -> None:
    cleaned = _redactor(secret).clean(before + secret + after)
    assert secret not in cleaned.replace(REDACTED, "[]")


@given(_ENCODED, st.binary(max_size=20), st.binary(max_size=20))
def test_base64_of_anything_with_the_secret_inside_is_gone(secret: str, before: bytes, after: bytes) -> None:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        word = encode(before + secret.encode() + after).decode()
        assert _redactor(secret).clean(f"Basic {word} end") == f"Basic {REDACTED} end"


@given(_SECRET)
def test_url_form_and_quoted_forms_are_gone(secret: str) -> None:
    redactor = _redactor(secret)
    forms = (quote(secret), quote(secret, safe=""), urlencode({"a": secret})[2:], json.dumps(secret)[1:-1])
    for text in forms:
        assert redactor.clean(f"<{text}>") == f"<{REDACTED}>"
        assert redactor.clean(f"<{repr(secret)[1:-1]}>") == f"<{REDACTED}>"


def test_url_form_in_lower_case() -> None:
    assert _redactor("abc/def+ghi").clean("x=abc%2fdef%2bghi") == f"x={REDACTED}"
    assert _redactor("abc def ghi").clean("x=abc+def+ghi") == f"x={REDACTED}"
    assert _redactor("päss-of-mine").clean("x=p%c3%a4ss-of-mine") == f"x={REDACTED}"


def test_several_secrets_and_text_without_any() -> None:
    redactor = _redactor("first-secret")
    redactor.add("second-secret")
    redactor.add("")
    assert redactor.clean("first-secret, second-secret, third") == f"{REDACTED}, {REDACTED}, third"
    assert Redactor().clean("nothing known") == "nothing known"


def test_a_secret_that_is_no_valid_text_is_redacted_too() -> None:
    assert _redactor("bad\udcffsecret").clean("<bad\udcffsecret>") == f"<{REDACTED}>"


def test_long_text_takes_linear_time() -> None:
    text = "A" * 1_000_000
    assert _redactor("a-secret-of-some-length").clean(text) == text


# Short secrets: whole words only, so that what people and programs read stays whole

_SHORT = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=7)
_LETTERS = st.text(st.characters(codec="ascii", categories=["L", "N"]), max_size=10)
_JOINTS = st.sampled_from(["", "_", "-", "'", ".", "/"])


@given(_SHORT, _LETTERS.filter(bool), _LETTERS, _JOINTS)
def test_a_short_secret_stays_inside_words(secret: str, before: str, after: str, joint: str) -> None:
    text = f"{before}{joint}{secret}{joint if after else ''}{after}"
    whole = f"[{secret}]" in f"[{text}]"  # it may be a word of its own all the same: "a" in "a.a"
    assert whole or _redactor(secret).clean(f"the {text} is") == f"the {text} is"


@given(
    _SHORT,
    st.sampled_from(["{}", "'{}'", '"{}"', "a token={}", "who:{}@host", "({}).", "{},", "{}: no", "<{}>"]),
)
def test_a_short_secret_that_is_a_word_is_gone(secret: str, around: str) -> None:
    assume(secret not in re.findall(r"\w+", around))
    assert around.format(REDACTED) in _redactor(secret).clean(around.format(secret))


@given(_SHORT)
def test_a_command_to_type_survives_any_short_secret(secret: str) -> None:
    clean = _redactor(secret).clean
    for text in (f"'proxyctl number list {secret}'", f"proxyctl service show {secret} -o json"):
        assert clean(text) == text
    for word in ("service", "auth", "prod", "api"):
        clean = _redactor(word).clean
        assert "'proxyctl service list -p prod'" in clean("Run 'proxyctl service list -p prod' for all.")
        assert clean(f"a {word} is\nRun: proxyctl auth login -p prod").endswith("proxyctl auth login -p prod")
        assert clean(f"a {word} is") == f"a {REDACTED} is"


@given(_SECRET.filter(str.isprintable))
def test_a_long_secret_is_gone_from_commands_too(secret: str) -> None:
    assert secret not in _redactor(secret).clean(f"Run 'proxyctl number list {secret}'.").replace(
        REDACTED, "[]"
    )


# A secret that was cut before it came here


@given(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=20, max_size=90), st.data())
def test_of_a_cut_secret_nothing_is_left(secret: str, data: st.DataObject) -> None:
    kept = data.draw(st.integers(6, min(len(secret) - 1, 64)))
    clean = _redactor(secret).clean
    for dots in ("...", "…"):
        assert clean(f"token={secret[:kept]}{dots}") == f"token={REDACTED}{dots}"
        assert clean(f"{dots}{secret[-kept:]} x") == f"{dots}{REDACTED} x"
