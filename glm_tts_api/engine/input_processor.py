"""Turns a SpeechRequest into a request of the engine: the text becomes segments of ids, the voice becomes
prompt features. Runs on pool threads."""

from __future__ import annotations

import threading
from itertools import repeat
from typing import TYPE_CHECKING

from cachetools import LRUCache, cached

from glm_tts_api.contracts import Check, SpeechRequest
from glm_tts_api.engine.event_sink import EventSink
from glm_tts_api.engine.llm_prompt import Segment
from glm_tts_api.engine.messages import Speak
from glm_tts_api.engine.request import EngineRequest
from glm_tts_api.engine.stream_pace import TOKENS_A_SECOND
from glm_tts_api.engine.voice_features import VoiceFeatures, VoicePrompt
from glm_tts_api.errors import NothingToSay, UnknownVoice, quote
from glm_tts_api.model.checkpoint import Models
from speech_text import spoken_seconds

if TYPE_CHECKING:  # the engine runs where the text libraries are not installed
    from speech_text import TextFrontend

_CACHED_TRANSCRIPTS = 256
_ID_BYTES = 36  # a whole number and its place in a list
# Limits of a voice's pace, and the fewest seconds that count for a transcript. A voice whose pace lies beyond
# the limits has a transcript that does not fit its recording.
_FASTEST, _SLOWEST, _LEAST_S = 0.7, 2.0, 0.2


class InputProcessor:
    """Prepares requests with the text front end, the text tokenizer and the voices' features."""

    def __init__(
        self,
        models: Models,
        frontend: TextFrontend,
        features: VoiceFeatures,
        chunks: tuple[int, ...],
        *,
        guard: bool = False,
    ) -> None:
        """`chunks` are the sizes of a stream's spans in tokens (EngineConfig.stream_chunks). `guard` says
        that segments whose tokens cannot be right are decoded again."""
        self._tokenizer = models.text_tokenizer
        self.frontend = frontend
        frontend.longest_segment = models.llm.config.longest_segment
        self._features = features
        self._chunks = chunks
        self._guard = guard
        self._transcripts = LRUCache[str, tuple[list[int], float]](_CACHED_TRANSCRIPTS)
        self._changing = threading.Condition()
        self._encoded = cached(self._transcripts, lambda text: text, condition=self._changing)(self._encode)

    def request(self, message: Speak, sink: EventSink, check: Check = lambda: None) -> EngineRequest:
        """Makes the engine's request: cuts the text into segments, encodes each segment and gives it the
        prompt of its voice. `check` is called again and again during the work; `check` raises an error when
        nobody waits for the request any more. Raises TextError, NothingToSay, UnknownVoice, PromptRejected
        and the errors of `check`."""
        speech = message.request
        reading = self.frontend.read(speech.text, speech.reading, check, speech.voice.transcript)
        prompts: dict[str | None, VoicePrompt] = {}
        segments: list[Segment] = []
        written = reading.written() if speech.timestamps else repeat(None)
        for part, as_written in zip(reading.segments, written, strict=False):
            check()
            if part.voice not in prompts:
                prompts[part.voice] = self._prompt(speech, part.voice)
            ids, pieces = self._tokenizer.encode(part.spoken)
            if ids:
                prompt = prompts[part.voice]
                likely = TOKENS_A_SECOND * prompt.pace * spoken_seconds(part.text) if self._guard else None
                pause_s = part.pause_s or (0.0 if segments else speech.pause_s)
                said = part.text if speech.verify else ""
                is_plain = part.spoken == part.text
                segment = Segment(
                    ids, prompt, pause_s, part.speed, likely, pieces, is_plain, as_written, said
                )
                segments.append(segment)
        if not segments:
            raise NothingToSay("input_text has nothing in it that can be spoken")
        return EngineRequest(message, segments, sink, pause_s=reading.pause_s, chunks=self._chunks)

    def _prompt(self, speech: SpeechRequest, name: str | None) -> VoicePrompt:
        """Returns the prompt of the voice `name`, which a mark in the text asks for. None stands for the
        request's own voice. Raises UnknownVoice and PromptRejected."""
        voice = speech.voice if name is None else speech.others.get(name)
        if voice is None:
            raise UnknownVoice(f"There is no voice '{quote(name or '')}' here.")
        ids, spoken_s = self._encoded(voice.transcript)
        tokens, embedding = self._features.voice(voice)
        mel = self._features.mel(voice, speech.sample_rate)
        pace = len(tokens) / (TOKENS_A_SECOND * spoken_s)
        return VoicePrompt(ids, tokens, embedding, mel, min(_SLOWEST, max(_FASTEST, pace)))

    def clear(self) -> int:
        """Drops the cached texts and transcripts. Returns the bytes of the transcripts."""
        self.frontend.clear_cache()
        with self._changing:
            freed = sum(_ID_BYTES * len(ids) for ids, _ in self._transcripts.values())
            self._transcripts.clear()
        return freed

    def _encode(self, transcript: str) -> tuple[list[int], float]:
        """Returns the text ids of a transcript, and roughly the seconds that it takes to say the
        transcript."""
        text = self.frontend.normalize(transcript) + " "  # as the LLM takes it (docs/model.md 11)
        return self._tokenizer.encode(text)[0], max(_LEAST_S, spoken_seconds(text))
