"""Lets the web pages of the origins in CORS_ORIGINS call the server and read its answers.

This only lets such a page read more. A foreign page without a key still may not change anything
(http/origin.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

_STANDARD = ("Accept-Ranges", "Content-Range", "ETag", "Retry-After", "Retry-After-Ms")
_READABLE = (
    "Audio-Seconds",
    "Finish-Reason",
    "Generation-Time",
    "Job-Id",
    "Request-Id",
    "Sample-Rate",
    "Warnings",
)


def allow_origins(app: FastAPI, origins: Sequence[str]) -> None:
    app.add_middleware(
        CORSMiddleware,
        allow_origins=origins,
        allow_methods=("GET", "POST", "PUT", "DELETE"),
        allow_headers=("*",),  # OpenAI's client sends a dozen headers of its own
        allow_private_network=True,  # Chrome asks for it when a public page calls a private network
        expose_headers=(*_STANDARD, *(f"X-{name}" for name in _READABLE)),
    )
