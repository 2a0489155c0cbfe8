"""The draws of the GPU's step depend on a row's seed alone, not on what the others do."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch

from glm_tts_api.contracts import SamplingOptions
from glm_tts_api.model.cuda_decode import CudaDecodeStep
from glm_tts_api.model.sequence import SpeechSequence
from glm_tts_api.model.static_draw import STEPS, DrawNoise, noise_bytes
from tests.dispatched import Dispatched
from tests.model.tiny_decode import AUDIO, END, cache_of, runner_of

pytestmark = pytest.mark.usefixtures("inference")


def _by_ras(columns: list[int], token: int, generator: torch.Generator, *, slot: int = 0) -> SpeechSequence:
    """Drawn by RAS after those columns, and never at its end."""
    place: dict[str, Any] = {"slot": slot, "next_id": token, "n_read": len(columns), "generator": generator}
    return SpeechSequence([], 10**6, 10**6, SamplingOptions(), tokens=columns, **place)


def _columns_of_a_row(decode: CudaDecodeStep, slot: int, n_steps: int, *, beside: bool) -> list[int]:
    """What a row of seed 7 draws by RAS, alone or beside rows that join and leave."""
    generator, guests = torch.Generator().manual_seed(7), itertools.cycle([[1], [1, 4], [], [4]])
    columns: list[int] = []
    rows: list[SpeechSequence] = []
    for step in range(n_steps):
        if beside and step % 5 == 0:
            rows = [_by_ras([], 5, torch.Generator().manual_seed(step), slot=guest) for guest in next(guests)]
        mine = _by_ras(columns, AUDIO[columns[-1]] if columns else 5, generator, slot=slot)
        drawn, *others = decode([mine, *rows])
        columns.append(drawn.column)
        for row, other in zip(rows, others, strict=True):
            row.tokens.append(other.column)
    return columns


def test_a_row_draws_the_same_alone_and_beside_rows_that_join_and_leave() -> None:
    """And the same again in another slot, whose last row left in the midst of its noise."""
    runner = runner_of()
    decode = CudaDecodeStep(runner, cache_of(runner), end=END)
    n_steps = 2 * STEPS + 5
    alone = _columns_of_a_row(decode, 0, n_steps, beside=False)
    assert len(set(alone)) > 5
    assert _columns_of_a_row(decode, 2, n_steps, beside=True) == alone
    assert _columns_of_a_row(decode, 2, STEPS // 2, beside=True) == alone[: STEPS // 2]
    assert _columns_of_a_row(decode, 2, n_steps, beside=False) == alone


def test_a_step_that_failed_is_drawn_again_from_the_same_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a request would sound otherwise because a neighbour did not fit the memory."""
    runner = runner_of()
    decode = CudaDecodeStep(runner, cache_of(runner), end=END)
    expected = _columns_of_a_row(decode, 0, STEPS + 2, beside=False)
    columns: list[int] = []
    generator = torch.Generator().manual_seed(7)
    for step in range(STEPS + 2):
        row = _by_ras(columns, AUDIO[columns[-1]] if columns else 5, generator)
        if step in (0, 3, STEPS):
            with monkeypatch.context() as patched:
                patched.setattr(decode, "_run", _no_memory)
                with pytest.raises(MemoryError):
                    decode([row])
        columns.append(decode([row])[0].column)
    assert columns == expected


def test_a_slot_s_noise_takes_what_is_counted_for_it() -> None:
    with Dispatched() as seen:
        DrawNoise(3, 32769, torch.device("meta"))
    assert 3 * noise_bytes(32769) <= seen.peak_bytes < 3.01 * noise_bytes(32769)


def _no_memory() -> None:
    raise MemoryError
