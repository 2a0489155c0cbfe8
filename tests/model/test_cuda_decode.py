"""The GPU's decode step, here on the CPU as plain tensor code; captured for real where there is a GPU."""

from __future__ import annotations

import dataclasses
import gc
import itertools
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any
from unittest.mock import MagicMock

import pytest
import torch

from glm_tts_api.contracts import SamplingOptions
from glm_tts_api.model.cuda_decode import CudaDecodeStep, key_buckets, row_buckets
from glm_tts_api.model.decode_step import CpuDecodeStep, DecodeStep, Drawn
from glm_tts_api.model.draw_noise import STEPS
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.linear import AlignedHead
from glm_tts_api.model.llm import Llama, LlmConfig
from glm_tts_api.model.llm_runner import LlmRunner
from glm_tts_api.model.sequence import SpeechSequence
from tests.dispatched import Dispatched

SLOTS, SLOT_LENGTH, VOCABULARY = 6, 640, 257
AUDIO = range(100, 231)
END = len(AUDIO) - 1


@pytest.fixture(autouse=True)
def _inference() -> Iterator[None]:
    with torch.inference_mode():
        yield


def _llama() -> Llama:
    torch.manual_seed(3)
    llama = Llama(
        LlmConfig(
            vocab_size=VOCABULARY, hidden_size=64, intermediate_size=160, num_hidden_layers=2,
            num_attention_heads=4, num_key_value_heads=2, head_dim=32, max_position_embeddings=1024,
        )
    )  # fmt: skip
    for name, parameter in llama.named_parameters():
        if "norm" not in name:
            torch.nn.init.normal_(parameter, std=1.5 / parameter.shape[-1] ** 0.5)
    return llama.eval()


def _cache(runner: LlmRunner) -> KVCache:
    cache = KVCache(
        runner.config, slots=SLOTS, slot_length=SLOT_LENGTH, dtype=runner.dtype, device=runner.device
    )
    for slot in range(SLOTS):
        cache.clear(slot)
    return cache


def _runner(device: str = "cpu", dtype: torch.dtype = torch.float32) -> LlmRunner:
    return LlmRunner(_llama(), sampled_ids=AUDIO, device=device, dtype=dtype)


def _prompt(slot: int) -> list[int]:
    length = [37, 511, 1, 120, 600, 64][slot]
    return torch.randint(0, VOCABULARY, (length,), generator=torch.Generator().manual_seed(slot)).tolist()


def _likeliest(slot: int, token: int, length: int, device: str = "cpu") -> SpeechSequence:
    """Top-1: what is drawn depends on no noise."""
    generator = torch.Generator(device).manual_seed(slot)
    return SpeechSequence(
        [], 0, 0, SamplingOptions("topk", 1), slot=slot, next_id=token, n_read=length, generator=generator
    )


def _by_ras(columns: list[int], token: int, generator: torch.Generator, *, slot: int = 0) -> SpeechSequence:
    """Drawn by RAS after those columns, and never at its end."""
    place: dict[str, Any] = {"slot": slot, "next_id": token, "n_read": len(columns), "generator": generator}
    return SpeechSequence([], 10**6, 10**6, SamplingOptions(), tokens=columns, **place)


def _decode(
    runner: LlmRunner, cache: KVCache, decode: DecodeStep, slots: list[int], n_steps: int = 8
) -> dict[int, list[Drawn]]:
    """Reads the slots' prompts and decodes them together."""
    drawn: dict[int, list[Drawn]] = {slot: [] for slot in slots}
    for slot in slots:
        runner.prefill(_prompt(slot), cache=cache, slot=slot)
    for step in range(n_steps):
        rows = [
            _likeliest(
                slot,
                AUDIO[drawn[slot][-1].column] if step else 5,
                len(_prompt(slot)) + step,
                runner.device.type,
            )
            for slot in slots
        ]
        for slot, row in zip(slots, decode(rows), strict=True):
            drawn[slot].append(row)
    return drawn


def _assert_same(
    found: dict[int, list[Drawn]], expected: dict[int, list[Drawn]], *, atol: float = 1e-4
) -> None:
    for slot, rows in expected.items():
        assert [row.column for row in found[slot]] == [row.column for row in rows]
        log_probs = torch.tensor([row.log_prob for row in rows])
        torch.testing.assert_close(
            torch.tensor([row.log_prob for row in found[slot]]), log_probs, atol=atol, rtol=1e-4
        )


def test_few_shapes_hold_every_batch() -> None:
    assert row_buckets(20) == [1, 2, 4, 8, 12, 16, 20]
    assert row_buckets(6) == [1, 2, 4, 6]
    assert row_buckets(1) == [1]
    assert key_buckets(3776) == [512, 1024, 2048, 3776]
    assert key_buckets(300) == [300]


def test_a_fixed_shape_is_the_largest_whatever_the_rows() -> None:
    runner = _runner()
    cache = _cache(runner)
    decode = CudaDecodeStep(runner, cache, end=END, fixed_shape=True)
    assert decode.shape_for([_likeliest(0, 5, 3)]) == (cache.slots, cache.slot_length)


