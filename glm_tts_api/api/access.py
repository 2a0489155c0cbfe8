"""The client of a request, and what it may do: by API keys where they are set. Without keys, only this
machine may write."""

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
        str, Query(description="In place of a key: as POST /jobs/{id}/link answered it.", examples=[""])
    ] = "",
) -> None:
    """Takes a link in place of a key. The path has an `id`, which names the link's target."""
    given = bearer.credentials if bearer else header or ""
    if given or not link or not state.keys.are_needed:
        _check_key(request, state, given)
        return
    holder = state.keys.holder_of_link(link, request.path_params["id"])
    if holder is None:
        raise WrongKey("The link has expired or opens something else: POST /api/v1/jobs/{id}/link gives one.")
    _is_asked_by(request, holder)


def _check_key(
    request: HTTPConnection,
    state: AppState,
    given: str,
    *,
    how: str = "Authorization: Bearer KEY, or X-API-Key: KEY",
) -> None:
    """Gives the request's state its `client`: a key's name, else an address. Where keys are needed: raises
    Unauthorized without one, WrongKey with a wrong one."""
    request.state.client = Client(client_address(request))
    request.state.owner = request.state.client.name
    if not state.keys.are_needed:
        return
    if not given.strip():
        raise Unauthorized(f"This server needs a key: send {how}.")
    holder = state.keys.holder(given)
    if holder is None:
        raise WrongKey("The key is not one of this server's.")
    _is_asked_by(request, holder)


def _is_asked_by(request: HTTPConnection, holder: Client) -> None:
    """The client goes by the name of its key, or by its address where the key has no name."""
    request.state.client = holder if holder.is_named else Client(client_address(request))
    request.state.owner = holder.name


def owner_of(request: Request) -> str:
    """The owner of a request's answer; nobody else may fetch that answer. Requests with the same key have
    the same owner; where the server has no keys, requests from the same address. The name does not reveal
    a key."""
    owner: str = request.state.owner
    return owner


def _given_key(request: HTTPConnection) -> str:
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    return credentials if scheme.lower() == "bearer" and credentials else request.headers.get("x-api-key", "")


async def _require_xi_key(
    request: Request, state: AppStateDep, header: Annotated[str | None, Depends(_xi_scheme)]
) -> None:
    """The key in the header of ElevenLabs' clients."""
    _check_key(request, state, header or "", how="xi-api-key: KEY")


async def _require_metrics_key(
    state: AppStateDep, bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer_scheme)]
) -> None:
    """Where METRICS_KEY is set, raises Unauthorized without a key and Forbidden with a wrong one."""
    key = state.config.metrics_key
    if not key:
        return
    if bearer is None:
        raise Unauthorized("The metrics need a key: send Authorization: Bearer METRICS_KEY.")
    if Keys((key,)).holder(bearer.credentials) is None:
        raise Forbidden("The key is not METRICS_KEY.")


def check_handshake(socket: WebSocket, state: AppState) -> None:
    """Checks a WebSocket's key, as for a request.

    Without keys it also raises Forbidden for a web page of a foreign origin, one that is neither ours nor in
    CORS_ORIGINS. A browser keeps an HTTP answer from such a page, but lets it read a WebSocket.
    """
    _check_key(socket, state, _given_key(socket))
    allowed = state.config.cors_origins
    if state.keys.are_needed or "*" in allowed or socket.headers.get("origin") in allowed:
        return
    if is_of_a_foreign_page(socket):
        raise Forbidden("Without API_KEYS, only web pages of CORS_ORIGINS may open a WebSocket here.")


async def _require_writer(request: Request, state: AppStateDep) -> None:
    refusal = writer_refusal(request, state)
    if refusal is not None:
        raise Forbidden(refusal)


def writer_refusal(request: Request, state: AppState) -> str | None:
    """Why a request may change nothing, though its key is right; None if it may. With keys: because its own
    is for some voices alone. Without: because it comes from another machine, by way of a proxy, or from a web
    page that is not ours."""
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
