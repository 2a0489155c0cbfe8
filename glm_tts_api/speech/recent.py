"""The last answers as they were heard, by the id of their request: to be fetched again, in parts and in other
formats. They lie in memory, so that nothing that was said stays on a disk. Runs on the event loop; knows no
HTTP."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import Any

from glm_tts_api.audio.encode import wav_header
from glm_tts_api.audio.mark import riff_info
from glm_tts_api.contracts import AudioFormat, SpeechRequest, Voice
from glm_tts_api.errors import NotFound, quote
from glm_tts_api.speech.times import SegmentTimes

_RAW = ("wav", "pcm")  # the samples themselves
_FRAMED = ("mp3", "aac", "opus")  # which say nothing of their length: streamed and whole they are alike
_NOT_HEARD = ("request_id", "warnings")


def what_is_asked(asked: SpeechRequest) -> object:
    """The parts of a request that its answer depends on; voices without their samples. Requests that agree in
    them get the same bytes, by the same lexicon and dictionaries."""
    return [_named(getattr(asked, each.name)) for each in fields(asked) if each.name not in _NOT_HEARD]


def _named(value: Any) -> object:
    if isinstance(value, Voice):
        return value.digest, value.transcript
    return {name: _named(one) for name, one in value.items()} if isinstance(value, Mapping) else value


@dataclass(slots=True, eq=False)
class RecentAnswer:
    """`address`: what was asked, where it was asked by an address. `pcm`: what was heard, 16 bit samples at
    `sample_rate` Hz; `sent`: the bytes in which it left, as `audio_format`, where those are not the samples;
    `etag` names them. `times`: where timestamps were asked for. `files`: it in other formats."""

    request_id: str
    owner: str
    address: object
    audio_format: AudioFormat
    is_whole: bool
    is_marked: bool
    sample_rate: int
    pcm: bytes
    sent: bytes
    etag: str
    times: Sequence[SegmentTimes]
    files: dict[AudioFormat, bytes] = field(default_factory=dict)

    @property
    def n_bytes(self) -> int:
        return len(self.pcm) + len(self.sent) + sum(map(len, self.files.values()))

    def as_sent(self) -> bytes:
        if self.audio_format == "wav":
            return self._wav(is_whole=self.is_whole)
        return self.sent or self.pcm

    def file(self, audio_format: AudioFormat) -> bytes | None:
        """All of it as a file that says how long it is; None where its samples have yet to be encoded."""
        if audio_format == "wav":
            return self._wav(is_whole=True)
        if audio_format == self.audio_format and (self.is_whole or audio_format in _FRAMED):
            return self.as_sent()
        return self.pcm if audio_format == "pcm" else self.files.get(audio_format)

    def _wav(self, *, is_whole: bool) -> bytes:
        n_samples = len(self.pcm) // 2 if is_whole else None
        header = wav_header(self.sample_rate, n_samples, is_marked=self.is_marked)
        return header + self.pcm + (riff_info() if is_whole and self.is_marked else b"")


class RecentAnswers:
    """The last answers, at most `max_bytes` with the parts of those that are being made. The answer that was
    asked for longest ago goes first. Only the `owner` who had an answer made can find it."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._n_bytes = 0
        self._answers: dict[tuple[str, str], RecentAnswer] = {}  # the next to go at the beginning

    def find(self, request_id: str, owner: str) -> RecentAnswer:
        """Raises NotFound."""
        answer = self._answers.pop((owner, request_id), None)
        if answer is None:
            raise NotFound(
                f"There is no answer '{quote(request_id)}' here: the last ones are kept (RECENT_MB), each "
                "for who had it spoken."
            )
        self._answers[owner, request_id] = answer
        return answer

    def at(self, address: object, owner: str) -> RecentAnswer | None:
        """The newest answer to what an address asks."""
        for answer in reversed(self._answers.values()):
            if (answer.address, answer.owner) == (address, owner):
                return self.find(answer.request_id, owner)
        return None

    def add(self, answer: RecentAnswer) -> None:
        place = answer.owner, answer.request_id
        self._forget(place)
        self._answers[place] = answer
        self.hold(answer.n_bytes)

    def add_file(self, answer: RecentAnswer, audio_format: AudioFormat, file: bytes) -> None:
        """Keeps the answer's samples in another format."""
        if self._answers.get((answer.owner, answer.request_id)) is answer:
            answer.files[audio_format] = file
            self.hold(len(file))

    def hold(self, n_bytes: int) -> bool:
        """Counts `n_bytes` more and makes room for them; returns whether there is room."""
        self._n_bytes += n_bytes
        while self._n_bytes > self._max_bytes and self._answers:
            self._forget(next(iter(self._answers)))
        return self._n_bytes <= self._max_bytes

    def _forget(self, place: tuple[str, str]) -> None:
        if (answer := self._answers.pop(place, None)) is not None:
            self._n_bytes -= answer.n_bytes

    @contextmanager
    def taping(self, asked: SpeechRequest, owner: str, address: object = None) -> Iterator[Tape]:
        """A tape for an answer that is made in the context."""
        tape = Tape(self, asked, owner, address)
        try:
            yield tape
        finally:
            tape.drop()


class Tape:
    """Takes an answer down while it is made. `etag`: the one that it will have."""

    def __init__(self, store: RecentAnswers, asked: SpeechRequest, owner: str, address: object) -> None:
        self.etag = secrets.token_hex(16)
        self._store, self._asked, self._owner, self._address = store, asked, owner, address
        self._keeps_sent = asked.audio_format not in _RAW
        self._pcm: list[bytes] = []
        self._sent: list[bytes] = []
        self._n_bytes = 0
        self._is_over = False

    def add(self, pcm: Sequence[bytes], sent: bytes) -> None:
        """The samples that come next, and the bytes in which they leave. An answer that is larger than the
        store is not kept."""
        if self._is_over:
            return
        self._pcm += pcm
        if self._keeps_sent:
            self._sent.append(sent)
        n_bytes = sum(map(len, pcm)) + len(sent) * self._keeps_sent
        self._n_bytes += n_bytes
        if not self._store.hold(n_bytes):
            self.drop()

    def end(self, sample_rate: int, times: Sequence[SegmentTimes], *, is_whole: bool = False) -> None:
        """All of it was made; `is_whole`: before any of it left."""
        if self._is_over:
            return
        pcm, sent = b"".join(self._pcm), b"".join(self._sent)
        self.drop()
        asked = self._asked
        self._store.add(
            RecentAnswer(
                request_id=asked.request_id,
                owner=self._owner,
                address=self._address,
                audio_format=asked.audio_format,
                is_whole=is_whole,
                is_marked=asked.is_marked,
                sample_rate=sample_rate,
                pcm=pcm,
                sent=sent,
                etag=self.etag,
                times=times,
            )
        )

    def drop(self) -> None:
        """Ends the tape and frees its bytes."""
        self._is_over = True
        self._store.hold(-self._n_bytes)
        self._pcm, self._sent, self._n_bytes = [], [], 0