@pytest.mark.parametrize(
    ("slots", "lengths", "shape"),
    [([0], [0], (1, 512)), ([1], [511], (2, 512)), ([0, 3], [9, 512], (4, 640)), ([4], [639], (6, 640))],
)
def test_the_smallest_shape_is_chosen_that_holds_all_rows(
    slots: list[int], lengths: list[int], shape: tuple[int, int]
) -> None:
    runner = _runner()
    decode = CudaDecodeStep(runner, _cache(runner), end=END)
    rows = [_likeliest(slot, 5, length) for slot, length in zip(slots, lengths, strict=True)]
    assert decode.shape_for(rows) == shape


@pytest.mark.parametrize("slots", [[0], [0, 1], [4, 2, 0], [5, 3, 1, 4, 0, 2]])
def test_the_gpu_step_computes_what_the_cpu_step_does(slots: list[int]) -> None:
    runner = _runner()
    ours, plain = _cache(runner), _cache(runner)
    found = _decode(runner, ours, CudaDecodeStep(runner, ours, end=END), slots)
    _assert_same(found, _decode(runner, plain, CpuDecodeStep(runner, plain, end=END), slots))


def test_the_head_as_a_gpu_has_it_draws_the_same() -> None:
    """131 columns of 192."""
    llama, runner = _llama(), _runner()
    ours, plain = _cache(runner), _cache(runner)
    expected = _decode(runner, plain, CpuDecodeStep(runner, plain, end=END), [0, 2])
    runner._head = AlignedHead(llama.head_weight.detach()[list(AUDIO)])
    _assert_same(_decode(runner, ours, CudaDecodeStep(runner, ours, end=END), [0, 2]), expected)


def test_slots_without_a_row_keep_what_they_hold_for_their_next_step() -> None:
    """Slot 1 has read its prompt, and others decode before it does."""
    runner = _runner()
    ours, plain = _cache(runner), _cache(runner)
    decode = CudaDecodeStep(runner, ours, end=END)
    runner.prefill(_prompt(1), cache=ours, slot=1)
    _decode(runner, ours, decode, [0, 2])
    found = decode([_likeliest(1, 5, len(_prompt(1)))])
    runner.prefill(_prompt(1), cache=plain, slot=1)
    expected = CpuDecodeStep(runner, plain, end=END)([_likeliest(1, 5, len(_prompt(1)))])
    _assert_same({1: found}, {1: expected})


def test_a_slot_may_be_filled_to_its_last_position_beside_idle_ones() -> None:
    runner = _runner()
    ours, plain = _cache(runner), _cache(runner)
    decodes: list[DecodeStep] = [CudaDecodeStep(runner, ours, end=END), CpuDecodeStep(runner, plain, end=END)]
    found = []
    for cache, decode in zip((ours, plain), decodes, strict=True):
        ids = torch.arange(SLOT_LENGTH - 2) % VOCABULARY
        runner.prefill(ids, cache=cache, slot=1)
        decode([_likeliest(3, 8, 0)])  # slot 1 is idle
        decode([_likeliest(1, 9, SLOT_LENGTH - 2)])
        found.append({1: decode([_likeliest(1, 10, SLOT_LENGTH - 1)])})
    _assert_same(*found)
    with pytest.raises(ValueError, match="641 positions do not fit a slot of 640"):
        decodes[0]([_likeliest(1, 5, SLOT_LENGTH)])


