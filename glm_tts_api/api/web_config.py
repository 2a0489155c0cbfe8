"""The settings that the routes need. Knows no environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class WebConfig:
    """The limits and other settings that the routes need."""

    workers: int
    max_text_length: int
    max_upload_bytes: int
    max_text_bytes: int
    voice_aliases: Mapping[str, str]
    uploads_dir: Path
    metrics_key: str
    allowed_hosts: frozenset[str]
    cors_origins: tuple[str, ...]
    is_demonstration: bool
    verify_token: str
