"""Tells from the connection and its headers where a request comes from. A server without API keys decides by
this what the request may do.

Requests of a browser on this machine come from a local address, whatever page sends them. So a foreign page
can post forms to localhost. A page whose host name was pointed at this machine (DNS rebinding) can even read
the answers. A proxy on this machine makes every client look local.
"""

from __future__ import annotations

import ipaddress
import re

from starlette.requests import HTTPConnection

from glm_tts_api.errors import quote

_FORWARDED = re.compile(r"forwarded|x-forwarded-.*|x-real-ip|via")  # headers that proxies add
_PORT = re.compile(r":\d*$")
_OWN_SITE = (None, "same-origin", "none")  # Sec-Fetch-Site of no browser, of our own page, of a typed address
# Nobody can own such a name on the internet, so no stranger's page can have it.
_PRIVATE_SUFFIXES = (".localhost", ".local", ".internal", ".home.arpa")


def is_local(request: HTTPConnection) -> bool:
    """Whether a program on this machine sent the request directly: over the loopback interface or a Unix
    socket (which has no client address), and not through a proxy. A request counts as sent through a proxy if
    it has a forwarding header, or is HTTP/1.0, as some proxies (nginx) send it."""
    if request.scope["http_version"] == "1.0" or any(map(_FORWARDED.fullmatch, request.headers)):
        return False
    if request.client is None or not request.client.host:
        return True
    address = _address(request.client.host)
    return address is not None and address.is_loopback


def is_of_a_foreign_page(request: HTTPConnection) -> bool:
    """Whether a browser sent the request for a web page that is not from this server."""
    if request.headers.get("sec-fetch-site") not in _OWN_SITE:
        return True
    origin = request.headers.get("origin")
    return origin is not None and origin.partition("://")[2] != request.headers.get("host")


def has_own_name(request: HTTPConnection, allowed: frozenset[str]) -> bool:
    """Whether the request's Host header is a name that no stranger can own: an IP address, a name without a
    dot, a name of a private network (such as nas.local), or an entry of `allowed`. In `allowed`, `*` stands
    for every name and `.example.org` for every name that ends with it."""
    host = request.headers.get("host", "").strip().lower()
    name = _PORT.sub("", host).strip("[]").rstrip(".")
    if "." not in name or name.endswith(_PRIVATE_SUFFIXES) or _address(name) is not None:
        return True
    return any(entry in ("*", name) or (entry[0] == "." and name.endswith(entry)) for entry in allowed)


def client_address(request: HTTPConnection) -> str:
    """Returns the client's address as one word without blanks, fit for a log line. It is the address that a
    trusted proxy (FORWARDED_ALLOW_IPS) reports, without its port, else that of the connection. An IPv6
    address is returned as its network of 64 bits, since one machine may use any address of it. A Unix socket
    gives `unix:`."""
    host = request.client.host if request.client else ""
    address = _address(host) or _address(_PORT.sub("", host).strip("[]"))
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((address, 64), strict=False))
    return str(address) if address else "_".join(quote(host).split()) or "unix:"


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