def test_a_cleared_slot_forgets_what_was_not_finite() -> None:
    runner = _runner()
    cache = _cache(runner)
    cache.keys[:, 0, :, 300:] = torch.inf
    cache.values[:, 0, :, 300:] = torch.nan
    cache.clear(0)
    (drawn,) = CudaDecodeStep(runner, cache, end=END)([_likeliest(0, 5, 3)])
    assert torch.tensor(drawn.log_prob).isfinite()


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
    runner = _runner()
    decode = CudaDecodeStep(runner, _cache(runner), end=END)
    n_steps = 2 * STEPS + 5
    alone = _columns_of_a_row(decode, 0, n_steps, beside=False)
    assert len(set(alone)) > 5
    assert _columns_of_a_row(decode, 2, n_steps, beside=True) == alone
    assert _columns_of_a_row(decode, 2, STEPS // 2, beside=True) == alone[: STEPS // 2]
    assert _columns_of_a_row(decode, 2, n_steps, beside=False) == alone


def test_a_step_that_failed_is_drawn_again_from_the_same_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a request would sound otherwise because a neighbour did not fit the memory."""
    runner = _runner()
    decode = CudaDecodeStep(runner, _cache(runner), end=END)
    expected = _columns_of_a_row(decode, 0, STEPS + 2, beside=False)
    columns: list[int] = []
    generator = torch.Generator().manual_seed(7)
    for step in range(STEPS + 2):
        row = _by_ras(columns, AUDIO[columns[-1]] if columns else 5, generator)
        if step in (0, 3, STEPS):
            with monkeypatch.context() as patched:
                patched.setattr(decode, "_run", dict.fromkeys(decode.shapes, _no_memory))
                with pytest.raises(MemoryError):
                    decode([row])
        columns.append(decode([row])[0].column)
    assert columns == expected


def _no_memory() -> None:
    raise MemoryError


@pytest.mark.parametrize("was_enabled", [True, False])
def test_nothing_is_collected_while_a_faked_gpu_captures(
    monkeypatch: pytest.MonkeyPatch, was_enabled: bool
) -> None:
    runner = _runner()
    decode = CudaDecodeStep(runner, _cache(runner), end=END)
    seen: list[bool] = []
    monkeypatch.setattr(decode, "_compute", lambda _: seen.append(gc.isenabled()))
    for name in ("Stream", "CUDAGraph", "current_stream", "graph_pool_handle"):
        monkeypatch.setattr(torch.cuda, name, lambda *_, **__: MagicMock())
    for name in ("stream", "graph"):
        monkeypatch.setattr(torch.cuda, name, lambda *_, **__: nullcontext())
    try:
        if not was_enabled:
            gc.disable()
        graphs = decode._capture([(1, 512), (2, 512)])
        assert gc.isenabled() == was_enabled
    finally:
        gc.enable()
    assert set(graphs) == {(1, 512), (2, 512)}
    assert seen == [False] * 4, "each shape is run once, then captured"


OFFICIAL = LlmConfig()


def _step_on_the_meta_device(n_layers: int, n_rows: int, n_keys: int) -> Dispatched:
    """What a graph of the official sizes holds, but for the number of layers."""
    with torch.device("meta"):
        llama = Llama(dataclasses.replace(OFFICIAL, num_hidden_layers=n_layers)).eval()
    runner = LlmRunner(llama, sampled_ids=range(65535, 98304), device="meta", dtype=torch.bfloat16)
    cache = KVCache(runner.config, slots=20, slot_length=3776, dtype=runner.dtype, device="meta")
    decode = CudaDecodeStep(runner, cache, end=32768)
    seen = Dispatched()
    with seen:
        decode._compute((n_rows, n_keys))
    return seen


@pytest.mark.parametrize("shape", [(1, 512), (16, 2048), (20, 3776)])
def test_a_graph_waits_for_nothing_and_holds_a_bounded_number_of_kernels_on_the_meta_device(
    shape: tuple[int, int],
) -> None:
    """Each takes some microseconds. A dozen of a layer's are its two norms', for which a GPU has one each."""
    few, more = (_step_on_the_meta_device(n_layers, *shape) for n_layers in (1, 2))
    assert [call.name for call in more.calls if call.waits] == []
    a_layer = more.n_kernels - few.n_kernels
    assert a_layer <= 32
    assert few.n_kernels - a_layer <= 64
    assert few.n_kernels == _step_on_the_meta_device(1, 4, 1024).n_kernels, "whatever the shape"


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
@pytest.mark.parametrize("slots", [[0], [4, 2, 0], [5, 3, 1, 4, 0, 2]])
def test_captured_steps_compute_what_the_cpu_does(slots: list[int]) -> None:
    expected_by, runner = _runner(), _runner("cuda")
    cache, plain = _cache(runner), _cache(expected_by)
    found = _decode(runner, cache, CudaDecodeStep(runner, cache, end=END), slots)
    expected = _decode(expected_by, plain, CpuDecodeStep(expected_by, plain, end=END), slots)
    _assert_same(found, expected, atol=5e-3)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
def test_a_captured_step_in_bf16_equals_the_same_tensor_code_uncaptured() -> None:
    runner = _runner("cuda", torch.bfloat16)
    cache = _cache(runner)
    decode = CudaDecodeStep(runner, cache, end=END)
    for slot in (0, 3):
        runner.prefill(_prompt(slot), cache=cache, slot=slot)
    lengths = [len(_prompt(0)), len(_prompt(3))]
    drawn = decode([_likeliest(slot, 5, n, "cuda") for slot, n in zip((0, 3), lengths, strict=True)])
    logits = runner.logits(runner.decode([5, 5], cache=cache, slots=[0, 3], lengths=lengths))
    best = logits.log_softmax(-1).max(1)
    found = torch.tensor([row.log_prob for row in drawn])
    torch.testing.assert_close(found, best.values.cpu(), atol=0.1, rtol=0.02)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
def test_captured_draws_follow_their_generator() -> None:
    runner = _runner("cuda")
    drawn = []
    for seed in (1, 1, 2):
        cache = _cache(runner)
        decode = CudaDecodeStep(runner, cache, end=END)
        generator = torch.Generator("cuda").manual_seed(seed)
        columns: list[int] = []
        for _ in range(STEPS + 8):
            columns.append(decode([_by_ras(columns, 5, generator)])[0].column)
        drawn.append(columns)
    assert drawn[0] == drawn[1] != drawn[2]
