"""The random noise with which a GPU draws tokens. One kernel makes the noise for STEPS steps of a row at
once."""

from __future__ import annotations

import torch
from torch import Tensor

from glm_tts_api.model.sequence import SpeechSequence

STEPS = 32
_DRAWS = 2  # of a step: the draw among the candidates, and the draw that replaces a repeated token
_FLOAT = 4  # bytes


def noise_bytes(n_columns: int) -> int:
    """Returns the bytes of GPU memory that the noise of one slot takes, for logits of `n_columns` columns."""
    return STEPS * _DRAWS * n_columns * _FLOAT


class DrawNoise:
    """Holds the noise for the next draws of each slot's row: numbers from an exponential distribution.

    A row's noise depends only on the row's seed and on the number of its tokens: its generator fills one
    block of STEPS steps after the other. A step that failed and is repeated gets the same noise.
    """

    def __init__(self, slots: int, n_columns: int, device: torch.device) -> None:
        self._values = torch.ones(slots, STEPS, _DRAWS, n_columns, device=device)
        self._slots = torch.arange(slots, device=device)
        self._held: list[tuple[torch.Generator, int] | None] = [None] * slots

    def place(self, row: SpeechSequence) -> int:
        """Returns the place of the row's next draw in its slot's block of noise, from 0 to STEPS - 1. Fills
        the block with new noise if the row has used up the last one."""
        block, place = divmod(len(row.tokens), STEPS)
        wanted = (row.generator, block)
        if self._held[row.slot] != wanted:
            self._values[row.slot].exponential_(generator=row.generator)
            self._held[row.slot] = wanted
        return place

    def at(self, places: Tensor) -> Tensor:
        """Returns the noise for one draw of each of the first B slots, as [B, 2, columns]. `places` [B] int64
        has the place in each slot's block, as `place` returns it."""
        return self._values[self._slots[: len(places)], places]
