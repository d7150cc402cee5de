"""Certificates for servers on loopback, made with openssl: by an authority of our own, good and bad ones."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

_CONFIG = """
[ca]
default_ca = here
[here]
dir = .
database = index.txt
new_certs_dir = .
serial = serial
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
"""


def _openssl(folder: Path, *arguments: str) -> None:
    program = shutil.which("openssl")
    assert program, "the tests of TLS need the openssl program"
    subprocess.run([program, *arguments], cwd=folder, check=True, capture_output=True, timeout=60)


def _signed(folder: Path, name: str, host: str, start: str, end: str) -> None:
    _openssl(
        folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}",
        "-addext", f"subjectAltName={host}", "-keyout", f"{name}.key", "-out", f"{name}.csr",
    )  # fmt: skip
    _openssl(
        folder, "ca", "-batch", "-notext", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key",
        "-in", f"{name}.csr", "-out", f"{name}.pem", "-startdate", start, "-enddate", end,
    )  # fmt: skip


def make_certificates(folder: Path) -> Path:
    """Fill ``folder`` with an authority (ca.pem) and certificates that are good, expired, early
    (not valid yet) and a stranger's (another host).
    """
    (folder / "ca.cnf").write_text(_CONFIG)
    (folder / "index.txt").write_text("")
    (folder / "serial").write_text("01\n")
    _openssl(
        folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3650",
        "-subj", "/CN=proxyctl tests", "-keyout", "ca.key", "-out", "ca.pem",
    )  # fmt: skip
    here, long_ago, far = "IP:127.0.0.1,DNS:localhost", "20200101000000Z", "20490101000000Z"
    _signed(folder, "good", here, long_ago, far)
    _signed(folder, "expired", here, long_ago, "20200201000000Z")
    _signed(folder, "early", here, "20480101000000Z", far)
    _signed(folder, "stranger", "DNS:stranger.example", long_ago, far)
    return folder


def serving(folder: Path, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    return context
