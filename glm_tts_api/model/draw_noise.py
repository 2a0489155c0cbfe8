"""Noise of a GPU's draws, made for many steps at once: one kernel for a row in STEPS steps."""

from __future__ import annotations

import torch
from torch import Tensor

from glm_tts_api.model.sequence import SpeechSequence

STEPS = 32
_DRAWS = 2  # a step's draw among the candidates, and the one that takes its place if it repeats
_FLOAT = 4


def noise_bytes(n_columns: int) -> int:
    """The memory of the device that a slot's noise takes."""
    return STEPS * _DRAWS * n_columns * _FLOAT


class DrawNoise:
    """Exponentials for the next draws of each slot's row.

    A row's noise depends on its seed and on how many tokens it has drawn, and on nothing else: its generator
    fills one block of STEPS steps after the other. A step that failed finds the same noise again.
    """

    def __init__(self, slots: int, n_columns: int, device: torch.device) -> None:
        self._values = torch.ones(slots, STEPS, _DRAWS, n_columns, device=device)
        self._slots = torch.arange(slots, device=device)
        self._held: list[tuple[torch.Generator, int] | None] = [None] * slots

    def place(self, row: SpeechSequence) -> int:
        """Where the noise of the row's next draw lies in its slot's block. Fills that block if need be."""
        block, place = divmod(len(row.tokens), STEPS)
        wanted = (row.generator, block)
        if self._held[row.slot] != wanted:
            self._values[row.slot].exponential_(generator=row.generator)
            self._held[row.slot] = wanted
        return place

    def at(self, places: Tensor) -> Tensor:
        """The noise of the first slots at places [B] int64: [B, 2, columns]."""
        return self._values[self._slots[: len(places)], places]
