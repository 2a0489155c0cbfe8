"""Keeps the files of Zhipu's API: recordings that clients upload to clone voices from, and samples of the new
voices, which clients fetch.

Each key has a folder, which all workers share. Only the newest files are kept. Blocking. Knows no HTTP.
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
_ID = re.compile(r"file-[0-9a-f]{32}")  # a later file has a greater id
_WRITTEN = re.compile(rf"{_ID.pattern}(\.new)?")  # also a file that a killed server has left unfinished


class Uploads:
    """Keeps the newest files in `folder`: at most 32 files, with at most `most_bytes` together. The newest
    file is always kept. The folder is made when it is needed."""

    def __init__(self, folder: Path, *, most_bytes: int) -> None:
        self._folder = folder
        self._most_bytes = most_bytes

    def add(self, data: bytes) -> str:
        """Stores `data` as a new file and returns the file's name. Deletes the oldest files if there are more
        files or bytes than allowed. Raises Unhealthy if the folder cannot be written."""
        name = f"file-{time.time_ns():016x}{secrets.token_hex(8)}"
        try:
            self._folder.mkdir(0o700, parents=True, exist_ok=True)
            replace_file(self._folder / name, data)
            files = sorted(path for path in self._folder.iterdir() if _WRITTEN.fullmatch(path.name))
            n_bytes = list(accumulate(map(_size_of, reversed(files))))
            n_kept = max(1, sum(each <= self._most_bytes for each in n_bytes[:_MOST]))
            for path in files[:-n_kept]:
                path.unlink(missing_ok=True)
        except OSError as error:
            logger.error("An upload cannot be kept in %s: %s", self._folder, error)
            raise Unhealthy("The server cannot keep uploads: let its user write to PROMPTS_DIR.") from None
        return name

    def read(self, name: str) -> bytes:
        """Returns the content of the file `name`. Raises InvalidField if there is no such file."""
        try:
            if _ID.fullmatch(name):
                return (self._folder / name).read_bytes()
        except FileNotFoundError:
            pass
        raise InvalidField(f"There is no file '{quote(name)}'; only the newest {_MOST} are kept.")


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # another worker has deleted it
        return 0
