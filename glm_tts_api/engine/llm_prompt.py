"""The LLM's input for each segment of a text: the segment's ids, and a prompt of earlier texts with the
speech that belongs to them (docs/model.md 4, 11). Knows lists of ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from speech_text import Written

if TYPE_CHECKING:
    from glm_tts_api.engine.voice_features import VoicePrompt

HISTORY_SPEECH_TOKENS = 750  # 30 s of speech: the most that a segment's prompt may hold (docs/model.md 11)
MIN_TOKENS_PER_ID, MAX_TOKENS_PER_ID = 2, 20  # speech tokens of a segment for each text id (docs/model.md 4)
LEAST_ROOM_PER_ID = 10  # tokens of room for each text id; slow speech takes about 8


@dataclass(frozen=True, slots=True)
class PromptLayout:
    """Builds LLM prompts and computes how much room they leave. `audio_start` and `begin_of_audio` are ids of
    the text tokenizer. `slot_length` is the number of positions in a decode row."""

    audio_start: int
    begin_of_audio: int
    slot_length: int

    def build(self, texts: Sequence[int], speech: Sequence[int]) -> list[int]:
        """Returns the ids of a prompt: the text ids, then begin-of-audio, then the speech tokens as ids
        (docs/model.md 4)."""
        return [*texts, self.begin_of_audio, *(token + self.audio_start for token in speech)]

    def room(self, n_texts: int, n_speech: int) -> int:
        """Returns how many tokens can be drawn after a prompt of `n_texts` text ids and `n_speech` speech
        tokens."""
        return self.slot_length - n_texts - n_speech - 1

    def fits(self, segment: Segment) -> bool:
        """Returns whether a decode row has room for the segment together with its voice's prompt, even if
        the segment is spoken slowly."""
        n_ids, prompt = len(segment.ids), segment.prompt
        room = self.room(len(prompt.text_ids) + n_ids, len(prompt.voice.speech_tokens))
        return room >= LEAST_ROOM_PER_ID * n_ids


@dataclass(frozen=True, slots=True, eq=False)
class VoicedPrompt:
    """A voice as the prompt of segments: the text ids of its transcript, and the features of its recording.
    `pace` is the length of the recording divided by the usual length of such a transcript: above 1 means slow
    speech."""

    text_ids: Sequence[int]
    voice: VoicePrompt
    pace: float = 1.0


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of the text that is spoken at once: its text ids, and the voice in which it is spoken.

    `pause_s` seconds of silence come before the segment. `speed` multiplies the request's speed. `likely` is
    roughly the number of speech tokens that the segment takes; None where it was not estimated. `written` is
    the segment's written form, set only where the request asks for timestamps. `said` is its text in words,
    set only where the request is verified by a recogniser."""

    ids: Sequence[int]
    prompt: VoicedPrompt
    pause_s: float = 0.0
    speed: float = 1.0
    likely: float | None = None
    written: Written | None = None
    said: str = ""


class History:
    """The texts and speech of a voice's prompt and of the segments spoken so far in that voice. Together they
    are the LLM prompt of the next segment (docs/model.md 11)."""

    def __init__(self, text_ids: Sequence[int], speech: Sequence[int]) -> None:
        self._entries = [(list(text_ids), list(speech))]

    def append(self, text_ids: Sequence[int], speech: Sequence[int]) -> None:
        self._entries.append((list(text_ids), list(speech)))

    def prune(self, n_next_ids: int, layout: PromptLayout) -> None:
        """Removes the oldest segments from the history until the next segment, which has `n_next_ids` text
        ids, fits. The history and the next segment's estimated speech may have 750 speech tokens at most, and
        the decode row must have room. The voice's own prompt always stays."""
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
    """The history of each voice; a new voice's history begins with its prompt. Voices do not share a history,
    because the speech of one voice would colour the next words of another."""

    def __missing__(self, prompt: VoicedPrompt) -> History:
        self[prompt] = History(prompt.text_ids, prompt.voice.speech_tokens)
        return self[prompt]
