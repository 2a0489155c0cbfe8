"""Errors of the port. Knows asyncio alone."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

logger = logging.getLogger(__name__)


def log_accept_errors_sparingly(loop: asyncio.AbstractEventLoop) -> None:
    """asyncio tells of each connection that it cannot accept, some thousand times a second."""
    told_at = -1.0

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        nonlocal told_at
        if not str(context.get("message", "")).startswith("socket.accept()"):
            loop.default_exception_handler(context)
        elif time.monotonic() - told_at >= 1.0:
            told_at = time.monotonic()
            logger.error("Connections cannot be accepted now: %s", context.get("exception"))

    loop.set_exception_handler(handle)
