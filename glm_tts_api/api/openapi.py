"""Describes the API for /docs and for generated clients, where the framework cannot: bodies that the routes
read themselves, audio, errors. Knows no request."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel

from glm_tts_api.api.v1.schemas import ErrorBody

Responses = dict[int | str, dict[str, Any]]

BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
_PROMPT_AUDIO: dict[str, Any] = {
    **BINARY["schema"],
    "description": "A recording of the voice: wav, mp3, flac, ogg, opus, m4a, aac or webm; "
    "PROMPT_MIN_SECONDS to PROMPT_MAX_SECONDS long, 3 to 10 s are best.",
}
# Beside documenting it, an optional parameter keeps openapi-python-client 0.29 from writing a module that
# uses Unset without importing it, as it does where a route takes several kinds of body and nothing optional.
_REQUEST_ID: dict[str, Any] = {
    "name": "X-Request-Id",
    "in": "header",
    "required": False,
    "description": "Your own name for the request in the log and the answer; else one is made.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
}


def operation_id(route: APIRoute) -> str:
    """The handler's name: what a generated client calls its method."""
    return route.name


def error_docs(*statuses: int) -> Responses:
    """`responses` of a route that can answer with these errors."""
    return {status: {"model": ErrorBody} for status in statuses}


def header_docs(**descriptions: str) -> dict[str, Any]:
    """`headers` of an answer: X_Sample_Rate="..." describes X-Sample-Rate."""
    return {
        name.replace("_", "-"): {"description": description, "schema": {"type": "string"}}
        for name, description in descriptions.items()
    }


def name_bodies(app: FastAPI) -> None:
    """Lets the bodies of `body_docs` stand among the API's named schemas, under their titles."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()  # made once, and kept
        named = document["components"]["schemas"]
        for route in document["paths"].values():
            for operation in route.values():
                for media_type in operation.get("requestBody", {"content": {}})["content"].values():
                    if (title := media_type["schema"].get("title")) is not None:
                        named[title] = media_type["schema"]
                        media_type["schema"] = {"$ref": f"#/components/schemas/{title}"}
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def query_docs(model: type[BaseModel], *, without: Collection[str]) -> dict[str, Any]:
    """`openapi_extra` of a route that takes `model` in its address."""
    schema = model.model_json_schema()
    return {
        "parameters": [
            {
                "name": name,
                "in": "query",
                "required": name in schema["required"],
                "description": field["description"],
                "schema": {key: value for key, value in field.items() if key not in ("description", "title")},
            }
            for name, field in schema["properties"].items()
            if name not in without
        ]
    }


def body_docs(
    model: type[BaseModel], *, name: str, example: dict[str, Any], takes_file: bool = True
) -> dict[str, Any]:
    """`openapi_extra` of a route that takes `model` as a form or as JSON; `takes_file`: and prompt_audio in a
    form.

    Each kind of body has a schema of its own, with a name of its own: so generated clients tell them apart.
    """
    schema = model.model_json_schema()
    with_file = {**schema["properties"], **({"prompt_audio": _PROMPT_AUDIO} if takes_file else {})}
    return {
        "parameters": [_REQUEST_ID],
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {**schema, "title": f"{name}Upload", "properties": with_file}
                },
                "application/x-www-form-urlencoded": {"schema": {**schema, "title": f"{name}Form"}},
                "application/json": {"schema": {**schema, "title": f"{name}Json"}, "example": example},
            },
        },
    }
