"""`proxyctl doctor` against servers on loopback that are good, absent, distrusted, refusing or of another time, and
in surroundings that lack what it looks for."""

from __future__ import annotations

import json
import pwd
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from proxyctl.doctor import network
from tests.api.stubs import AC, http, raw_server, read_request
from tests.support import Cli, Ran

CANARY = "canary5f8e"
REQUEST_ID = "RQ" + "d" * 32
LIST = json.dumps({"services": [], "meta": {"key": "services", "next_page_url": None}}).encode()
LOCAL = ["program", "python", "config", "credentials", "state", "cache", "sandbox"]
NETWORK = ["server", "proxy", "dns", "connection", "tls", "call", "clock"]
AROUND = ["terminal", "completions", "man pages"]
STARTUP_VARIABLES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy")


@pytest.fixture(autouse=True)
def own_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*STARTUP_VARIABLES, "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@contextmanager
def answering(
    body: bytes = LIST, status: str = "200 OK", *, off: float | None = 0.0, wrap: Any = None
) -> Iterator[tuple[int, list[bytes]]]:
    """Serve one answer to all, whose Date is ``off`` seconds from now; yields the port and the requests."""
    seen: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        seen.append(read_request(connection))
        if not seen[-1]:  # the doctor tries the connection first
            seen.pop()
            return
        date = [] if off is None else [f"Date: {formatdate(time.time() + off, usegmt=True)}"]
        connection.sendall(http(body, status, f"Twilio-Request-Id: {REQUEST_ID}", *date))

    with raw_server(handle, wrap) as port:
        yield port, seen


def examine(cli: Cli, *options: str, url: str | None = None, tty: bool = False, **environ: str) -> Ran:
    """Run the doctor with credentials from the environment (where there is a URL); no secret may come out."""
    if url is not None:
        environ = {"TWILIO_ACCOUNT_SID": AC, "TWILIO_AUTH_TOKEN": CANARY, "PROXYCTL_BASE_URL": url, **environ}
    ran = cli("doctor", *options, tty=tty, environ=environ)
    assert CANARY not in ran.out + ran.err
    assert "Traceback" not in ran.err
    return ran


def found(ran: Ran) -> dict[str, dict[str, Any]]:
    """Return the rows by check."""
    return {row["check"]: row for row in ran.rows}


def states(ran: Ran, state: str) -> list[str]:
    return [row["check"] for row in ran.rows if row["state"] == state]


def write_config(cli: Cli, text: str, mode: int = 0o600) -> Path:
    path = cli.directory / "config" / "config.toml"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


# The way to the server


def test_all_is_well(remote: Cli) -> None:
    ran = remote("doctor", "-o", "json")
    assert ran.code == 0, ran.err
    assert [row["check"] for row in ran.json] == LOCAL + NETWORK + AROUND
    assert all(list(row) == ["check", "state", "detail", "hint"] for row in ran.json)
    assert all((row["hint"] is None) == (row["state"] == "good") for row in ran.json)
    assert not [row for row in ran.json if row["state"] == "bad"]
    call = next(row for row in ran.json if row["check"] == "call")
    assert re.fullmatch(r"GET /v1/Services: 200 in \d+ ms, request id RQ[0-9a-f]{32}", call["detail"])
    assert re.fullmatch(r"\d+ checks, .*", ran.err.strip())
    assert remote("doctor", "-q").err == ""


def test_it_changes_nothing_and_asks_once(bare: Cli) -> None:
    before = set(bare.directory.rglob("*"))
    with answering() as (port, seen):
        ran = examine(bare, "-o", "jsonl", url=f"http://127.0.0.1:{port}")
    assert ran.code == 0, ran.err
    assert [request.split(b"\r\n")[0] for request in seen] == [b"GET /v1/Services?PageSize=1 HTTP/1.1"]
    assert set(bare.directory.rglob("*")) == before
    assert "can be made" in found(ran)["state"]["detail"]


