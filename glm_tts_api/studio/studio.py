"""Serves the studio, which is the web page at the root, and its files, which lie in the folder static/.
Converts audio that the page already has to another format.

All links of the page are relative, so that they work behind a proxy that serves the server under a path of
its own. Programs that ask for the root get JSON with the paths of the API.
"""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import JSONResponse

from glm_tts_api import __version__
from glm_tts_api.api.access import KeyRequired
from glm_tts_api.api.app_state import AppState, AppStateDep
from glm_tts_api.api.background import encoded_anew
from glm_tts_api.api.fields import Fields
from glm_tts_api.audio.encode import media_type
from glm_tts_api.contracts import AudioFormat, OutputRate
from glm_tts_api.errors import InvalidField
from glm_tts_api.http.body import read_body
from glm_tts_api.validation import FormNumber

router = APIRouter(include_in_schema=False)

_STATIC = Path(__file__).parent / "static"
_PAGE = _STATIC / "index.html"
_FILES = {path.relative_to(_STATIC).as_posix(): path for path in _STATIC.rglob("*") if path.is_file()}
_MEDIA_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_PATHS = {
    "docs": "/docs",
    "openapi": "/openapi.json",
    "speech": "/api/v1/tts",
    "voices": "/api/v1/prompts",
    "health": "/api/v1/health",
    "stats": "/api/v1/stats/concurrency",
}
_PCM = "pcm"
_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "connect-src": "'self'",
    "img-src": "'self' data: blob:",
    "media-src": "'self' blob:",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
_HEADERS = {
    "Cache-Control": "no-cache",  # browsers keep the file, and ask by its ETag whether it has changed
    "Content-Security-Policy": "; ".join(f"{name} {sources}" for name, sources in _POLICY.items()),
    "Permissions-Policy": "microphone=(self)",
}


@router.api_route("/", methods=["GET", "HEAD"])
async def root(request: Request, state: AppStateDep) -> Response:
    """Returns the page to browsers and a list of the API's paths to other clients. The status is 200 even
    while the model loads; /api/v1/health tells whether it is loaded."""
    if "text/html" in request.headers.get("accept", ""):
        answer = await _file(_PAGE, request, state)
    else:
        answer = JSONResponse(_directory(request, state))
    answer.headers.add_vary_header("Accept")
    return answer


@router.api_route("/studio/{name:path}", methods=["GET", "HEAD"])
async def studio_file(name: str, request: Request, state: AppStateDep) -> Response:
    """Returns a file of the page. 404 for a file that did not exist when the server started."""
    path = _FILES.get(name)
    if path is None or path == _PAGE:  # the page's relative links work only at the root
        raise HTTPException(404)
    return await _file(path, request, state)


async def _file(path: Path, request: Request, state: AppState) -> Response:
    """Returns a file of the page, or 304 if the client has it already. The file is read each time, so that
    changes to the page show without a restart. The ETag is weak, since it is the same for the compressed and
    the uncompressed answer."""
    body = await state.pools.files.run(path.read_bytes)
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {**_HEADERS, "ETag": f"W/{etag}", "Vary": "Accept-Encoding"}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        body = await state.pools.files.run(gzip.compress, body)
        headers["Content-Encoding"] = "gzip"
    media_type = _MEDIA_TYPES.get(path.suffix, "text/plain")
    return Response(body, headers=headers, media_type=f"{media_type}; charset=utf-8")


def _directory(request: Request, state: AppState) -> dict[str, str]:
    base = request.scope.get("root_path", "").rstrip("/")
    about = {"service": "GLM-TTS API", "version": __version__, "status": state.speech.status}
    return about | {name: base + path for name, path in _PATHS.items()}


class EncodeFields(Fields):
    """The form fields of the route; the samples are the file `pcm`."""

    response_format: AudioFormat
    sample_rate: Annotated[OutputRate, FormNumber]


@router.post("/studio/encode", dependencies=[KeyRequired])
async def encode(request: Request, state: AppStateDep) -> Response:
    """Returns the samples of the file `pcm` (16 bit, little-endian, mono, at `sample_rate` Hz) as a file in
    `response_format`."""
    body = await read_body(request, state.config.max_text_bytes)
    fields, _ = body.parse(EncodeFields, files=(_PCM,))
    pcm = body.file(_PCM)
    if pcm is None:
        raise InvalidField("Send the samples as the file pcm: 16 bit, little-endian, mono.")
    n_samples, odd = divmod(await state.pools.files.run(pcm.size), 2)
    if odd or not n_samples:
        raise InvalidField("pcm must be whole samples of 16 bit, one at least.")
    audio = await encoded_anew(
        request, state, pcm.file, n_samples, fields.sample_rate, fields.response_format
    )
    return Response(audio, media_type=media_type(fields.response_format, fields.sample_rate))
