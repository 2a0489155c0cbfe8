"""Logging set-up: one format, the request id in every line. Knows no HTTP and no settings."""

from __future__ import annotations

import logging
import sys
from contextvars import ContextVar

request_id_var: ContextVar[str] = ContextVar("request_id", default="-")

# What would move a terminal's cursor, colour it or turn its text around, whoever put it into a message.
_UNPRINTABLE = {
    code: f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
    for code in (*range(32), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
    if chr(code) not in "\n\t"
}
_FORMAT = "%(asctime)s %(levelname)s %(process)d [%(request_id)s] %(name)s: %(message)s"


class _LineFilter(logging.Filter):
    """Adds the request id, and lets `grep -i error` find errors only: uvicorn.error tells everything."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name == "uvicorn.error":
            record.name = "uvicorn"
        if not hasattr(record, "request_id"):
            record.request_id = request_id_var.get()
        return True


class _LineFormatter(logging.Formatter):
    """Shows control characters as escapes; a traceback keeps its lines."""

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).translate(_UNPRINTABLE)


def configure_logging(level: str = "INFO") -> None:
    """Sends every logger, uvicorn's included, to stderr in one format."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_LineFilter())
    handler.setFormatter(_LineFormatter(_FORMAT))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    logging.getLogger("uvicorn.access").setLevel(logging.WARNING)  # health polls; requests log their own line