def test_a_refused_port(bare: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    ran = examine(bare, "-o", "jsonl", url=f"http://127.0.0.1:{port}")
    assert ran.code == 7
    assert states(ran, "bad") == ["connection"]
    assert "call" not in found(ran)
    assert "refused" in found(ran)["connection"]["detail"]
    assert (ran.error["kind"], ran.error["exit_code"]) == ("network", 7)
    assert ran.error["message"] == "1 of 14 checks is bad: connection."


def test_credentials_that_are_refused(bare: Cli) -> None:
    body = json.dumps({"code": 20003, "message": "Authenticate", "status": 401}).encode()
    with answering(body, "401 Unauthorized") as (port, _):
        ran = examine(bare, "-o", "jsonl", url=f"http://127.0.0.1:{port}")
    assert ran.code == 3
    row = found(ran)["call"]
    assert row["state"] == "bad" and "20003" in row["detail"] and REQUEST_ID in row["detail"]
    assert "auth login" in row["hint"]
    assert (ran.error["code"], ran.error["request_id"]) == (20003, REQUEST_ID)
    assert "clock" not in found(ran)


def test_an_answer_that_is_none(bare: Cli) -> None:
    with answering(b"<html>Welcome to our hotel</html>") as (port, _):
        ran = examine(bare, "-o", "jsonl", "--retries", "0", url=f"http://127.0.0.1:{port}")
    assert ran.code == 1
    assert "captive portal" in found(ran)["call"]["detail"]


@pytest.mark.parametrize(
    ("off", "state", "code", "words"),
    [(0, "good", 0, "the server"), (-60, "warning", 0, "ahead of"), (60, "warning", 0, "behind"),
     (-900, "bad", 8, "ahead of"), (86400, "bad", 8, "behind"), (None, "good", 0, "not compared")],
)  # fmt: skip
def test_the_clock(bare: Cli, off: float | None, state: str, code: int, words: str) -> None:
    with answering(off=off) as (port, _):
        ran = examine(bare, "-o", "jsonl", url=f"http://127.0.0.1:{port}")
    assert ran.code == code, ran.err
    row = found(ran)["clock"]
    assert row["state"] == state and words in row["detail"]
    assert ("set-ntp" in str(row["hint"])) == (state != "good")


@pytest.fixture(scope="module")
def self_signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of this machine that nobody else has signed, with its key."""
    folder = tmp_path_factory.mktemp("certificate")
    program = shutil.which("openssl")
    assert program, "the tests of TLS need the openssl program"
    subprocess.run(
        [program, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "9",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"],
        cwd=folder, check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    return folder


def tls_server(folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def test_a_certificate_that_nobody_signed(bare: Cli, self_signed: Path) -> None:
    with answering(wrap=tls_server(self_signed)) as (port, seen):
        ran = examine(bare, "-o", "jsonl", url=f"https://127.0.0.1:{port}")
    assert ran.code == 7
    assert states(ran, "bad") == ["tls"] and seen == []
    row = found(ran)["tls"]
    assert "self-signed certificate" in row["detail"] and "SSL_CERT_FILE" in row["hint"]


def test_and_once_it_is_trusted(bare: Cli, self_signed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(self_signed / "cert.pem"))
    with answering(wrap=tls_server(self_signed)) as (port, _):
        ran = examine(bare, "-o", "jsonl", url=f"https://127.0.0.1:{port}")
    assert ran.code == 0, ran.err
    detail = found(ran)["tls"]["detail"]
    assert detail.startswith("TLSv1.3") and f"SSL_CERT_FILE={self_signed}" in detail


def test_certificates_that_cannot_be_read(bare: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "absent.pem"))
    with answering() as (port, seen):
        ran = examine(bare, "-o", "jsonl", url=f"https://127.0.0.1:{port}")
    assert (ran.code, seen) == (2, [])
    assert "SSL_CERT_FILE" in found(ran)["tls"]["detail"]


def test_a_server_that_speaks_no_tls(bare: Cli) -> None:
    def handle(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with raw_server(handle) as port:
        ran = examine(bare, "-o", "jsonl", url=f"https://127.0.0.1:{port}")
    assert ran.code == 7
    assert "scheme and port" in found(ran)["tls"]["hint"]


def test_an_expired_certificate_may_be_a_wrong_clock() -> None:
    error = ssl.SSLCertVerificationError()
    error.verify_message = "certificate has expired"
    assert "clock" in str(network.distrusted("example.com", error, "the system's").hint)


def test_a_name_that_nobody_knows(bare: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    ran = examine(bare, "-o", "jsonl", TWILIO_ACCOUNT_SID=AC, TWILIO_AUTH_TOKEN=CANARY, TWILIO_REGION="ie1")
    assert ran.code == 7
    assert states(ran, "bad") == ["dns"]
    assert "proxy.ie1.twilio.com" in found(ran)["dns"]["detail"]
    assert found(ran)["server"]["detail"] == "proxy.ie1.twilio.com (region ie1)"


def test_a_proxy_gets_no_word_of_its_password(bare: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(b"", "403 Forbidden") as (port, seen):
        monkeypatch.setenv("HTTPS_PROXY", f"http://someone:{CANARY}@127.0.0.1:{port}")
        ran = examine(bare, "-o", "jsonl", "--retries", "0", url="https://proxy.example")
    assert ran.code == 7
    assert found(ran)["proxy"]["detail"].startswith(f"http://127.0.0.1:{port} (HTTPS_PROXY)")
    assert states(ran, "bad") == ["call"] and "dns" not in found(ran)
    assert seen[0].startswith(b"CONNECT proxy.example:443")


@pytest.mark.parametrize(
    ("name", "value"), [("HTTPS_PROXY", f"socks5://u:{CANARY}@h"), ("ALL_PROXY", "http://")]
)
def test_a_proxy_that_cannot_be_used(
    bare: Cli, name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    ran = examine(bare, "-o", "jsonl", url="https://proxy.example")
    assert ran.code == 7
    assert states(ran, "bad") == ["proxy"]


def test_a_server_on_this_machine_needs_no_proxy(bare: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with answering() as (port, _):
        ran = examine(bare, "-o", "jsonl", url=f"http://127.0.0.1:{port}")
    assert ran.code == 0, ran.err
    assert "HTTPS_PROXY is passed over" in found(ran)["proxy"]["detail"]


@pytest.mark.parametrize("url", ["http://example.com", f"https://u:{CANARY}@example.com", "ftp://x"])
def test_a_base_url_that_is_none(bare: Cli, url: str) -> None:
    ran = examine(bare, "-o", "jsonl", url=url)
    assert ran.code == 2
    assert states(ran, "bad") == ["server"]


# Config, credentials, files


def test_without_credentials_the_network_is_left_alone(bare: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object, **__: object) -> list[Any]:
        raise AssertionError("nobody said which server is meant")

    monkeypatch.setattr(socket, "getaddrinfo", forbidden)
    ran = examine(bare, "-o", "jsonl")
    assert ran.code == 3
    assert list(found(ran)) == LOCAL + AROUND
    assert states(ran, "bad") == ["credentials"]
    assert "auth login" in found(ran)["credentials"]["hint"]


def test_half_a_set_of_credentials(bare: Cli) -> None:
    ran = examine(bare, "-o", "jsonl", TWILIO_AUTH_TOKEN=CANARY)
    assert ran.code == 2
    assert "TWILIO_ACCOUNT_SID" in found(ran)["credentials"]["detail"]


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [("= broken", 0o600, "config.toml:1"), ("default_profile = 'x'", 0o600, "default_profile"),
     ("", 0o644, "read or written by other users"), (f"[profiles.p]\nauth_token = '{CANARY}'\n" * 2, 0o600, "config")],
)  # fmt: skip
def test_a_broken_config_is_a_finding(bare: Cli, text: str, mode: int, words: str) -> None:
    path = write_config(bare, text, mode)
    with answering() as (port, _):
        ran = examine(bare, url=f"http://127.0.0.1:{port}")  # the format, too, is the config's to say
        rows = found(examine(bare, "-o", "jsonl", url=f"http://127.0.0.1:{port}"))
    assert ran.code == 2
    assert ran.lines[0].split("\t") == ["check", "state", "detail", "hint"]
    assert rows["config"]["state"] == "bad" and words in rows["config"]["detail"]
    assert rows["credentials"]["state"] == rows["call"]["state"] == "good"
    if mode == 0o644:
        assert rows["config"]["hint"] == f"Run: chmod 600 {path}"


def test_a_directory_that_others_can_write_to(bare: Cli) -> None:
    path = write_config(bare, "")
    path.parent.chmod(0o777)
    row = found(examine(bare, "-o", "jsonl", "--sandbox"))["config"]
    assert (row["state"], row["hint"]) == ("warning", f"Run: chmod go-w {path.parent}")


def test_a_profile_and_what_chose_it(bare: Cli) -> None:
    key = "SK" + "2" * 32
    with answering() as (port, _):
        write_config(
            bare,
            f"[profiles.prod]\naccount_sid = '{AC}'\napi_key = '{key}'\napi_secret = '{CANARY}'\n"
            f"base_url = 'http://127.0.0.1:{port}'\n",
        )
        ran = examine(bare, "-o", "jsonl", "--profile", "prod", TWILIO_AUTH_TOKEN="other")
    assert ran.code == 0, ran.err
    rows = found(ran)
    assert rows["config"]["detail"].endswith("mode 0600, 1 profile")
    told = rows["credentials"]["detail"]
    assert told.startswith(f"profile 'prod' (--profile): account {AC}, with API key {key}, secret ********")
    assert told.endswith("the TWILIO_ variables of the environment are passed over")
    assert rows["server"]["detail"] == f"127.0.0.1:{port} (base_url of the profile)"
    ran = examine(bare, "-o", "jsonl", "-p", "prdo")
    assert ran.code == 2 and "prod" in found(ran)["credentials"]["detail"]


def test_a_secret_that_cannot_be_fetched(bare: Cli) -> None:
    write_config(
        bare, f"default_profile = 'p'\n[profiles.p]\naccount_sid = '{AC}'\nauth_token_command = 'false'\n"
    )
    ran = examine(bare, "-o", "jsonl")
    assert ran.code == 3
    assert "exit code 1" in found(ran)["credentials"]["detail"]


def test_state_and_cache_that_cannot_be_written(
    bare: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file" / "cache"))
    ran = examine(bare, "-o", "jsonl", "--sandbox", PROXYCTL_STATE_DIR=str(tmp_path / "file" / "state"))
    assert ran.code == 1
    rows = found(ran)
    assert rows["state"]["state"] == "bad" and "PROXYCTL_STATE_DIR" in rows["state"]["hint"]
    assert rows["cache"]["state"] == "warning" and "XDG_CACHE_HOME" in rows["cache"]["hint"]


def test_what_must_be_mended_comes_before_what_may_pass(bare: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    url, state = f"http://127.0.0.1:{port}", str(tmp_path / "file" / "state")
    ran = examine(bare, "-o", "jsonl", url=url, PROXYCTL_STATE_DIR=state)
    assert ran.code == 1
    assert ran.error["message"] == "2 of 14 checks are bad: state, connection."


def test_no_home(bare: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(_uid: int) -> pwd.struct_passwd:
        raise KeyError("no such user")

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "PROXYCTL_CONFIG", "PROXYCTL_STATE_DIR"):
        del bare.environ[name]
    ran = examine(bare, "-o", "jsonl", "--sandbox", SHELL="/bin/zsh")
    rows = found(ran)
    assert [rows[name]["state"] for name in ("config", "state", "cache", "sandbox")] == [
        "warning",
        "bad",
        "warning",
        "bad",
    ]
    assert ran.code == 1 and "PROXYCTL_STATE_DIR" in rows["state"]["hint"]


def test_an_empty_environment(bare: Cli) -> None:
    ran = bare.run_process("doctor", "-o", "jsonl", env={"PROXYCTL_STATE_DIR": str(bare.directory / "state")})
    assert ran.code == 3
    assert list(found(ran)) == LOCAL + AROUND


# The sandbox


def test_the_sandbox_needs_no_network(cli: Cli) -> None:
    ran = examine(cli, "-o", "jsonl")
    assert ran.code == 0, ran.err
    assert list(found(ran)) == LOCAL + AROUND
    cli.seed(3)
    row = found(examine(cli, "-o", "jsonl"))["sandbox"]
    assert row["state"] == "good" and row["detail"].endswith("0 Services, 3 numbers")


def test_a_damaged_sandbox_matters_to_those_who_use_it(bare: Cli) -> None:
    (bare.directory / "state").mkdir(mode=0o700)
    (bare.directory / "state" / "sandbox.db").write_text("no database")
    ran = examine(bare, "-o", "jsonl", "--sandbox")
    assert ran.code == 1 and states(ran, "bad") == ["sandbox"]
    with answering() as (port, _):
        ran = examine(bare, "-o", "jsonl", url=f"http://127.0.0.1:{port}")
    assert ran.code == 0 and found(ran)["sandbox"]["state"] == "warning"
    assert "rm " in found(ran)["sandbox"]["hint"]


# Around the program


def test_another_proxyctl_comes_first(cli: Cli, tmp_path: Path) -> None:
    other = tmp_path / "bin" / "proxyctl"
    other.parent.mkdir()
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    row = found(examine(cli, "-o", "jsonl", PATH=str(other.parent)))["program"]
    assert row["state"] == "warning" and str(other) in row["detail"]


@pytest.mark.parametrize(
    ("shell", "place"),
    [("bash", "home/.local/share/bash-completion/completions/proxyctl"),
     ("bash", "venv/share/bash-completion/completions/proxyctl"),
     ("bash", "home/.bashrc"),
     ("zsh", "home/.zshrc"),
     ("zsh", "venv/share/zsh/site-functions/_proxyctl"),
     ("zsh", "functions/_proxyctl"),
     ("fish", "home/.config/fish/completions/proxyctl.fish"),
     ("fish", "venv/share/fish/vendor_completions.d/proxyctl.fish")],
)  # fmt: skip
def test_completions_where_the_shell_looks(cli: Cli, tmp_path: Path, shell: str, place: str) -> None:
    environ = {
        "SHELL": f"/usr/bin/{shell}",
        "PATH": str(tmp_path / "venv" / "bin"),
        "FPATH": str(tmp_path / "functions"),
        "XDG_DATA_DIRS": str(tmp_path / "none"),
    }
    row = found(examine(cli, "-o", "jsonl", **environ))["completions"]
    assert row["state"] == "warning" and f"proxyctl completion {shell}" in row["hint"]
    path = tmp_path / place
    path.parent.mkdir(parents=True)
    path.write_text("source <(proxyctl completion bash)\n")
    row = found(examine(cli, "-o", "jsonl", **environ))["completions"]
    assert row["state"] == "good" and str(path) in row["detail"]


@pytest.mark.parametrize("variable", ["PATH", "MANPATH"])
def test_man_pages_where_man_looks(cli: Cli, tmp_path: Path, variable: str) -> None:
    environ = {
        "PATH": str(tmp_path / "venv" / "bin"),
        "XDG_DATA_DIRS": str(tmp_path / "none"),
        variable: str(tmp_path / "venv" / ("bin" if variable == "PATH" else "share/man")),
    }
    assert found(examine(cli, "-o", "jsonl", **environ))["man pages"]["state"] == "warning"
    page = tmp_path / "venv" / "share" / "man" / "man1" / "proxyctl.1"
    page.parent.mkdir(parents=True)
    page.write_text("")
    row = found(examine(cli, "-o", "jsonl", **environ))["man pages"]
    assert (row["state"], row["detail"]) == ("good", str(page))


# How it is told


def test_lines_for_people(cli: Cli) -> None:
    cli.environ["COLUMNS"] = "72"
    ran = examine(cli, tty=True, SHELL="/bin/zsh", PATH="/nowhere/bin", XDG_DATA_DIRS="/nowhere")
    assert ran.code == 0
    assert any(line.startswith("\x1b[32m✓ good   \x1b[0m  credentials") for line in ran.lines)
    plain = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in ran.lines]
    assert any(line.startswith("! warning  completions   none found for zsh") for line in plain)
    assert any(line.lstrip().startswith("→ Run: echo 'source") for line in plain)
    assert all(
        len(line) <= 72 or " " not in line[25:].strip("→ ") for line in plain
    )  # a path is never broken
    assert {line[:9].split()[-1] for line in plain if line[0] != " "} == {"good", "warning"}


def test_a_plain_form_where_the_terminal_can_do_no_better(cli: Cli) -> None:
    ran = examine(cli, tty=True, TERM="dumb", SHELL="/bin/zsh", PATH="/nowhere/bin", XDG_DATA_DIRS="/nowhere")
    assert ran.code == 0 and ran.out.isascii() and "\x1b" not in ran.out
    assert any(line.startswith("+ good     credentials") for line in ran.lines)
    assert any(line.lstrip().startswith("-> Run: ") for line in ran.lines)
    ran = examine(cli, "--color", "never", tty=True)
    assert "\x1b" not in ran.out and "✓ good" in ran.out


def test_a_path_of_a_hostile_name_stays_one_line(cli: Cli, tmp_path: Path) -> None:
    name = str(tmp_path / "a\x1b[2J\nb\u202e")
    ran = examine(cli, "-o", "table", PROXYCTL_CONFIG=name)
    assert "\x1b" not in ran.out and "\u202e" not in ran.out


def test_fields_and_formats(cli: Cli) -> None:
    ran = examine(cli, "--fields", "check,state")
    assert ran.lines[0] == "check\tstate"
    assert examine(cli, "-o", "ids").lines == LOCAL + AROUND
    ran = examine(cli, "--fields", "nonsense")
    assert (ran.code, ran.out) == (2, "") and "check, state, detail, hint" in ran.err


def test_naming_the_command_loads_nothing_heavy() -> None:
    script = (
        "import sys, proxyctl.commands.doctor;"
        "sys.exit(len({'httpx', 'rich', 'sqlite3', 'ssl', 'socket', 'proxyctl.doctor'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
