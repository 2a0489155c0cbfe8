"""Logging set-up: one format, the request id in every line, no user's text. Knows no HTTP and no settings."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from contextvars import ContextVar
from typing import Any

request_id_var: ContextVar[str] = ContextVar("request_id", default="-")

# Texts are logged, and messages of exceptions that may quote them, only where that was asked for.
text_logger = logging.getLogger("glm_tts_api.text")
text_logger.disabled = True

# What would move a terminal's cursor, colour it or turn its text around, whoever put it into a message.
_UNPRINTABLE = [
    code
    for code in (*range(32), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
    if chr(code) not in "\n\t"
]
_ESCAPES = {code: f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" for code in _UNPRINTABLE}
_JSON_ESCAPES = {code: f"\\u{code:04x}" for code in _UNPRINTABLE}
_FORMAT = "%(asctime)s %(levelname)s %(process)d [%(request_id)s] %(name)s: %(message)s"


class MessageWithheld(Exception):
    """Stands in the log for an exception whose message may quote a user's text."""


def without_text(error: BaseException) -> BaseException:
    """The error as the log may have it: its traceback with its type alone, unless texts are to be logged."""
    if not text_logger.disabled:
        return error
    withheld = MessageWithheld(f"{type(error).__name__}; LOG_TEXT=1 shows its message, which may hold text")
    withheld.__cause__ = None if error.__cause__ is None else without_text(error.__cause__)
    return withheld.with_traceback(error.__traceback__)


def json_line(logger: str, message: str, **more: Any) -> str:
    """A record as one line of JSON, of this process and now."""
    fields = {"time": _time(time.time()), "level": "INFO", "process": os.getpid(), "request_id": "-"}
    return _to_json({**fields, "logger": logger, "message": message, **more})


def configure_logging(level: str = "INFO", *, as_json: bool = False, with_texts: bool = False) -> None:
    """Sends every logger, uvicorn's included, to stderr in one format."""
    text_logger.disabled = not with_texts
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_LineFilter())
    handler.setFormatter(_JsonFormatter() if as_json else _LineFormatter(_FORMAT))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    logging.getLogger("uvicorn.access").setLevel(logging.WARNING)  # health polls; requests log their own line


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
        return super().format(record).translate(_ESCAPES)


class _JsonFormatter(logging.Formatter):
    """A record, its traceback included, as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "time": _time(record.created),
            "level": record.levelname,
            "process": record.process,
            "request_id": getattr(record, "request_id", "-"),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return _to_json(fields)


def _time(seconds: float) -> str:
    """As RFC 3339 has it, in UTC."""
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{int(seconds % 1 * 1000):03d}Z"


def _to_json(fields: dict[str, Any]) -> str:
    return json.dumps(fields, ensure_ascii=False).translate(_JSON_ESCAPES)
