"""In shared mode a LiFE server is on the public internet, and is connected to at the address that was checked."""

from __future__ import annotations

import socket
from typing import Any

import httpx
import pytest

from autotrain_gradio.extensions.life.client import Connection, LifeError
from autotrain_gradio.extensions.life.public_address import PinnedTransport, is_public

REFUSED = (
    *("127.0.0.1", "10.0.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "239.1.1.1", "192.88.99.1"),
    *("::1", "fe80::1%eth0", "fc00::1", "fec0::1", "ff02::1", "ff0e::1", "2001:db8::1", "::10.0.0.1", "::8.8.8.8"),
    *("::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a00:1", "64:ff9b::808:808", "64:ff9b:1::1"),
    *("2002:a00:1::", "2002:808:808::1", "2001:0:5ef5:79fd::1"),
)


@pytest.mark.parametrize("address", REFUSED)
def test_addresses_that_are_private_or_wrap_another_one_are_refused(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses_are_accepted(address: str) -> None:
    assert is_public(address)


def _resolve_to(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Let each lookup of a name return the next answer; return the list of names looked up."""
    left, asked = list(answers), []

    def lookup(host: str, port: Any, *more: Any, **options: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (left.pop(0) if len(left) > 1 else left[0], port or 0))]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    return asked


def test_the_name_is_resolved_once_and_the_checked_address_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    asked = _resolve_to(monkeypatch, "203.0.114.7", "10.0.0.1")  # the second lookup would return the inner address
    connected: list[str] = []

    def connect(address: tuple[str, int], *more: Any, **options: Any) -> socket.socket:
        connected.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    connection = Connection("https://life.example.org", public=True)
    with pytest.raises(LifeError) as caught:
        connection.send("GET", "/")
    connection.close()
    assert caught.value.code == "life-unreachable"
    assert connected == ["203.0.114.7"] and asked == ["life.example.org"]


def test_an_inner_address_among_several_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(0, 0, 0, "", (address, 0)) for address in ("203.0.114.7", "64:ff9b::a00:1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: found)
    with pytest.raises(LifeError) as caught:
        Connection("https://life.example.org", public=True)
    assert caught.value.code == "life-inner-address"


def test_tls_and_the_server_see_the_name_and_other_hosts_are_refused() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, text="ok")

    transport = PinnedTransport("life.example.org", "203.0.114.7", httpx.MockTransport(answer))
    with httpx.Client(transport=transport) as client:
        assert client.post("https://life.example.org/a", content=b"x").text == "ok"
        with pytest.raises(httpx.UnsupportedProtocol):
            client.get("https://other.example.org/")
    assert seen[0].url.host == "203.0.114.7" and seen[0].headers["host"] == "life.example.org"
    assert seen[0].extensions["sni_hostname"] == "life.example.org" and len(seen) == 1
