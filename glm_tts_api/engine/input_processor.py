"""From a SpeechRequest to a request of the engine: text to segments of ids, voice to prompt features. Runs on
pool threads."""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING

from glm_tts_api.contracts import NO_PROGRESS, Progress, SpeechRequest, Voice
from glm_tts_api.engine.listener import RequestListener
from glm_tts_api.engine.llm_prompt import Segment, VoicedPrompt
from glm_tts_api.engine.request import EngineRequest
from glm_tts_api.engine.shared_cache import SharedCache
from glm_tts_api.engine.stream_pace import TOKENS_A_SECOND
from glm_tts_api.engine.voice_features import VoiceFeatures
from glm_tts_api.errors import NothingToSay, UnknownVoice, quote
from glm_tts_api.model.checkpoint import Models
from glm_tts_api.text.cut.pieces import Check, unwatched
from glm_tts_api.text.reading import spoken_seconds

if TYPE_CHECKING:  # the engine runs where the text libraries are not installed
    from glm_tts_api.text.frontend import TextFrontend

_CACHED_TRANSCRIPTS = 256
_MAX_BYTES = 2**23
_ID_BYTES = 36  # a whole number and its place in a list
# Of a voice, beside what its transcript takes to say roughly: beyond that the transcript does not fit.
_FASTEST, _SLOWEST, _LEAST_S = 0.7, 2.0, 0.2


class InputProcessor:
    """Holds what text and voice work needs: the front end, the tokenizer and the voice models."""

    def __init__(
        self,
        models: Models,
        frontend: TextFrontend,
        features: VoiceFeatures,
        chunks: tuple[int, ...],
        *,
        guard: bool = False,
    ) -> None:
        """`guard`: segments whose tokens cannot be right are decoded again."""
        self._tokenizer = models.text_tokenizer
        self.frontend = frontend
        self._features = features
        self._chunks = chunks
        self._guard = guard
        self._transcripts = SharedCache(
            _CACHED_TRANSCRIPTS, max_bytes=_MAX_BYTES, size_of=lambda read: _ID_BYTES * len(read[0])
        )

    def request(
        self,
        asked: SpeechRequest,
        listener: RequestListener,
        check: Check = unwatched,
        *,
        progress: Progress = NO_PROGRESS,
    ) -> EngineRequest:
        """The engine's request. Raises NothingToSay,
        MalformedPronunciation, UnknownVoice, PromptRejected, and what `check` raises: it is called again and
        again, so that nobody's text is worked on for long."""
        reading = self.frontend.read(asked.text, asked.reading, check)
        prompts: dict[str | None, VoicedPrompt] = {}
        segments: list[Segment] = []
        written = reading.written() if asked.timestamps else repeat(None)
        for part, as_written in zip(reading.segments, written, strict=False):
            check()
            if part.voice not in prompts:
                prompts[part.voice] = self._prompt(asked, part.voice)
            if ids := self._tokenizer.encode(part.spoken):
                prompt = prompts[part.voice]
                likely = TOKENS_A_SECOND * prompt.pace * spoken_seconds(part.text) if self._guard else None
                pause_s = part.pause_s or (0.0 if segments else asked.pause_s)
                segments.append(Segment(ids, prompt, pause_s, part.speed, likely, as_written))
        if not segments:
            raise NothingToSay("input_text has nothing in it that can be spoken")
        return EngineRequest(
            asked,
            segments,
            listener,
            pause_s=reading.pause_s,
            chunks=self._chunks,
            progress=progress,
        )

    def _prompt(self, asked: SpeechRequest, name: str | None) -> VoicedPrompt:
        """The voice of that name; the request's own where there is none."""
        voice = asked.voice if name is None else asked.others.get(name)
        if not isinstance(voice, Voice):
            raise UnknownVoice(f"There is no voice '{quote(name or '')}' here.")
        ids, spoken_s = self._transcripts.get(voice.transcript, lambda: self._encode(voice.transcript))
        heard = self._features.get(voice, asked.sample_rate)
        pace = len(heard.speech_tokens) / (TOKENS_A_SECOND * spoken_s)
        return VoicedPrompt(ids, heard, min(_SLOWEST, max(_FASTEST, pace)))

    def clear(self) -> int:
        """Forgets what was read before; the bytes of transcripts that this frees."""
        self.frontend.clear_cache()
        return self._transcripts.clear()

    def _encode(self, transcript: str) -> tuple[list[int], float]:
        """The ids of a transcript, and what it takes to say, roughly."""
        text = self.frontend.normalize_prompt(transcript)
        return self._tokenizer.encode(text), max(_LEAST_S, spoken_seconds(text))
