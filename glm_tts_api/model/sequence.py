"""A sequence: one prompt and the speech tokens that are drawn after it, in one row of the decode batch."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from glm_tts_api.contracts import SamplingOptions
from glm_tts_api.model.sampling import HISTORY

if TYPE_CHECKING:
    from glm_tts_api.model.alignment import Spoken


@dataclass(slots=True, eq=False)
class SpeechSequence:
    """A prompt, and the speech `tokens` (numbers from 0) that are drawn after it.

    From `min_len` to `max_len` tokens are drawn, as `sampling` says; its seed is the seed of this candidate.
    The first `n_voice_ids` ids of the prompt are the voice's transcript, which begins each prompt of that
    voice. `owner` is the request to which the sequence belongs. The sequence is the candidate `candidate` for
    the request's segment `segment`.

    `text` are the positions of the segment's own text ids in the prompt. `spoken` says how they were spoken,
    once the sequence has ended, if the LLM has a head that follows the text. If the prompt has only the rest
    of a segment, `kept` says how the text before it was spoken, and the sequence begins with the `tokens` of
    that. After `judged_at` tokens the owner may end the sequence.

    Once the sequence has a row, `n_read` positions of its slot `slot` are filled, and the next step feeds
    `next_id`. `generator` then has the sequence's seed and is on the device where tokens are drawn. If
    `error` is set, the sequence has failed and its tokens must not be used.
    """

    prompt_ids: list[int]
    min_len: int
    max_len: int
    sampling: SamplingOptions
    n_voice_ids: int = 0
    text: range = range(0)
    owner: Any = None
    segment: int = 0
    candidate: int = 0
    tokens: list[int] = field(default_factory=list)
    slot: int = -1
    next_id: int = -1
    n_read: int = 0
    generator: torch.Generator = field(default_factory=torch.Generator)
    log_probs: list[float] = field(default_factory=list)
    spoken: Spoken | None = None
    kept: Spoken | None = None
    judged_at: int = 0
    error: Exception | None = None

    @property
    def is_read(self) -> bool:
        """Whether the prompt is in the cache except for its last id, which the first decode step feeds."""
        return self.n_read >= len(self.prompt_ids) - 1

    @property
    def may_end(self) -> bool:
        return len(self.tokens) >= self.min_len

    @property
    def recent(self) -> list[int]:
        """The last HISTORY tokens, with -1 in front where there are fewer."""
        recent = self.tokens[-HISTORY:]
        return [-1] * (HISTORY - len(recent)) + recent

    @property
    def mean_log_prob(self) -> float:
        return math.fsum(self.log_probs) / max(1, len(self.log_probs))
