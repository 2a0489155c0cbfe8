"""The LLM's input for each segment of a text: the segment's ids, and a prompt of earlier texts with the
speech that belongs to them (docs/model.md 4, 11). Knows lists of ids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from glm_tts_api.errors import BadRequest
from speech_text import Written

if TYPE_CHECKING:  # settings/ reads this module where PyTorch is not installed
    from glm_tts_api.engine.voice_features import VoicePrompt

HISTORY_SPEECH_TOKENS = 750  # 30 s of speech: the most that a segment's prompt may hold (docs/model.md 11)
MIN_TOKENS_PER_ID, MAX_TOKENS_PER_ID = 2, 20  # speech tokens of a segment for each text id (docs/model.md 4)
LEAST_ROOM_PER_ID = 10  # tokens of room for each text id; slow speech takes about 8

# The text ids and the speech tokens of each segment that was spoken before in a voice, the oldest first.
Earlier = list[tuple[Sequence[int], Sequence[int]]]


@dataclass(frozen=True, slots=True)
class PromptLayout:
    """Builds LLM prompts that leave room for their segment's speech. `audio_start` and `begin_of_audio` are
    ids of the text tokenizer. `slot_length` is the number of positions in a decode row."""

    audio_start: int
    begin_of_audio: int
    slot_length: int

    def build(self, segment: Segment, earlier: Earlier) -> tuple[list[int], range]:
        """Returns the ids of the segment's prompt: all text ids, begin-of-audio, then the speech tokens as
        ids (docs/model.md 4). The voice's come first, then those of the `earlier` segments. Also returns the
        positions of the segment's own text."""
        entries = [(segment.prompt.text_ids, segment.prompt.speech_tokens), *earlier]
        texts = [token for ids, _ in entries for token in ids]
        speech = [token + self.audio_start for _, tokens in entries for token in tokens]
        text = range(len(texts), len(texts) + len(segment.ids))
        return [*texts, *segment.ids, self.begin_of_audio, *speech], text

    def prune(self, earlier: Earlier, segment: Segment) -> None:
        """Removes the oldest of the `earlier` segments until `segment` fits. The voice's prompt, the earlier
        segments and the segment's estimated speech may have 750 speech tokens at most, and the decode row
        must have room."""
        entries = [(segment.prompt.text_ids, segment.prompt.speech_tokens), *earlier]
        n_texts, n_speech = (sum(map(len, lists)) for lists in zip(*entries, strict=True))
        estimate = int((n_speech / n_texts if n_texts else 1.0) * len(segment.ids))
        while earlier and (
            n_speech + estimate > HISTORY_SPEECH_TOKENS or not self._has_room(segment, n_texts, n_speech)
        ):
            ids, tokens = earlier.pop(0)
            n_texts, n_speech = n_texts - len(ids), n_speech - len(tokens)

    def require_room(self, segments: Iterable[Segment]) -> None:
        """Raises BadRequest if a decode row has no room for one of the segments with its voice's prompt."""
        for segment in segments:
            prompt = segment.prompt
            if not self._has_room(segment, len(prompt.text_ids), len(prompt.speech_tokens)):
                raise BadRequest(
                    "The prompt and the text's longest sentence do not fit the model together: "
                    "use a shorter prompt recording, or punctuate the text into shorter sentences"
                )

    def _has_room(self, segment: Segment, n_texts: int, n_speech: int) -> bool:
        """Returns whether a decode row has room for the segment after `n_texts` text ids and `n_speech`
        speech tokens, even if the segment is spoken slowly."""
        n_ids = len(segment.ids)
        return self.slot_length - n_texts - n_ids - n_speech - 1 >= LEAST_ROOM_PER_ID * n_ids


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of the text that is spoken at once: its text ids, and the voice in which it is spoken.

    `pause_s` seconds of silence come before the segment. `speed` multiplies the request's speed. `likely` is
    roughly the number of speech tokens that the segment takes; None where it was not estimated. `pieces` are
    the texts of the ids; `is_plain` says that they are the text in words, without phonemes. `written` is
    the segment's written form, set only where the request asks for timestamps. `said` is its text in words,
    set only where the request is verified by a recogniser."""

    ids: Sequence[int]
    prompt: VoicePrompt
    pause_s: float = 0.0
    speed: float = 1.0
    likely: float | None = None
    pieces: Sequence[str] = ()
    is_plain: bool = True
    written: Written | None = None
    said: str = ""
