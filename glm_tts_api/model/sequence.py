"""A sequence: the life of one decode row, from its prompt to its last token."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import torch

from glm_tts_api.contracts import SamplingOptions
from glm_tts_api.model.sampling import HISTORY


@dataclass(slots=True, eq=False)
class SpeechSequence:
    """A prompt and the speech `tokens` (from 0) drawn after it.

    Between `min_len` and `max_len` tokens are drawn as `sampling` says; its seed is this candidate's. The
    first `n_voice_ids` of the prompt are the voice's transcript, the same in every prompt of that voice.
    `owner` is whose it is, candidate `candidate` for segment `segment`.

    Once it has a row: `next_id` is fed to `slot` at the next step, when `n_read` positions are in the cache.
    A sequence that has ended with `error` has no use for its tokens.
    """

    prompt_ids: list[int]
    min_len: int
    max_len: int
    sampling: SamplingOptions
    n_voice_ids: int = 0
    owner: Any = None
    segment: int = 0
    candidate: int = 0
    tokens: list[int] = field(default_factory=list)
    slot: int = -1
    next_id: int = -1
    n_read: int = 0
    generator: torch.Generator = field(default_factory=torch.Generator)
    log_probs: list[float] = field(default_factory=list)
    error: Exception | None = None

    def join(self, slot: int, generator: torch.Generator) -> None:
        """Gives it a row. `generator`: on the device where it draws."""
        self.slot = slot
        self.generator = generator.manual_seed(self.sampling.seed)
        self.next_id = self.prompt_ids[-1]

    @property
    def is_read(self) -> bool:
        """The prompt is in the cache, all but its last id: that one is the first to be fed."""
        return self.n_read >= len(self.prompt_ids) - 1

    @property
    def may_end(self) -> bool:
        return len(self.tokens) >= self.min_len

    @property
    def recent(self) -> list[int]:
        """The last HISTORY draws, -1 for none."""
        recent = self.tokens[-HISTORY:]
        return [-1] * (HISTORY - len(recent)) + recent

    @property
    def mean_log_prob(self) -> float:
        return math.fsum(self.log_probs) / max(1, len(self.log_probs))
