"""Finds out which client sends a request, and what that client may do. With API keys, the key decides.
Without keys, only programs on this machine may change anything."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Query, Request
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket

from glm_tts_api.api.app_state import AppState, AppStateDep
from glm_tts_api.api.keys import Keys
from glm_tts_api.errors import Forbidden, Unauthorized, WrongKey
from glm_tts_api.http.middleware import BY_LINK
from glm_tts_api.http.origin import client_address, is_local, is_of_a_foreign_page
from glm_tts_api.speech.clients import Client

_ONLY_WITH_KEYS = "Needed only where the server has API_KEYS or API_KEYS_FILE."
_bearer_scheme = HTTPBearer(scheme_name="Bearer", description=_ONLY_WITH_KEYS, auto_error=False)


def _header_scheme(name: str) -> APIKeyHeader:
    return APIKeyHeader(scheme_name=name, name=name, description=_ONLY_WITH_KEYS, auto_error=False)


Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer_scheme)]
OwnHeader = Annotated[str | None, Depends(_header_scheme("X-API-Key"))]


async def _require_key(request: Request, state: AppStateDep, bearer: Bearer, header: OwnHeader) -> None:
    _check_key(request, state, bearer.credentials if bearer else header or "")


async def _require_key_or_link(
    request: Request,
    state: AppStateDep,
    bearer: Bearer,
    header: OwnHeader,
    link: Annotated[
        str, Query(description="A link from POST /jobs/{id}/link, in place of a key.", examples=[""])
    ] = "",
) -> None:
    """Checks the request's key, or, if the request has no key, its link. The link must be for the `id` in the
    route's path. Raises Unauthorized and WrongKey."""
    given = bearer.credentials if bearer else header or ""
    if given or not link or not state.keys.are_needed:
        _check_key(request, state, given)
        return
    holder = state.keys.holder_of_link(link, request.path_params["id"])
    if holder is None:
        raise WrongKey("The link has expired or opens something else: POST /api/v1/jobs/{id}/link gives one.")
    _is_asked_by(request, holder)
    setattr(request.state, BY_LINK, True)


def key_in(name: str) -> Any:
    """Returns a dependency that checks the key in the header `name`, which the clients of a dialect send. It
    raises Unauthorized and WrongKey."""
    scheme = _header_scheme(name)

    async def require(request: Request, state: AppStateDep, header: str | None = Depends(scheme)) -> None:
        _check_key(request, state, header or "", how=f"{name}: KEY")

    return Depends(require)


async def _require_metrics_key(state: AppStateDep, bearer: Bearer) -> None:
    """Checks the key of /metrics if METRICS_KEY is set. Raises Unauthorized without a key and Forbidden for a
    wrong key."""
    key = state.config.metrics_key
    if not key:
        return
    if bearer is None:
        raise Unauthorized("The metrics need a key: send Authorization: Bearer METRICS_KEY.")
    if Keys((key,)).holder(bearer.credentials) is None:
        raise Forbidden("The key is wrong: /metrics needs the server's METRICS_KEY.")


def _check_key(
    request: HTTPConnection,
    state: AppState,
    given: str,
    *,
    how: str = "Authorization: Bearer KEY, or X-API-Key: KEY",
) -> None:
    """Checks the key `given`, if this server needs keys, and stores the request's client and owner in the
    request's state. `how` says how to send a key. Raises Unauthorized without a key, WrongKey for a wrong
    one."""
    request.state.client = Client(client_address(request))
    request.state.owner = request.state.client.name
    if not state.keys.are_needed:
        return
    if not given.strip():
        raise Unauthorized(f"This server needs a key: send {how}.")
    holder = state.keys.holder(given)
    if holder is None:
        raise WrongKey("The key is not one of this server's: check it, or ask the server's operator for one.")
    _is_asked_by(request, holder)


def _is_asked_by(request: HTTPConnection, holder: Client) -> None:
    """Stores the client and the owner of a request with a right key in the request's state. `holder` is the
    holder of that key. The client has the name of its key, or its address if the key has no name."""
    request.state.client = holder if holder.is_named else Client(client_address(request))
    request.state.owner = holder.name


def owner_of(request: Request) -> str:
    """Returns the owner of a request's answer, who alone may fetch it again: one owner for each key or,
    without keys, for each address. The owner's name does not reveal the key."""
    owner: str = request.state.owner
    return owner


def check_handshake(socket: WebSocket, state: AppState) -> None:
    """Checks the key of a WebSocket's handshake and stores its client, as for a request. Raises Unauthorized
    and WrongKey.

    If the server has no keys, also raises Forbidden for a web page whose origin is neither this server's nor
    in CORS_ORIGINS. A browser keeps an HTTP answer from such a page, but lets the page read a WebSocket.
    """
    scheme, _, credentials = socket.headers.get("authorization", "").partition(" ")
    is_bearer = scheme.lower() == "bearer" and credentials
    _check_key(socket, state, credentials if is_bearer else socket.headers.get("x-api-key", ""))
    allowed = state.config.cors_origins
    if state.keys.are_needed or "*" in allowed or socket.headers.get("origin") in allowed:
        return
    if is_of_a_foreign_page(socket):
        raise Forbidden(
            "This page's origin may open no WebSocket here: add it to CORS_ORIGINS, or set API_KEYS."
        )


async def _require_writer(request: Request, state: AppStateDep) -> None:
    refusal = writer_refusal(request, state)
    if refusal is not None:
        raise Forbidden(refusal)


def writer_refusal(request: Request, state: AppState) -> str | None:
    """Returns why a request may not change anything, although its key is right; None if it may."""
    client: Client = request.state.client
    if client.voices is not None:
        return f"The key {client.name} is for some voices alone (API_KEYS_FILE) and may change nothing."
    if state.keys.are_needed:
        return None
    if not is_local(request):
        return (
            "Without API_KEYS, voices and caches can be changed from the server's own machine only, and not "
            "through a proxy."
        )
    if is_of_a_foreign_page(request):
        return "Without API_KEYS, a web page of another origin may not change voices or caches."
    return None


KeyRequired = Depends(_require_key)
KeyOrLinkRequired = Depends(_require_key_or_link)
MetricsKeyRequired = Depends(_require_metrics_key)
WriterRequired = Depends(_require_writer)
