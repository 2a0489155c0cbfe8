"""From an utterance to a script: text to segments of ids, voice to prompt features. Runs on pool threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glm_tts_api.contracts import Utterance
from glm_tts_api.engine.job import Script
from glm_tts_api.engine.shared_cache import SharedCache
from glm_tts_api.engine.voice_features import VoiceFeatures
from glm_tts_api.errors import NothingToSay
from glm_tts_api.model.checkpoint import Models

if TYPE_CHECKING:  # the engine runs where the text libraries are not installed
    from glm_tts_api.text.frontend import TextFrontend

_CACHED_TRANSCRIPTS = 256


class Preparation:
    """Holds what text and voice work needs: the front end, the tokenizer and the voice models."""

    def __init__(self, models: Models, frontend: TextFrontend, features: VoiceFeatures) -> None:
        self._tokenizer = models.text_tokenizer
        self._frontend = frontend
        self._features = features
        self._transcripts = SharedCache(_CACHED_TRANSCRIPTS)

    def script(self, utterance: Utterance) -> Script:
        """What the job has to say. Raises NothingToSay or PromptRejected."""
        texts = self._frontend.prepare(utterance.text, use_phoneme=utterance.use_phoneme)
        segments = [ids for text in texts if (ids := self._tokenizer.encode(text))]
        if not segments:
            raise NothingToSay("input_text has nothing in it that can be spoken")
        transcript = utterance.voice.transcript
        prompt_ids = self._transcripts.get(transcript, lambda: self._encode_transcript(transcript))
        return Script(segments, prompt_ids, self._features.get(utterance.voice, utterance.sample_rate))

    def _encode_transcript(self, transcript: str) -> list[int]:
        return self._tokenizer.encode(self._frontend.normalize_prompt(transcript))
