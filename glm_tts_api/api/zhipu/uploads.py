"""Files that a client uploads before it says what they are for, or fetches after an answer named them.

They lie in a folder that all workers share, and only the newest are kept. Blocking. Knows no HTTP.
"""

from __future__ import annotations

import logging
import re
import secrets
import time
from itertools import accumulate
from pathlib import Path

from glm_tts_api.durable import replace_file
from glm_tts_api.errors import InvalidField, Unhealthy, quote

logger = logging.getLogger(__name__)
_MOST = 32
_ID = re.compile(r"file-[0-9a-f]{32}")  # the later, the greater
_WRITTEN = re.compile(rf"{_ID.pattern}(\.new)?")  # or begun by a server that was killed


class Uploads:
    """The files in `folder`, which is made when needed: the newest, as many as `most_bytes` hold."""

    def __init__(self, folder: Path, *, most_bytes: int) -> None:
        self._folder = folder
        self._most_bytes = most_bytes

    def add(self, data: bytes) -> str:
        """Keeps a file; returns the name that it can be had by. The oldest go when there are too many. Raises
        Unhealthy if the folder cannot be written."""
        name = f"file-{time.time_ns():016x}{secrets.token_hex(8)}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            replace_file(self._folder / name, data)
            files = sorted(path for path in self._folder.iterdir() if _WRITTEN.fullmatch(path.name))
            n_bytes = list(accumulate(map(_size_of, reversed(files))))
            n_kept = max(1, sum(each <= self._most_bytes for each in n_bytes[:_MOST]))
            for path in files[:-n_kept]:
                path.unlink(missing_ok=True)
        except OSError as error:
            logger.error("An upload cannot be kept in %s: %s", self._folder, error)
            raise Unhealthy("The server cannot keep uploads: let its user write PROMPTS_DIR.") from None
        return name

    def read(self, name: str) -> bytes:
        """Raises InvalidField if there is none of that name."""
        try:
            if _ID.fullmatch(name):
                return (self._folder / name).read_bytes()
        except FileNotFoundError:
            pass
        raise InvalidField(f"There is no file '{quote(name)}'; only the newest {_MOST} are kept.")


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # another worker was quicker
        return 0
