"""The hosts by which a page is reached, and the origins that may send requests to it.

A web page on `evil.example` can let that name resolve to 127.0.0.1 (DNS rebinding): for the browser it then is the
same origin as the app, but the `Host` header still has the name. A page of another origin can send requests without
reading the answers; the `Origin` header and `Sec-Fetch-Site` have where it came from.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit

from autotrain_gradio.core.loopback import is_loopback


class AllowedHosts:
    """The names and addresses of the page.

    bound: address that the server listens on; where it is not a loopback address, the machine's own name and every IP
        address are accepted (a rebound name is never an IP address).
    more: additional hosts, such as the name of a reverse proxy; `*.example.org` stands for all names below.
    share_url: returns the URL of the share link once there is one.
    """

    def __init__(
        self,
        bound: str = "127.0.0.1",
        more: Sequence[str] = (),
        *,
        share_url: Callable[[], str | None] = lambda: None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        env = os.environ if environ is None else environ
        self._share_url = share_url
        self._public = not is_loopback(bound)
        names = [*more, *filter(None, env.get("SPACE_HOST", "").split(","))]
        if env.get("SPACE_ID") and not env.get("SPACE_HOST"):
            names.append("*.hf.space")
        self._configured = tuple(n.strip().lower().rstrip(".") for n in names if n.strip())
        own = [bound, *_machine_names()] if self._public else [bound]
        self._own = {n.lower().strip("[]").rstrip(".") for n in own}

    def accepts_host(self, host: str) -> bool:
        """Whether a `Host` header names this page; one without a name is not from a browser, and is accepted."""
        name = _name(host)
        if not host or is_loopback(name) or name in self._own or self._is_configured(host):
            return True
        return self._public and _is_address(name)

    def accepts_origin(self, origin: str, host: str) -> bool:
        """Whether a page of this origin may send requests; host: the request's `Host` header, which is accepted."""
        parts = urlsplit(origin)
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            return False  # among them "null": a sandboxed frame, or a file
        return parts.netloc.lower() == host.lower() or self._is_configured(parts.netloc)

    def frame_ancestors(self) -> str:
        """Return the sources that may show the page in a frame, for a content security policy."""
        hub = " https://huggingface.co" if any(n.endswith(".hf.space") for n in self._configured) else ""
        return f"'self'{hub}" + "".join(f" {n}" for n in self._configured)

    def _is_configured(self, host: str) -> bool:
        share = urlsplit(self._share_url() or "").netloc.lower()
        name, full = _name(host), host.lower()
        return any(
            full == n or name == n or (n.startswith("*.") and name.endswith(n[1:]))
            for n in (*self._configured, *([share] if share else []))
        )


def _name(host: str) -> str:
    """Return the name or address of a `Host` header, without its port."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return "?"


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True


def _machine_names() -> list[str]:
    name = socket.gethostname()
    return [name, f"{name.partition('.')[0]}.local"]
