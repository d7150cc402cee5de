"""How much memory a process takes at its peak, measured from outside: big pools, long lists, and one call."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.api.stubs import KS, http, raw_server, read_request
from tests.battery.scene import Scene, scene
from tests.support import Cli, command

# A child begins with the peak of the process that forked it; this one is small.
MEASURE = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[2:]).returncode
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
open(sys.argv[1], "w").write(str(peak * (1 if sys.platform == "darwin" else 1024)))
sys.exit(code)
"""
MB = 1_000_000
PAGE = 100


def peak_of(cli: Cli, *arguments: str, out: Path) -> tuple[int, str, float]:
    """Run a command with stdout to a file; return its exit code, stderr and peak memory in MB."""
    kept = cli.directory / "peak"
    with out.open("wb") as stdout:
        ran = subprocess.run(
            [sys.executable, "-c", MEASURE, str(kept), *command(*arguments)],
            env=cli.environ,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            timeout=600,
            check=False,
        )
    peak = int(kept.read_text()) / MB
    print(f"peak {peak:.1f} MB: {' '.join(arguments)[:80]}")  # shown by `pytest -s`
    return ran.returncode, ran.stderr.decode(), peak


def test_one_call(stage: Scene, tmp_path: Path) -> None:
    code, err, peak = peak_of(stage.cli, "number", "reserve", stage.service, "-h", out=tmp_path / "out")
    assert (code, err) == (0, "")
    assert peak < 45
    stage.fill(stage.numbers[:2], reserved=False)
    for line in (("service", "list"), ("number", "reserve", stage.service, stage.numbers[0]["sid"])):
        code, err, peak = peak_of(stage.cli, *line, out=tmp_path / "out")
        assert code == 0, err
        assert peak < 45, line


def check_bulk(stage: Scene, out: Path, *arguments: str) -> None:
    """Run a bulk verb on 5,500 numbers, and measure it."""
    code, err, peak = peak_of(stage.cli, *arguments, "--rate", "0", "-o", "jsonl", out=out)
    assert code == 0, err
    assert len(out.read_text().splitlines()) == 5500
    assert peak <= 80


def test_a_bulk_run_on_a_pool_of_5500(tmp_path: Path) -> None:
    with scene(tmp_path, 5500) as stage:
        stage.fill(stage.numbers[:4900], reserved=True)
        stage.fill(stage.numbers[5000:], reserved=False)
        named = tmp_path / "all.csv"
        rows = [f"{row['phone_number']},{index < 5000}\n" for index, row in enumerate(stage.numbers)]
        named.write_text("phone_number,is_reserved\n" + "".join(rows).lower())
        check_bulk(stage, tmp_path / "out", "number", "add", stage.service, "-f", str(named))
        assert len(stage.pool()) == 5500
        assert len(stage.writes) == 100


@pytest.mark.long
def test_a_bulk_run_that_changes_all_of_5500(tmp_path: Path) -> None:
    with scene(tmp_path, 5500) as stage:
        stage.fill(stage.numbers[:5000], reserved=True)
        stage.fill(stage.numbers[5000:], reserved=False)
        check_bulk(stage, tmp_path / "out", *stage.verb("remove", "--yes"))
        assert stage.pool() == {}


def generated(rows: int) -> Callable[[socket.socket], None]:
    """Serve a pool of ``rows`` numbers that exists nowhere, page after page, as fast as bytes can be sent."""
    numbers = [
        {
            "sid": f"PN{'0' * 22}#####{index:05d}",
            "account_sid": "AC" + "0" * 32,
            "service_sid": KS,
            "date_created": "2026-01-01T00:00:00Z",
            "date_updated": "2026-01-01T00:00:00Z",
            "phone_number": f"+1415#####{index:02d}",
            "friendly_name": "(415) 555-0100",
            "iso_country": "US",
            "capabilities": dict.fromkeys(("sms_inbound", "sms_outbound", "voice_inbound"), True),
            "url": f"https://proxy.twilio.com/v1/Services/{KS}/PhoneNumbers/PN{'0' * 22}#####{index:05d}",
            "is_reserved": True,
            "in_use": 0,
        }
        for index in range(PAGE)
    ]
    following = (
        f"https://proxy.twilio.com/v1/Services/{KS}/PhoneNumbers?PageSize=100&Page=@@@@@&PageToken=PT@@@@@"
    )
    meta = {"page": 0, "page_size": PAGE, "next_page_url": following, "key": "phone_numbers"}
    template = json.dumps({"meta": meta, "phone_numbers": numbers}).encode()
    last = template.replace(json.dumps(following).encode(), b"null")
    pages = rows // PAGE

    def handle(connection: socket.socket) -> None:
        while request := read_request(connection):
            target = request.split(b" ", 2)[1]
            if b"PhoneNumbers" not in target:
                connection.sendall(http(json.dumps({"sid": KS, "unique_name": "big"}).encode()))
                continue
            page = int(target.rpartition(b"PT")[2]) if b"PageToken" in target else 0
            body = last if page + 1 == pages else template.replace(b"@@@@@", b"%05d" % (page + 1))
            connection.sendall(http(body.replace(b"#####", b"%05d" % page)))

    return handle


@pytest.mark.parametrize("rows", [20_000, pytest.param(1_000_000, marks=pytest.mark.long)])
def test_a_list_takes_the_same_however_long(tmp_path: Path, rows: int) -> None:
    with raw_server(generated(rows)) as port:
        environ = {
            "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
            "TWILIO_AUTH_TOKEN": "secret",
            "PROXYCTL_BASE_URL": f"http://127.0.0.1:{port}",
        }
        cli = Cli(tmp_path, environ)
        out = tmp_path / "out"
        code, err, peak = peak_of(cli, "number", "list", KS, "-o", "jsonl", out=out)
    assert (code, err) == (0, "")
    with out.open("rb") as lines:
        assert sum(1 for _ in lines) == rows
    assert peak <= 60
