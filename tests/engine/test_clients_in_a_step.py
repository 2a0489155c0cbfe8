"""Clients share the decode steps: a single request beside many of another client."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch

from glm_tts_api.engine.config import EngineConfig, PrefillPace
from glm_tts_api.engine.decode_batcher import DecodeBatcher
from glm_tts_api.model.sequence import SpeechSequence
from tests.engine import tiny
from tests.engine.test_decode_batcher import planned

N_FLOOD = 15
AT_ONCE = PrefillPace(every=1, n_ids=10**6)
IN_TURN = PrefillPace(every=1, n_ids=1)  # a chunk in each step


def drawn(batcher: DecodeBatcher, sequences: Sequence[SpeechSequence], n_steps: int) -> list[int]:
    """How many tokens each of the sequences gets in so many steps."""
    before = [len(sequence.tokens) for sequence in sequences]
    with torch.inference_mode():
        for _ in range(n_steps):
            batcher.step()
    return [len(sequence.tokens) - n for sequence, n in zip(sequences, before, strict=True)]


def joined(
    clients: Sequence[str], pace: PrefillPace, config: EngineConfig = tiny.CONFIG
) -> tuple[DecodeBatcher, list[SpeechSequence]]:
    batcher = DecodeBatcher(tiny.tiny_models(), config, pace=pace)
    sequences = [
        planned(batcher, "a text of letters", seed=at, client=name) for at, name in enumerate(clients)
    ]
    for row, sequence in enumerate(sequences):
        batcher.join(row, sequence)
    drawn(batcher, sequences, 1)  # reads prompts
    return batcher, sequences


def test_a_single_row_draws_in_each_step_and_another_clients_oldest_rows_fill_the_step() -> None:
    batcher, sequences = joined(["flood"] * N_FLOOD + ["single"], AT_ONCE)
    assert drawn(batcher, sequences, 10) == [10] * 7 + [0] * 8 + [10]


def test_clients_with_many_rows_draw_equally() -> None:
    batcher, sequences = joined(["a"] * 10 + ["b"] * 7 + ["c"] * 5, AT_ONCE)
    tokens = drawn(batcher, sequences, 12)
    each = [sum(tokens[:10]), sum(tokens[10:17]), sum(tokens[17:])]
    assert sum(each) == 8 * 12
    assert max(each) - min(each) <= 1


@pytest.mark.parametrize(
    ("clients", "config"),
    [
        (["one"] * 16, tiny.CONFIG),
        ([f"client {number}" for number in range(16)], tiny.CONFIG),
        (["flood"] * 15 + ["single"], replace(tiny.CONFIG, deterministic=True)),
    ],
    ids=["one client", "a row of each client", "steps that are all as long"],
)
def test_all_rows_draw_where_nobody_gains_if_some_pause(clients: list[str], config: EngineConfig) -> None:
    batcher, sequences = joined(clients, AT_ONCE, config)
    assert drawn(batcher, sequences, 10) == [10] * 16


def test_a_newcomers_prompt_is_read_next() -> None:
    batcher, sequences = joined(["flood"] * N_FLOOD, IN_TURN)
    drawn(batcher, sequences, 4)
    newcomer = planned(batcher, "a text of letters", client="single")
    batcher.join(N_FLOOD, newcomer)
    n_chunks = -(-len(newcomer.prompt_ids) // 16) + 1  # the transcript ends a chunk
    drawn(batcher, [newcomer], 2 * n_chunks)
    assert newcomer.is_read
    assert not all(sequence.is_read for sequence in sequences)
