"""Decoded recordings by file, kept for as long as the file stays as it is. Knows no voices."""

from __future__ import annotations

import hashlib
import os
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakValueDictionary

from glm_tts_api.audio.decode import RecordingLimits, decode_audio
from glm_tts_api.contracts import Recording
from glm_tts_api.voices.index import Signature, signature_of


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """A recording and the name of its file's content."""

    recording: Recording
    digest: str
    signature: Signature | None

    @property
    def n_bytes(self) -> int:
        return self.recording.samples.nbytes


class DecodedRecordings:
    """A cache of at most `max_bytes` of samples; the least recently used go first. Recordings in use are
    shared, cached or not: many waiting requests hold a recording once."""

    def __init__(self, limits: RecordingLimits, *, max_bytes: int) -> None:
        self._limits = limits
        self._max_bytes = max_bytes
        self._n_bytes = 0
        self._lock = threading.Lock()
        self._kept: OrderedDict[Path, Decoded] = OrderedDict()
        self._in_use: WeakValueDictionary[str, Recording] = WeakValueDictionary()  # by their digests

    def get(self, path: Path) -> Decoded:
        """The file's recording, decoded. Raises OSError, and the errors of decode_audio."""
        with path.open("rb") as file:
            signature = signature_of(os.fstat(file.fileno()))
            with self._lock:
                known = self._kept.get(path)
                if known is not None and known.signature == signature:
                    self._kept.move_to_end(path)
                    return known
            data = file.read()
        digest = digest_of(data)
        recording = self._in_use.get(digest) or decode_audio(data, self._limits)
        with self._lock:
            recording = self._in_use.setdefault(digest, recording)
        decoded = Decoded(recording, digest, signature)
        self._keep(path, decoded)
        return decoded

    def clear(self) -> int:
        """Forgets everything; returns the bytes that this frees."""
        with self._lock:
            freed, self._n_bytes = self._n_bytes, 0
            self._kept.clear()
        return freed

    def _keep(self, path: Path, decoded: Decoded) -> None:
        with self._lock:
            self._drop(path)
            if decoded.signature is None or decoded.n_bytes > self._max_bytes:
                return
            self._kept[path] = decoded
            self._n_bytes += decoded.n_bytes
            while self._n_bytes > self._max_bytes:
                self._drop(next(iter(self._kept)))

    def _drop(self, path: Path) -> None:
        dropped = self._kept.pop(path, None)
        if dropped is not None:
            self._n_bytes -= dropped.n_bytes


def digest_of(data: bytes) -> str:
    """The name of a recording's content."""
    return hashlib.sha256(data).hexdigest()
