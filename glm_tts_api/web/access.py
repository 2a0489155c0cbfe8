"""Who may do what: API keys where they are set, else writes from this machine only."""

from __future__ import annotations

import ipaddress
import secrets
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from glm_tts_api.errors import Forbidden, Unauthorized
from glm_tts_api.web.dependencies import ServiceDep

_ONLY_WITH_KEYS = "Needed only where the server has API_KEYS."
_bearer_scheme = HTTPBearer(scheme_name="Bearer", description=_ONLY_WITH_KEYS, auto_error=False)
_header_scheme = APIKeyHeader(
    scheme_name="X-API-Key", name="X-API-Key", description=_ONLY_WITH_KEYS, auto_error=False
)


async def _require_key(
    service: ServiceDep,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer_scheme)],
    header: Annotated[str | None, Depends(_header_scheme)],
) -> None:
    """With API_KEYS set: raises Unauthorized without a key, Forbidden with a wrong one."""
    keys = service.config.api_keys
    if not keys:
        return
    given = (bearer.credentials if bearer else header or "").strip()
    if not given:
        raise Unauthorized("This server needs a key: send Authorization: Bearer KEY, or X-API-Key: KEY.")
    matches = [secrets.compare_digest(given.encode(), key.encode()) for key in keys]
    if not any(matches):
        raise Forbidden("The key is not one of this server's.")


async def _require_writer(request: Request, service: ServiceDep) -> None:
    """Without API_KEYS: raises Forbidden if the request comes from another machine."""
    if not service.config.api_keys and not _is_local(request):
        raise Forbidden(
            "Without API_KEYS, voices and caches can be changed from the server's own machine only."
        )


KeyRequired = Depends(_require_key)
WriterRequired = Depends(_require_writer)


def _is_local(request: Request) -> bool:
    """True on the loopback interface or a Unix socket (which has no client address)."""
    if request.client is None or not request.client.host:
        return True
    try:
        address = ipaddress.ip_address(request.client.host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
