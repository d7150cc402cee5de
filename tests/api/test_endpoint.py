"""Where requests go: Twilio's hosts by region and edge, other servers, and the bases that are refused."""

from __future__ import annotations

import pytest

from proxyctl.api.endpoint import Endpoint, segment
from proxyctl.errors import UsageError


@pytest.mark.parametrize(
    ("region", "edge", "host"),
    [
        (None, None, "twilio.com"),
        ("ie1", None, "ie1.twilio.com"),
        (None, "dublin", "dublin.us1.twilio.com"),
        ("AU1", "sydney", "sydney.au1.twilio.com"),
    ],
)
def test_twilio_hosts(region: str | None, edge: str | None, host: str) -> None:
    endpoint = Endpoint.twilio(region, edge)
    assert endpoint.url("/v1/Services") == f"https://proxy.{host}/v1/Services"
    assert endpoint.url("/messaging/v1/Services") == f"https://messaging.{host}/v1/Services"
    assert endpoint.url("/2010-04-01/Accounts/x.json") == f"https://api.{host}/2010-04-01/Accounts/x.json"
    assert endpoint.origins == {("https", f"{name}.{host}", 443) for name in ("proxy", "messaging", "api")}
    assert not endpoint.is_loopback


@pytest.mark.parametrize(
    ("base", "url", "loopback"),
    [
        ("https://example.com", "https://example.com/messaging/v1/x", False),
        ("https://Example.com:8443/twilio/", "https://example.com:8443/twilio/messaging/v1/x", False),
        ("http://127.0.0.1:8181", "http://127.0.0.1:8181/messaging/v1/x", True),
        ("http://127.3.2.1", "http://127.3.2.1/messaging/v1/x", True),
        ("http://localhost:1/", "http://localhost:1/messaging/v1/x", True),
        ("http://[::1]:8181", "http://[::1]:8181/messaging/v1/x", True),
        ("https://[::1]:8181", "https://[::1]:8181/messaging/v1/x", True),
        ("https://127.0.0.1.evil.com", "https://127.0.0.1.evil.com/messaging/v1/x", False),
    ],
)
def test_other_servers(base: str, url: str, loopback: bool) -> None:
    endpoint = Endpoint.at(base)
    assert endpoint.url("/messaging/v1/x") == url
    assert endpoint.is_loopback is loopback
    assert len(endpoint.origins) == 1


@pytest.mark.parametrize(
    "base",
    [
        "",
        "example.com",
        "ftp://example.com",
        "http://example.com",
        "http://127.0.0.1.evil.com",
        "http://localhost.evil.com",
        "http://128.0.0.1",
        "http://[::2]",
        "http://0.0.0.0",
        "http://localhost@evil.com",
        "http://u:hunter2@127.0.0.1",
        "https://u:hunter2@example.com",
        "https://example.com?hunter2=1",
        "https://example.com/#hunter2",
        "https://example.com?",
        "https://exa mple.com",
        "https://example.com\t",
        "https://example.com\\@evil.com",
        "https://example.com:99999",
        "https://example.com:0",
        "https://example.com:hunter2",
        "https://[::1",
        "https://exämple.com",
        "https://example.com/a/../b",
        "https://example.com/%2e%2e/b",
        "https://example.com//b",
        "https://",
        "file:///etc/passwd",
    ],
)
def test_bases_that_are_refused_without_echoing_a_password(base: str) -> None:
    with pytest.raises(UsageError) as caught:
        Endpoint.at(base)
    assert "hunter2" not in f"{caught.value} {caught.value.hint}"


def test_a_segment_stays_in_its_place() -> None:
    assert segment("a/../b?c#d") == "a%2F..%2Fb%3Fc%23d"
    assert "\udcff" not in segment("bad\udcff")
    with pytest.raises(UsageError):
        segment("")
