"""A cache of decoded recordings, by file. An entry is valid until its file changes. Also decodes a recording
that comes with a request, which is not kept."""

from __future__ import annotations

import hashlib
import os
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakValueDictionary

from glm_tts_api.audio.decode import RecordingLimits, decode_audio
from glm_tts_api.contracts import Recording, UploadedVoice, Voice
from glm_tts_api.voices.index import Signature, signature_of


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """A decoded recording. `digest` is the SHA-256 of its file. `signature` is the file's `signature_of` when
    it was read, to tell later changes. None means that the file was too young for that; the recording is not
    cached then."""

    recording: Recording
    digest: str
    signature: Signature | None

    @property
    def n_bytes(self) -> int:
        return self.recording.samples.nbytes


class DecodedRecordings:
    """A cache of decoded recordings with at most `max_bytes` bytes of samples; the least recently used are
    removed first. A recording that is in use is shared even when it was removed, so many waiting requests
    hold its samples once."""

    def __init__(self, limits: RecordingLimits, *, max_bytes: int) -> None:
        self._limits = limits
        self._max_bytes = max_bytes
        self._n_bytes = 0
        self._lock = threading.Lock()
        self._kept: OrderedDict[Path, Decoded] = OrderedDict()
        self._in_use: WeakValueDictionary[str, Recording] = WeakValueDictionary()  # by digest

    def get(self, path: Path) -> Decoded:
        """Returns the decoded recording of the file `path`, from the cache if the file is unchanged. Raises
        OSError, and the errors of decode_audio."""
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

    def forget_gone(self) -> None:
        """Removes from the cache the recordings whose files no longer exist."""
        with self._lock:
            gone = [path for path in self._kept if not path.exists()]
            for path in gone:
                self._drop(path)

    def clear(self) -> int:
        """Empties the cache. Returns how many bytes of samples the cache had. Recordings in use stay in
        memory until their last user ends."""
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
    """Returns the SHA-256 of a recording's file, in hex."""
    return hashlib.sha256(data).hexdigest()


def decoded_voice(voice: UploadedVoice, limits: RecordingLimits) -> Voice:
    """Reads and decodes the recording of an uploaded voice. Raises the errors of decode_audio. Blocking."""
    data = voice.read()
    return Voice(decode_audio(data, limits), voice.transcript, digest_of(data))
