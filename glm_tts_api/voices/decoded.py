"""A cache of decoded recordings, by file. An entry is valid until its file changes. Also decodes a recording
that comes with a request, which is not kept."""

from __future__ import annotations

import hashlib
import os
import threading
from contextlib import suppress
from pathlib import Path
from weakref import WeakValueDictionary

from cachetools import LRUCache

from glm_tts_api.audio.decode import RecordingLimits, decode_audio
from glm_tts_api.contracts import Recording, UploadedVoice
from glm_tts_api.voices.index import Signature, signature_of

# Of a file: its signature when it was read, its recording and its digest.
_Kept = tuple[Signature, Recording, str]


class DecodedRecordings:
    """A cache of decoded recordings with at most `max_bytes` bytes of samples; the least recently used are
    removed first. A recording that is in use is shared even when it was removed, so many waiting requests
    hold its samples once."""

    def __init__(self, limits: RecordingLimits, *, max_bytes: int) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._kept = LRUCache[Path, _Kept](max_bytes, lambda kept: kept[1].samples.nbytes)
        self._in_use: WeakValueDictionary[str, Recording] = WeakValueDictionary()  # by digest

    def get(self, path: Path) -> tuple[Recording, str]:
        """Returns the decoded recording of the file `path`, from the cache if the file is unchanged, and the
        file's SHA-256. A file that is too young to tell its next change is not cached. Raises OSError, and
        the errors of decode_audio."""
        with path.open("rb") as file:
            signature = signature_of(os.fstat(file.fileno()))
            with self._lock:
                known = self._kept.get(path)
                if known is not None and known[0] == signature:
                    return known[1:]
            data = file.read()
        digest = digest_of(data)
        recording = self._in_use.get(digest) or decode_audio(data, self._limits)
        with self._lock:
            recording = self._in_use.setdefault(digest, recording)
            self._kept.pop(path, None)
            if signature is not None:
                with suppress(ValueError):  # larger than the cache
                    self._kept[path] = signature, recording, digest
        return recording, digest

    def forget_gone(self) -> None:
        """Removes from the cache the recordings whose files no longer exist."""
        with self._lock:
            for path in [path for path in self._kept if not path.exists()]:
                del self._kept[path]

    def clear(self) -> int:
        """Empties the cache. Returns how many bytes of samples the cache had. Recordings in use stay in
        memory until their last user ends."""
        with self._lock:
            n_bytes = int(self._kept.currsize)
            self._kept.clear()
        return n_bytes


def digest_of(data: bytes) -> str:
    """Returns the SHA-256 of a recording's file, in hex."""
    return hashlib.sha256(data).hexdigest()


def decode_upload(voice: UploadedVoice, limits: RecordingLimits) -> None:
    """Reads and decodes the recording of an uploaded voice. Raises the errors of decode_audio. Blocking."""
    data = voice.read()
    voice.recording, voice.digest = decode_audio(data, limits), digest_of(data)
