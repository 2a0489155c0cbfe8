"""The files that a request contains, as parts of a form or as base64 in a field."""

from __future__ import annotations

import base64
import binascii
import logging
import os
import re
import tempfile
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from glm_tts_api.errors import InvalidField, Unavailable

logger = logging.getLogger(__name__)
_IN_MEMORY = 2**20  # bytes; Starlette's form parser has the same limit
_BLOCK = 2**20  # characters decoded at once, a multiple of 4; other threads run between two blocks
_DATA_URI = re.compile(r"data:[^,]{0,200};base64,", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded file. A file over 1 MB is kept on the disk, and is removed at the end of the request."""

    filename: str
    file: BinaryIO

    def read(self, n_bytes: int = -1) -> bytes:
        """Returns the first `n_bytes` bytes of the file; -1 returns all of them. Blocking."""
        self.file.seek(0)
        return self.file.read(n_bytes)

    def size(self) -> int:
        """Returns the file's size in bytes. Blocking."""
        return self.file.seek(0, os.SEEK_END)


def decoded_upload(name: str, value: Any) -> Upload:
    """Decodes `value`, the content of the field `name`: a file as base64 or as a data URI. Blocking. Raises
    InvalidField for anything else (a URL or a path is never opened), Unavailable if the disk is full."""
    text = "".join(value.split()) if isinstance(value, str) else ""
    head = _DATA_URI.match(text)
    start = head.end() if head else 0
    file = cast(BinaryIO, tempfile.SpooledTemporaryFile(_IN_MEMORY))  # noqa: SIM115  (stays open with the request)
    try:
        for at in range(start, len(text), _BLOCK):
            file.write(base64.b64decode(text[at : at + _BLOCK], validate=True))
        if not file.tell():
            raise ValueError("no bytes")
    except (binascii.Error, ValueError):
        file.close()
        raise InvalidField(
            f"{name} must be the recording itself, as base64 or as data:audio/wav;base64,...; "
            "the server opens no address and no path.",
            name,
        ) from None
    except OSError as error:
        file.close()
        raise no_room(error) from None
    return Upload(name, file)


def no_room(error: OSError) -> Unavailable:
    logger.error("An upload cannot be kept in %s: %s", tempfile.gettempdir(), error)
    return Unavailable("The server has no room for uploads now. Try again later.")
