"""The LLM's attention on the text says which of its words were spoken."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
import torch

from glm_tts_api.model.alignment import Spoken, find_head
from glm_tts_api.model.inspection import inspect
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.llm_config import Head, LlmConfig
from glm_tts_api.model.llm_runner import LlmRunner
from glm_tts_api.model.threads import at_most
from glm_tts_api.settings import BUNDLED_MODEL
from tests.engine import tiny

N_IDS = 12


def cache_of(n_rows: int, head_dim: int, lead: float = 0.0) -> KVCache:
    config = LlmConfig(num_hidden_layers=1, num_attention_heads=1, num_key_value_heads=1, head_dim=head_dim)
    head = Head(0, 0, lead)
    return KVCache(config, slots=1, slot_length=n_rows, dtype=torch.float32, device="cpu", followed=head)


def attending(path: Sequence[int], lead: float = 0.0) -> Spoken:
    """Follows a head whose rows attend to one id each, and a little to all others."""
    cache = cache_of(max(len(path), N_IDS), N_IDS, lead)
    cache.keys[0, 0, 0, :N_IDS] = torch.eye(N_IDS) * N_IDS**0.5
    cache.queries[0, : len(path)] = (0.01 + 0.88 * torch.eye(N_IDS)[path]).log()
    return Spoken.of(cache, 0, range(len(path)), range(N_IDS))


def each(*ids: int, rows: int = 4) -> list[int]:
    return [id_ for id_ in ids for _ in range(rows)]


@pytest.mark.parametrize(
    "path",
    [  # three ids are skipped; four ids are said twice; the text is not said to its end; speech runs on
        each(*range(N_IDS)), each(*range(5), *range(8, N_IDS)), each(*range(8), *range(4, N_IDS)),
        each(*range(6)), each(*range(N_IDS)) + [N_IDS - 1] * 50,
    ],
)  # fmt: skip
def test_the_path_is_the_one_that_was_spoken(path: list[int]) -> None:
    spoken = attending(path)
    assert spoken.path == path
    assert [at for at, attention in enumerate(spoken.attention) if attention < 0.5] == [
        at for at in range(N_IDS) if at not in path
    ]
    assert spoken.fit == pytest.approx(0.89)


def test_an_id_begins_half_a_token_before_its_first_row_later_by_the_lead() -> None:
    spoken = attending(each(0, 1, 2), lead=2.0)
    assert spoken.begins([0, 1, 2, 3]) == [1.5, 5.5, 9.5, 12]


def test_a_look_at_a_later_word_is_no_jump() -> None:
    path = each(*range(N_IDS))
    path[13:16] = [9, 9, 9]
    assert {after - before for before, after in pairwise(attending(path).path)} == {0, 1}


@pytest.mark.parametrize("n_threads", [2, 3, 4])
def test_the_attention_has_the_same_bits_on_other_numbers_of_threads(n_threads: int) -> None:
    torch.manual_seed(1)
    cache = cache_of(248, 64)
    cache.queries.normal_()
    cache.keys.normal_()
    with at_most(1):
        expected = Spoken.of(cache, 0, range(45, 248), range(45))
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        assert Spoken.of(cache, 0, range(45, 248), range(45)) == expected
    finally:
        torch.set_num_threads(before)


def test_the_pieces_of_a_text_are_the_text() -> None:
    text = "你好，hello, 3 齉 <|begin_of_audio|>"
    _, pieces = inspect(BUNDLED_MODEL).text_tokenizer.encode(text)
    assert "".join(pieces) == text
    assert {"你", "，", "<|begin_of_audio|>"} <= {*pieces}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_bundled_model_has_a_head_that_follows_the_text(dtype: torch.dtype) -> None:
    parts = inspect(BUNDLED_MODEL)
    llm = LlmRunner(parts.llm.load(), sampled_ids=[0], device="cpu", dtype=dtype)
    head, fit = find_head(llm, parts.text_tokenizer, parts.speech_tokenizer.load_copy(torch.device("cpu")))
    assert head is not None
    assert head[:2] == (3, 0)
    assert head.lead == pytest.approx(3.2, abs=0.1)
    assert fit > 0.9


def test_a_random_model_has_none() -> None:
    models = tiny.tiny_models()
    head, fit = find_head(models.llm, models.text_tokenizer, models.speech_tokenizer)
    assert head is None
    assert fit < 0.7
