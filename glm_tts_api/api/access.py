"""Who may do what: API keys where they are set, else writes from this machine only."""

from __future__ import annotations

import hashlib
import secrets
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket

from glm_tts_api.api.dependencies import AppStateDep
from glm_tts_api.api.web_config import WebConfig
from glm_tts_api.errors import Forbidden, Unauthorized, WrongKey
from glm_tts_api.http.origin import client_address, is_local, is_of_a_foreign_page
from glm_tts_api.speech.clients import Client

_ONLY_WITH_KEYS = "Needed only where the server has API_KEYS."
_bearer_scheme = HTTPBearer(scheme_name="Bearer", description=_ONLY_WITH_KEYS, auto_error=False)
_header_scheme = APIKeyHeader(
    scheme_name="X-API-Key", name="X-API-Key", description=_ONLY_WITH_KEYS, auto_error=False
)


_xi_scheme = APIKeyHeader(
    scheme_name="xi-api-key", name="xi-api-key", description=_ONLY_WITH_KEYS, auto_error=False
)


async def _require_key(
    request: Request,
    state: AppStateDep,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer_scheme)],
    header: Annotated[str | None, Depends(_header_scheme)],
) -> None:
    _check_key(request, state.config, bearer.credentials if bearer else header or "")


def _check_key(
    request: HTTPConnection,
    config: WebConfig,
    given: str,
    *,
    how: str = "Authorization: Bearer KEY, or X-API-Key: KEY",
) -> None:
    """Gives the request's state its `client`. With API_KEYS set: raises Unauthorized without a key, WrongKey
    with a wrong one."""
    request.state.client = Client(client_address(request))
    if not config.api_keys:
        return
    if not given.strip():
        raise Unauthorized(f"This server needs a key: send {how}.")
    if not _is_one_of(config.api_keys, given):
        raise WrongKey("The key is not one of this server's.")


def owner_of(request: Request, config: WebConfig) -> str:
    """Whose a request's answer is, which nobody else may fetch: of who sends the same key or, where the
    server has none, asks from the same address. No key can be told from it."""
    client: Client = request.state.client
    if client.is_named or not config.api_keys:
        return client.name
    sent = (_given_key(request), request.headers.get("xi-api-key", ""))
    key = next(given.strip() for given in sent if _is_one_of(config.api_keys, given))
    return hashlib.sha256(key.encode("latin-1")).hexdigest()


def _given_key(request: HTTPConnection) -> str:
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    return credentials if scheme.lower() == "bearer" and credentials else request.headers.get("x-api-key", "")


async def _require_xi_key(
    request: Request, state: AppStateDep, header: Annotated[str | None, Depends(_xi_scheme)]
) -> None:
    """As ElevenLabs' clients send it."""
    _check_key(request, state.config, header or "", how="xi-api-key: KEY")


async def _require_metrics_key(
    state: AppStateDep, bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer_scheme)]
) -> None:
    """With METRICS_KEY set: raises Unauthorized without a key, Forbidden with a wrong one."""
    key = state.config.metrics_key
    if not key:
        return
    if bearer is None:
        raise Unauthorized("The metrics need a key: send Authorization: Bearer METRICS_KEY.")
    if not _is_one_of((key,), bearer.credentials):
        raise Forbidden("The key is not METRICS_KEY.")


def check_handshake(socket: WebSocket, config: WebConfig) -> None:
    """What holds for a WebSocket: the key, as for a request. Without API_KEYS also raises Forbidden if a web
    page of an origin that is neither ours nor one of CORS_ORIGINS opens it: a browser, which keeps an answer
    from such a page, lets it read all that a WebSocket brings."""
    _check_key(socket, config, _given_key(socket))
    allowed = config.cors_origins
    if config.api_keys or "*" in allowed or socket.headers.get("origin") in allowed:
        return
    if is_of_a_foreign_page(socket):
        raise Forbidden("Without API_KEYS, only web pages of CORS_ORIGINS may open a WebSocket here.")


async def _require_writer(request: Request, state: AppStateDep) -> None:
    refusal = writer_refusal(request, state.config)
    if refusal is not None:
        raise Forbidden(refusal)


def writer_refusal(request: Request, config: WebConfig) -> str | None:
    """Why a request may change nothing, though its key is right; None if it may. Without API_KEYS: because it
    comes from another machine, by way of a proxy, or from a web page that is not ours."""
    if config.api_keys:
        return None
    if not is_local(request):
        return (
            "Without API_KEYS, voices and caches can be changed from the server's own machine only, and not "
            "through a proxy."
        )
    if is_of_a_foreign_page(request):
        return "Without API_KEYS, a web page of another origin may not change voices or caches."
    return None


def _is_one_of(keys: tuple[str, ...], given: str) -> bool:
    sent = given.strip().encode("latin-1")  # the bytes as they came
    matches = [secrets.compare_digest(sent, spelt) for key in keys for spelt in _spellings(key)]
    return any(matches)


def _spellings(key: str) -> set[bytes]:
    """A key in a header: curl sends UTF-8, Python's clients Latin-1 where they can."""
    spelt = {key.encode()}
    if all(char <= "\xff" for char in key):
        spelt.add(key.encode("latin-1"))
    return spelt


KeyRequired = Depends(_require_key)
XiKeyRequired = Depends(_require_xi_key)
MetricsKeyRequired = Depends(_require_metrics_key)
WriterRequired = Depends(_require_writer)
