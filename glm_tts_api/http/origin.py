"""Tells from the connection and its headers where a request comes from. A server without keys decides by
that.

A browser on this machine is local, and so is every page that it shows. A foreign page may post forms to
localhost; a page whose name was pointed at this machine (DNS rebinding) may read answers as well. And a proxy
on this machine makes everyone look local.
"""

from __future__ import annotations

import ipaddress
import re

from starlette.requests import HTTPConnection

from glm_tts_api.errors import quote

_FORWARDED = re.compile(r"forwarded|x-forwarded-.*|x-real-ip|via")  # headers that proxies add
_OWN_SITE = (None, "same-origin", "none")  # Sec-Fetch-Site: no browser, our own page, the user's doing
# Nobody can own such a name on the internet, so no stranger's page can have it.
_PRIVATE_SUFFIXES = (".localhost", ".local", ".internal", ".home.arpa")


def is_local(request: HTTPConnection) -> bool:
    """Whether a program on this machine sent it: over the loopback interface or a Unix socket (which has no
    client address), and not through a proxy. Proxies that add no header speak HTTP/1.0, as nginx does."""
    if request.scope["http_version"] == "1.0" or any(map(_FORWARDED.fullmatch, request.headers)):
        return False
    if request.client is None or not request.client.host:
        return True
    address = _address(request.client.host)
    return address is not None and address.is_loopback


def is_of_a_foreign_page(request: HTTPConnection) -> bool:
    """Whether a browser sent it for a page that is not of this server."""
    if request.headers.get("sec-fetch-site") not in _OWN_SITE:
        return True
    origin = request.headers.get("origin")
    return origin is not None and origin.partition("://")[2] != request.headers.get("host")


def has_own_name(request: HTTPConnection, allowed: frozenset[str]) -> bool:
    """Whether it calls this server by a name that no stranger can have: an address, one without a dot or of a
    private network, or one of `allowed` (`*` is any, `.example.org` all below it)."""
    host = request.headers.get("host", "").strip().lower()
    name = re.sub(r":\d*$", "", host).strip("[]").rstrip(".")
    if "." not in name or name.endswith(_PRIVATE_SUFFIXES) or _address(name) is not None:
        return True
    return any(entry in ("*", name) or (entry[0] == "." and name.endswith(entry)) for entry in allowed)


def client_address(request: HTTPConnection) -> str:
    """The address of the client: as a trusted proxy (FORWARDED_ALLOW_IPS) tells it, else of the connection.
    Of IPv6 the network of 64 bits, since one machine may have any address of it; `unix:` for a Unix
    socket."""
    host = request.client.host if request.client else ""
    address = _address(host)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((address, 64), strict=False))
    return str(address) if address else quote(host) or "unix:"


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
