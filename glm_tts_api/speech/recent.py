"""Keeps the last answers in memory, by the ids of their requests, so that a client can fetch an answer again,
in parts or in another format. Nothing is written to a disk, for privacy. Runs on the event loop; knows no
HTTP."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from glm_tts_api.audio.encode import RIFF_INFO, wav_header
from glm_tts_api.contracts import AudioFormat, SpeechRequest, Verified, Voice
from glm_tts_api.errors import NotFound, quote
from glm_tts_api.speech.times import SegmentTimes

RAW = ("wav", "pcm")  # formats whose bytes are the samples
# Formats without a length in the header: streamed and whole files are alike.
_FRAMED = ("mp3", "aac", "opus", "mulaw", "alaw")
_NOT_HEARD = ("request_id", "warnings", "client")


def what_is_asked(request: SpeechRequest) -> object:
    """Returns the parts of the request that its answer depends on; voices are given by their digest and
    transcript. Two requests with equal parts get the same bytes, as long as the lexicon and the dictionaries
    are the same."""
    return [_named(getattr(request, each.name)) for each in fields(request) if each.name not in _NOT_HEARD]


def _named(value: Any) -> object:
    if isinstance(value, Voice):
        return value.digest, value.transcript
    return {name: _named(one) for name, one in value.items()} if isinstance(value, Mapping) else value


@dataclass(slots=True, eq=False)
class Answer:
    """The audio of a request. `audio` is a file in `audio_format`, which plays at `sample_rate` Hz for
    `seconds`. `is_whole` says that all of it was made before it was sent; `ends` are then the times at which
    its segments end. `pcm` has the 16-bit samples that were encoded, at `pcm_rate` Hz; it is empty if `audio`
    has these samples itself. `times` says when each segment is heard, if the request asks for timestamps.

    The other fields are of an answer that is kept. `owner` is the client that may fetch it. `address` is the
    content of a request that was sent as a URL (GET); None for other requests. `etag` is different for
    different bytes. `verified` are the verdicts so far by segment, if asked for. `files` has the answer in
    other formats.
    """

    audio_format: AudioFormat
    is_whole: bool = True
    audio: bytes = b""
    pcm: bytes = b""
    pcm_rate: int = 0
    sample_rate: int = 0
    seconds: float = 0.0
    ends: list[float] = field(default_factory=list)
    times: Sequence[SegmentTimes] = ()
    request_id: str = ""
    owner: str = ""
    address: object = None
    etag: str = field(default_factory=lambda: secrets.token_hex(16))
    verified: Mapping[int, Verified] = field(default_factory=dict)
    files: dict[AudioFormat, bytes] = field(default_factory=dict)

    @property
    def n_bytes(self) -> int:
        return len(self.pcm) + len(self.audio) + sum(map(len, self.files.values()))

    def samples(self) -> bytes:
        """Returns the 16-bit samples."""
        if self.audio_format != "wav":
            return self.pcm or self.audio
        end = -len(RIFF_INFO) if self.is_whole else None
        return self.audio[len(wav_header(self.pcm_rate, None)) : end]

    def file(self, audio_format: AudioFormat) -> bytes | None:
        """Returns the answer in `audio_format` as a whole file with its length. Returns None if there is no
        such file yet, so that the samples must be encoded first."""
        if audio_format == self.audio_format and (self.is_whole or audio_format in (*_FRAMED, "pcm")):
            return self.audio
        if audio_format == "wav":
            pcm = self.samples()
            return wav_header(self.pcm_rate, len(pcm) // 2) + pcm + RIFF_INFO
        return self.samples() if audio_format == "pcm" else self.files.get(audio_format)


class RecentAnswers:
    """The last answers. Together with the answers that are being made they take at most `max_bytes` bytes.
    When room is needed, the answer that was made or fetched longest ago is removed. Only the `owner` of an
    answer can find it."""

    def __init__(self, max_bytes: int = 64 * 2**20) -> None:
        self._max_bytes = max_bytes
        self._n_bytes = 0
        self._answers: dict[tuple[str, str], Answer] = {}  # the next one to be removed is the first

    def find(self, request_id: str, owner: str) -> Answer:
        """Returns the kept answer to this request if it belongs to `owner`. The answer then counts as the
        most recently fetched one. Raises NotFound."""
        answer = self._answers.pop((owner, request_id), None)
        if answer is None:
            raise NotFound(
                f"There is no answer '{quote(request_id)}' for this client: the server keeps only the last "
                f"ones ({self._max_bytes // 2**20} MB), each for the client that asked for it."
            )
        self._answers[owner, request_id] = answer
        return answer

    def at(self, address: object, owner: str) -> Answer | None:
        """Returns the answer of `owner` whose request had this `address` (the content of the request); of
        several, the one that was made or fetched last. The answer then counts as the most recently fetched
        one. Returns None if there is no such answer."""
        for answer in reversed(self._answers.values()):
            if (answer.address, answer.owner) == (address, owner):
                return self.find(answer.request_id, owner)
        return None

    def add(self, answer: Answer) -> None:
        place = answer.owner, answer.request_id
        self._forget(place)
        self._answers[place] = answer
        self.hold(answer.n_bytes)

    def add_file(self, answer: Answer, audio_format: AudioFormat, file: bytes) -> None:
        """Keeps the answer's audio in another format as `file`, if the answer itself is still kept."""
        if self._answers.get((answer.owner, answer.request_id)) is answer:
            answer.files[audio_format] = file
            self.hold(len(file))

    def hold(self, n_bytes: int) -> bool:
        """Adds `n_bytes` (negative to free them) to the bytes in use, and removes old answers until all fit.
        Returns False if they do not fit even then."""
        self._n_bytes += n_bytes
        while self._n_bytes > self._max_bytes and self._answers:
            self._forget(next(iter(self._answers)))
        return self._n_bytes <= self._max_bytes

    def _forget(self, place: tuple[str, str]) -> None:
        if (answer := self._answers.pop(place, None)) is not None:
            self._n_bytes -= answer.n_bytes


class Tape:
    """Records an answer while it is sent, to keep it in `store` at its end. Must be closed."""

    def __init__(self, store: RecentAnswers, answer: Answer) -> None:
        self.answer = answer
        self._store = store
        self._pcm: list[bytes] = []
        self._sent: list[bytes] = []
        self._n_bytes = 0
        self._is_over = False

    def add(self, pcm: Sequence[bytes], sent: bytes) -> None:
        """Records the next bytes, and the 16-bit samples in them if they are encoded. If the recordings do
        not fit into the store even without its kept answers, this recording is dropped. Does nothing after
        `close` or `end`."""
        if self._is_over:
            return
        self._pcm += pcm
        self._sent.append(sent)
        n_bytes = sum(map(len, pcm)) + len(sent)
        self._n_bytes += n_bytes
        if not self._store.hold(n_bytes):
            self.close()

    def end(self) -> None:
        """Ends the recording: the answer is complete, and is added to `store`. Does nothing after `close` or
        an earlier `end`."""
        if not self._is_over:
            self.answer.pcm, self.answer.audio = b"".join(self._pcm), b"".join(self._sent)
            self.close()
            self._store.add(self.answer)

    def close(self) -> None:
        """Frees the bytes of the recording. Does not keep the answer unless `end` was called before."""
        self._is_over = True
        self._store.hold(-self._n_bytes)
        self._pcm, self._sent, self._n_bytes = [], [], 0
