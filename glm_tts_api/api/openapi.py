"""Adds to the OpenAPI document, for /docs and for generated clients, what FastAPI cannot find out by itself:
bodies that the routes read themselves, audio answers, and errors. Knows no request."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel

from glm_tts_api.api.dialects import OWN
from glm_tts_api.audio.containers import CONTAINERS
from glm_tts_api.audio.encode import media_type
from glm_tts_api.contracts import SAMPLE_RATE, AudioFormat
from glm_tts_api.http.body import FORM_WITH_FILES, PROMPT_AUDIO

Responses = dict[int | str, dict[str, Any]]
error_docs = OWN.errors

BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
RECORDING: dict[str, Any] = {
    **BINARY["schema"],
    "description": "A recording of the voice: wav, mp3, flac, ogg, opus, m4a, aac or webm; "
    "PROMPT_MIN_SECONDS to PROMPT_MAX_SECONDS long, 3 to 10 s are best.",
}
_RECORDING_IN_JSON = {
    "type": "string",
    "description": "A recording of the voice, as base64 or as a data URI.",
    "examples": ["data:audio/wav;base64,UklGRi..."],
}
# This documents the header. It also avoids a fault of openapi-python-client 0.29: if a route takes several
# kinds of body and has no optional parameter, the client's module uses Unset without importing it.
_REQUEST_ID: dict[str, Any] = {
    "name": "X-Request-Id",
    "in": "header",
    "required": False,
    "description": "Your own name for the request in the log and the answer; else one is made.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
}


def operation_id(route: APIRoute) -> str:
    """Returns the name of the route's handler. Generated clients use it as the name of their method."""
    return route.name


def audio_docs(*formats: AudioFormat, events: str = "") -> dict[str, Any]:
    """Describes an answer that is audio in one of the `formats`. `events` is the field that asks for
    server-sent events in place of the audio; it is empty if there is no such field."""
    content = {media_type(audio_format, SAMPLE_RATE): BINARY for audio_format in formats}
    content["application/octet-stream"] = BINARY  # openapi-python-client 0.29 knows no audio/*
    if events:
        content["text/event-stream"] = {"schema": {}}
    return {"description": f"The audio{', or events with ' + events if events else ''}.", "content": content}


def recording_docs(description: str) -> dict[str, Any]:
    """Describes an answer that is a recording in the container in which it was uploaded."""
    types = [*(container.media_type for container in CONTAINERS), "application/octet-stream"]
    return {"description": description, "content": dict.fromkeys(types, BINARY)}


def ranged_docs(whole: dict[str, Any]) -> Responses:
    """Returns the `responses` of a route whose answer can be fetched in parts (Range). `whole` describes the
    whole answer."""
    return {
        200: whole,
        206: {**whole, "description": "The part that Range asks for."},
        304: {"description": "The client has it: If-None-Match names its ETag."},
        **error_docs(416),
    }


def name_bodies(app: FastAPI) -> None:
    """Makes `app.openapi` put the request bodies that have a title (as `body_docs` makes them) among the
    document's named schemas, under these titles."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()  # made once, and kept
        named = document["components"]["schemas"]
        for route in document["paths"].values():
            for operation in route.values():
                for kind in operation.get("requestBody", {"content": {}})["content"].values():
                    if (title := kind["schema"].get("title")) is not None:
                        named.update(kind["schema"].pop("$defs", {}))
                        named[title] = kind["schema"]
                        kind["schema"] = {"$ref": f"#/components/schemas/{title}"}
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def query_docs(model: type[BaseModel], *, without: Collection[str] = ()) -> dict[str, Any]:
    """Returns the `openapi_extra` of a route that takes the fields of `model` in its query string, except the
    fields named in `without`."""
    schema = model.model_json_schema()
    return {
        "parameters": [
            {
                "name": name,
                "in": "query",
                "required": name in schema.get("required", ()),
                "description": field["description"],
                "schema": {key: value for key, value in field.items() if key not in ("description", "title")},
            }
            for name, field in schema["properties"].items()
            if name not in without
        ]
    }


def json_docs(
    model: type[BaseModel], *, name: str, example: dict[str, Any], recording: str | None = None
) -> dict[str, Any]:
    """Returns the `openapi_extra` of a route that takes `model` as JSON only. `recording` is the name of a
    further field, which holds a recording as base64; None if there is no such field. `name` is the title of
    the body's schema."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    if recording is not None:
        schema["properties"][recording] = _RECORDING_IN_JSON
    return _body({"application/json": {"schema": {**schema, "title": name}, "example": example}})


def form_docs(
    model: type[BaseModel], *, name: str, file: str, described: dict[str, Any] = RECORDING
) -> dict[str, Any]:
    """Returns the `openapi_extra` of a route that takes `model` as a form with a file in the field `file`.
    `described` is the schema of the file. `name` is the title of the body's schema."""
    schema = _with_files(model.model_json_schema(), {file: described}, title=name)
    schema["required"] = [*schema.get("required", ()), file]
    return _body({FORM_WITH_FILES: {"schema": schema}})


def body_docs(
    model: type[BaseModel],
    *,
    name: str,
    example: dict[str, Any],
    files: Mapping[str, Any] = MappingProxyType({PROMPT_AUDIO: RECORDING}),
) -> dict[str, Any]:
    """Returns the `openapi_extra` of a route that takes `model` as a form or as JSON. `files` has the schemas
    of the files that a form may have too.

    Each kind of body has its own schema, whose title begins with `name`, so that generated clients tell the
    kinds apart.
    """
    schema = model.model_json_schema()
    return _body(
        {
            FORM_WITH_FILES: {"schema": _with_files(schema, files, title=f"{name}Upload")},
            "application/x-www-form-urlencoded": {"schema": {**schema, "title": f"{name}Form"}},
            "application/json": {"schema": {**schema, "title": f"{name}Json"}, "example": example},
        }
    )


def _with_files(schema: dict[str, Any], files: Mapping[str, Any], *, title: str) -> dict[str, Any]:
    return {**schema, "title": title, "properties": {**schema["properties"], **files}}


def _body(content: dict[str, Any]) -> dict[str, Any]:
    return {"parameters": [_REQUEST_ID], "requestBody": {"required": True, "content": content}}
