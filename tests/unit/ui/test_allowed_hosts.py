"""By which names the page is reached, and which pages may send requests to it."""

from __future__ import annotations

import socket

import pytest

from autotrain_gradio.ui.allowed_hosts import AllowedHosts

LOCAL = AllowedHosts("127.0.0.1", environ={})
OPEN = AllowedHosts("0.0.0.0", environ={})
PROXY = AllowedHosts("127.0.0.1", ["train.example.org", "*.lab.example.org"], environ={})
SPACE = AllowedHosts("0.0.0.0", environ={"SPACE_ID": "a/b", "SPACE_HOST": "a-b.hf.space"})
SHARE = AllowedHosts("127.0.0.1", share_url=lambda: "https://abc.gradio.live", environ={})


@pytest.mark.parametrize(
    ("hosts", "accepted", "refused"),
    [
        (
            LOCAL,
            ["localhost:7860", "127.0.0.1:7860", "[::1]:7860", "LOCALHOST", "127.0.0.2", "app.localhost:1", ""],
            ["evil.example:7860", "192.168.1.5:7860", "localhost.evil.example", "127.0.0.1.evil.example", "[::1", "@"],
        ),
        (OPEN, ["192.168.1.5:7860", "[fd00::5]:7860", f"{socket.gethostname()}:7860"], ["evil.example", "10.0.0.1.x"]),
        (PROXY, ["train.example.org", "a.lab.example.org:8443"], ["example.org", "lab.example.org.evil", "10.0.0.1"]),
        (SPACE, ["a-b.hf.space", "10.1.2.3:7860"], ["other.hf.space", "evil.example"]),
        (SHARE, ["abc.gradio.live", "localhost:7860"], ["other.gradio.live"]),
    ],
    ids=["local", "open", "proxy", "space", "share"],
)
def test_hosts(hosts: AllowedHosts, accepted: list[str], refused: list[str]) -> None:
    assert [h for h in accepted if not hosts.accepts_host(h)] == []
    assert [h for h in refused if hosts.accepts_host(h)] == []


def test_only_the_page_itself_and_configured_names_are_origins() -> None:
    assert LOCAL.accepts_origin("http://localhost:7860", "localhost:7860")
    for origin in ("http://localhost:9000", "http://evil.example", "null", "file://", "", "http://127.0.0.1:7860"):
        assert not LOCAL.accepts_origin(origin, "localhost:7860")
    # A proxy may pass its own name for the page as Host.
    assert PROXY.accepts_origin("https://train.example.org", "127.0.0.1:7860")
    assert SHARE.accepts_origin("https://abc.gradio.live", "localhost:7860")
    assert not SHARE.accepts_origin("https://other.gradio.live", "abc.gradio.live")


def test_a_space_is_shown_on_the_hub_and_nothing_else_in_a_frame() -> None:
    assert LOCAL.frame_ancestors() == "'self'"
    assert SPACE.frame_ancestors() == "'self' https://huggingface.co a-b.hf.space"
