"""The parts of the bodies of all APIs. /docs shows each field with its description and an example."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Fields(BaseModel):
    """The fields of a request. A body may have others too: `Body.parse` warns of them."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Answer(BaseModel):
    """The body of an answer under /api/v1."""

    success: Literal[True] = True


def described(description: str, example: Any, *, default: Any = ..., **limits: Any) -> Any:
    """Returns a pydantic field with its description and an example. Without `default` the field is needed."""
    return Field(default=default, description=description, examples=[example], **limits)
