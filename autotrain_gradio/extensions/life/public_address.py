"""Connections of shared mode: to public addresses only, and to the one that was checked.

A host is resolved once. A second lookup for the connection could return another address than the checked one (DNS
rebinding: a name server of the visitor's with a time to live of zero).
"""

from __future__ import annotations

import ipaddress
import socket
import urllib.request

import httpx

GLOBAL_IPV6 = ipaddress.ip_network("2000::/3")
"""The only block of IPv6 with public unicast addresses (RFC 4291); NAT64 (64:ff9b::/96) and others are outside."""
TUNNELS = tuple(ipaddress.ip_network(n) for n in ("2001::/23", "2002::/16", "192.88.99.0/24"))
"""Teredo and other protocol assignments, 6to4 and its relays: an IPv4 address, perhaps a private one, is inside."""


def is_public(address: str) -> bool:
    """Whether an IP address is a unicast address of the public internet, and no wrapper of another one."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    if isinstance(ip, ipaddress.IPv6Address) and ip not in GLOBAL_IPV6:
        return False
    return ip.is_global and not ip.is_multicast and not any(ip in net for net in TUNNELS if net.version == ip.version)


def resolve_public(host: str) -> str | None:
    """Resolve a host, and return one of its addresses; None if any of them is not public.

    Raises:
        OSError, UnicodeError: the host is unknown.
    """
    found = [str(item[4][0]) for item in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]
    return found[0] if found and all(is_public(address) for address in found) else None


class PinnedTransport(httpx.BaseTransport):
    """Connects to one address, whatever the host resolves to later; TLS verifies the host's name.

    inner: for tests.
    """

    def __init__(self, host: str, address: str, inner: httpx.BaseTransport | None = None) -> None:
        self._host, self._address = host, address
        self._inner = inner or httpx.HTTPTransport(proxy=_proxy(host))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request for the host to the address.

        Raises:
            httpx.UnsupportedProtocol: it is for another host.
        """
        if request.url.host != self._host:
            raise httpx.UnsupportedProtocol(f"The connection is to {self._host} only.", request=request)
        pinned = httpx.Request(
            request.method,
            request.url.copy_with(host=self._address),
            headers=request.headers,  # with `Host`, the name
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": self._host},
        )
        return self._inner.handle_request(pinned)

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()


def _proxy(host: str) -> str | None:
    """Return the proxy that the environment names for https; a client with a transport of its own does not read it."""
    return None if urllib.request.proxy_bypass(host) else urllib.request.getproxies().get("https")
