"""Logging set-up: one format, the request id in every line, no user's text. Knows no HTTP and no settings."""

from __future__ import annotations

import json
import logging
import os
import time
from contextvars import ContextVar
from typing import Any

request_id_var: ContextVar[str] = ContextVar("request_id", default="-")

# Users' texts, and messages of exceptions that may quote them, are logged only with LOG_TEXT=1.
text_logger = logging.getLogger("glm_tts_api.text")
text_logger.disabled = True

# Characters that would move a terminal's cursor, colour it or turn its text around.
_UNPRINTABLE = [
    code
    for code in (*range(32), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
    if chr(code) not in "\n\t"
]
_ESCAPES = {code: f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" for code in _UNPRINTABLE}
_JSON_ESCAPES = {code: f"\\u{code:04x}" for code in _UNPRINTABLE}
_STDERR = 2
_TEXT = logging.Formatter("%(asctime)s %(levelname)s %(process)d [%(request_id)s] %(name)s: %(message)s")


class MessageWithheld(Exception):
    """Stands in the log for an exception whose message may quote a user's text."""


def without_text(error: BaseException) -> BaseException:
    """Returns `error` as the log may show it: its traceback and its type, without its message, which may
    quote a user's text. Returns `error` itself if texts are to be logged."""
    if not text_logger.disabled:
        return error
    withheld = MessageWithheld(f"{type(error).__name__}; LOG_TEXT=1 shows its message, which may hold text")
    withheld.__cause__ = None if error.__cause__ is None else without_text(error.__cause__)
    return withheld.with_traceback(error.__traceback__)


def json_line(logger: str, message: str, **more: Any) -> str:
    """Returns a log record as one line of JSON, with the current time and this process's id. `more` are
    further fields, or other values of these."""
    fields = {"time": _time(time.time()), "level": "INFO", "process": os.getpid(), "request_id": "-"}
    fields |= {"logger": logger, "message": message, **more}
    return json.dumps(fields, ensure_ascii=False).translate(_JSON_ESCAPES)


def configure_logging(*, as_json: bool = False, with_texts: bool = False) -> None:
    """Makes every logger, uvicorn's included, write to stderr in one format: text, or JSON with `as_json`.
    `with_texts` allows users' texts in the log."""
    text_logger.disabled = not with_texts
    root = logging.getLogger()
    root.handlers[:] = [_Output(as_json=as_json)]
    root.setLevel("INFO")
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    # Health polls would fill the log, and other requests log a line of their own.
    logging.getLogger("uvicorn.access").setLevel(logging.WARNING)


class _Output(logging.Handler):
    """Writes log lines to stderr. If stderr is a full pipe that does not block, lines are left out. Once
    there is room again, one line says how many lines are missing."""

    def __init__(self, *, as_json: bool) -> None:
        super().__init__()
        self._as_json = as_json
        self._unwritten = b""  # the rest of a line that has begun
        self._n_left_out = 0

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self._line(record)
        except Exception:  # a message that does not fit its arguments must not end a request
            self.handleError(record)
            return
        self._unwritten = _write(self._unwritten)
        if self._unwritten:
            self._n_left_out += 1
            return
        if self._n_left_out:
            message = "%d lines are missing here: nobody read the log"
            notice = logging.LogRecord(__name__, logging.WARNING, "", 0, message, (self._n_left_out,), None)
            notice.request_id = "-"
            line = self._line(notice) + line
        unwritten = _write(line)
        if len(unwritten) == len(line):
            self._n_left_out += 1
        else:
            self._n_left_out, self._unwritten = 0, unwritten

    def _line(self, record: logging.LogRecord) -> bytes:
        return f"{self.format(record)}\n".encode(errors="backslashreplace")

    def format(self, record: logging.LogRecord) -> str:
        """Formats a record, with its request id and its traceback: as one line of JSON, or as text with
        control characters as escapes, where a traceback keeps its line breaks. uvicorn logs everything under
        uvicorn.error. That becomes uvicorn, so that `grep -i error` finds only errors."""
        if record.name == "uvicorn.error":
            record.name = "uvicorn"
        record.request_id = request_id = getattr(record, "request_id", request_id_var.get())
        if not self._as_json:
            return _TEXT.format(record).translate(_ESCAPES)
        fields = {"time": _time(record.created), "level": record.levelname, "process": record.process}
        fields |= {"request_id": request_id, **getattr(record, "fields", {})}
        if record.exc_info:
            fields["exception"] = _TEXT.formatException(record.exc_info)
        return json_line(record.name, record.getMessage(), **fields)


def _write(data: bytes) -> bytes:
    """Writes the bytes to stderr. Returns the bytes that could not be written."""
    while data:
        try:
            data = data[os.write(_STDERR, data) :]
        except OSError:
            break
    return data


def _time(seconds: float) -> str:
    """Formats `seconds` since 1970 as a UTC time of RFC 3339, with milliseconds."""
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{int(seconds % 1 * 1000):03d}Z"
