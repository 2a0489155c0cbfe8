"""Finds out which client sends a request, and what that client may do. With API keys, the key decides.
Without keys, only programs on this machine may change anything."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket

from glm_tts_api.api.app_state import AppState
from glm_tts_api.api.dependencies import AppStateDep
from glm_tts_api.api.keys import Keys
from glm_tts_api.errors import Forbidden, Unauthorized, WrongKey
from glm_tts_api.http.middleware import BY_LINK
from glm_tts_api.http.origin import client_address, is_local, is_of_a_foreign_page
from glm_tts_api.speech.clients import Client

_ONLY_WITH_KEYS = "Needed only where the server has API_KEYS or API_KEYS_FILE."
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
    _check_key(request, state, bearer.credentials if bearer else header or "")


async def _require_key_or_link(
    request: Request,
    state: AppStateDep,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer_scheme)],
    header: Annotated[str | None, Depends(_header_scheme)],
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


def _check_key(
    request: HTTPConnection,
    state: AppState,
    given: str,
    *,
    how: str = "Authorization: Bearer KEY, or X-API-Key: KEY",
) -> None:
    """Checks the key `given`, and stores the request's client and owner in the request's state. If this
    server needs keys, raises Unauthorized without a key and WrongKey for a wrong one. `how` says in the
    message how to send a key. If this server needs no keys, any request passes, and the client is known by
    its address."""
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
    """Returns the owner of a request's answer. Only requests of the same owner may fetch that answer.
    Requests with the same key have the same owner. If the server has no keys, requests from the same address
    have the same owner. The owner's name does not reveal the key."""
    owner: str = request.state.owner
    return owner


def _given_key(request: HTTPConnection) -> str:
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    return credentials if scheme.lower() == "bearer" and credentials else request.headers.get("x-api-key", "")


async def _require_xi_key(
    request: Request, state: AppStateDep, header: Annotated[str | None, Depends(_xi_scheme)]
) -> None:
    """Checks the key in the header xi-api-key, which ElevenLabs' clients send. Raises Unauthorized and
    WrongKey."""
    _check_key(request, state, header or "", how="xi-api-key: KEY")


async def _require_metrics_key(
    state: AppStateDep, bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer_scheme)]
) -> None:
    """Checks the key of /metrics if METRICS_KEY is set. Raises Unauthorized without a key and Forbidden for a
    wrong key."""
    key = state.config.metrics_key
    if not key:
        return
    if bearer is None:
        raise Unauthorized("The metrics need a key: send Authorization: Bearer METRICS_KEY.")
    if Keys((key,)).holder(bearer.credentials) is None:
        raise Forbidden("The key is wrong: /metrics needs the server's METRICS_KEY.")


def check_handshake(socket: WebSocket, state: AppState) -> None:
    """Checks the key of a WebSocket's handshake and stores its client, as for a request. Raises Unauthorized
    and WrongKey.

    If the server has no keys, also raises Forbidden for a web page whose origin is neither this server's nor
    in CORS_ORIGINS. A browser keeps an HTTP answer from such a page, but lets the page read a WebSocket.
    """
    _check_key(socket, state, _given_key(socket))
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
    """Returns why a request may not change anything, although its key is right; None if it may. With keys,
    the reason is that the request's key is for some voices only. Without keys, the reason is that the request
    comes from another machine, through a proxy, or from a foreign web page."""
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
XiKeyRequired = Depends(_require_xi_key)
MetricsKeyRequired = Depends(_require_metrics_key)
WriterRequired = Depends(_require_writer)
