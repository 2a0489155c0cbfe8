"""The LLM's input: segments of text, and before each its prompt, texts and the speech that belongs to them
(docs/model.md 4, 11). Knows lists of ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from glm_tts_api.contracts import Written

if TYPE_CHECKING:
    from glm_tts_api.engine.voice_features import VoicePrompt

HISTORY_SPEECH_TOKENS = 750  # docs/model.md 11: 30 s of speech that a segment may look back on
MIN_TOKENS_PER_ID, MAX_TOKENS_PER_ID = 2, 20  # docs/model.md 4: of a segment, by its number of text ids
LEAST_ROOM_PER_ID = 10  # slow speech takes about 8 tokens a text id


@dataclass(frozen=True, slots=True)
class PromptLayout:
    """How an LLM prompt is built and how long it may get: token ids from the text tokenizer."""

    audio_start: int
    begin_of_audio: int
    slot_length: int

    def build(self, texts: Sequence[int], speech: Sequence[int]) -> list[int]:
        """Texts first, then begin-of-audio, then the speech prompt (docs/model.md 4)."""
        return [*texts, self.begin_of_audio, *(token + self.audio_start for token in speech)]

    def room(self, n_texts: int, n_speech: int) -> int:
        """The number of tokens that can be drawn after such a prompt."""
        return self.slot_length - n_texts - n_speech - 1

    def fits(self, segment: Segment) -> bool:
        """Whether a segment has room to be spoken, however slowly, beside its prompt."""
        n_ids, prompt = len(segment.ids), segment.prompt
        room = self.room(len(prompt.text_ids) + n_ids, len(prompt.voice.speech_tokens))
        return room >= LEAST_ROOM_PER_ID * n_ids


@dataclass(frozen=True, slots=True, eq=False)
class VoicedPrompt:
    """A voice as segments are prompted with it: the ids of its transcript, and what is heard of it. `pace`:
    how long it takes to say its transcript, times what such a text takes roughly."""

    text_ids: Sequence[int]
    voice: VoicePrompt
    pace: float = 1.0


@dataclass(frozen=True, slots=True)
class Segment:
    """Text ids that are spoken at once in the prompt's voice, after `pause_s` of silence, `speed` times as
    fast as the request asks for. `likely`: how many speech tokens it takes, roughly; None: nobody knows.
    `written`: where the request asks for timestamps."""

    ids: Sequence[int]
    prompt: VoicedPrompt
    pause_s: float = 0.0
    speed: float = 1.0
    likely: float | None = None
    written: Written | None = None


class History:
    """The prompt and the segments spoken so far, as the next segment's LLM prompt (docs/model.md 11)."""

    def __init__(self, text_ids: Sequence[int], speech: Sequence[int]) -> None:
        self._entries = [(list(text_ids), list(speech))]

    def append(self, text_ids: Sequence[int], speech: Sequence[int]) -> None:
        self._entries.append((list(text_ids), list(speech)))

    def prune(self, n_next_ids: int, layout: PromptLayout) -> None:
        """Drops the oldest segments, for good, until the next one fits beside the rest; never the prompt."""
        n_texts, n_speech = self._totals()
        ratio = n_speech / n_texts if n_texts else 1.0
        estimate = int(ratio * n_next_ids)
        draws = LEAST_ROOM_PER_ID * n_next_ids
        while len(self._entries) > 1 and (
            n_speech + estimate > HISTORY_SPEECH_TOKENS or layout.room(n_texts + n_next_ids, n_speech) < draws
        ):
            del self._entries[1]
            n_texts, n_speech = self._totals()

    def texts(self) -> list[int]:
        return [token for texts, _ in self._entries for token in texts]

    def speech(self) -> list[int]:
        return [token for _, speech in self._entries for token in speech]

    def _totals(self) -> tuple[int, int]:
        return sum(len(texts) for texts, _ in self._entries), sum(len(speech) for _, speech in self._entries)


class Histories(dict[VoicedPrompt, History]):
    """The history of each voice. Voices have separate ones: speech of one would colour the next words of
    another."""

    def __missing__(self, prompt: VoicedPrompt) -> History:
        self[prompt] = History(prompt.text_ids, prompt.voice.speech_tokens)
        return self[prompt]
