"""Compares the speed of the LLM's decode step with that of the published loop, for 1 to 16 rows.

The weights are made by rule (scripts/checks/parity/fill.py). The baseline is the published way: transformers'
Llama in float32 with a DynamicCache, one row, the full output head, and RAS (repetition-aware sampling) in
Python. The server's way is packed products with compiled kernels between them, an output head over the ids
that can be sampled, and RAS over all rows.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from bench.floor import bandwidth, matmul_flops, synchronize
from bench.synthetic import LLM_SIZES, N_AUDIO, filled_llm
from glm_tts_api.contracts import SamplingOptions
from glm_tts_api.model import sampling
from glm_tts_api.model.cuda_decode import CudaDecodeStep
from glm_tts_api.model.decode_step import CpuDecodeStep, DecodeStep, Drawn
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.llm import Llama, LlmConfig
from glm_tts_api.model.llm_runner import LlmRunner
from glm_tts_api.model.placement import choose_precision
from glm_tts_api.model.sequence import SpeechSequence
from tests.compiled import compiled_kernels

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

ROWS = (1, 4, 8, 16)
SLOTS = 20  # the sum of the default limits of concurrent requests
N_PROMPT, N_STEPS = 200, 40
_WARM_UP = 3


def ras_published(logits: Tensor, drawn: list[int], generator: torch.Generator) -> int:
    """Samples one token as the published code does (docs/model.md 4), and returns its id.

    The function sorts the whole vocabulary and walks the nucleus (the likeliest tokens) entry by entry.
    `drawn` holds the tokens so far.
    """
    p, order = logits.log_softmax(-1).softmax(-1).sort(descending=True, stable=True)
    total, n = torch.zeros((), device=p.device), 0
    while total < sampling.TOP_P and n < sampling.MAX_CANDIDATES:
        total = total + p[n]
        n += 1
    token = int(order[torch.multinomial(p[:n], 1, replacement=True, generator=generator)])
    if token in drawn[-sampling.HISTORY :]:
        full = logits.log_softmax(-1).softmax(-1)
        token = int(torch.multinomial(full, 1, replacement=True, generator=generator))
    return token


def _transformers_model(llama: Llama, device: torch.device) -> LlamaForCausalLM:
    from transformers import LlamaConfig, LlamaForCausalLM  # takes two seconds to import

    config = llama.config
    with torch.device("meta"):
        model = LlamaForCausalLM(LlamaConfig(**asdict(config)))
    model.load_state_dict(llama.state_dict(), strict=False, assign=True)
    model.tie_weights()
    rotary = model.model.rotary_emb
    model.model.rotary_emb = type(rotary)(config=model.config)  # the state dict has no rotary tables
    return model.eval().to(device)


@torch.inference_mode()
def baseline_tps(llama: Llama, device: torch.device) -> float:
    """Measures the published decode loop with one row of `llama`, and returns its tokens per second."""
    from transformers import DynamicCache

    model, generator = _transformers_model(llama, device), torch.Generator(device).manual_seed(0)
    cache, drawn = DynamicCache(), [0]
    model(input_ids=torch.arange(N_PROMPT, device=device)[None], past_key_values=cache, use_cache=True)
    start = 0.0
    for step in range(_WARM_UP + N_STEPS):
        if step == _WARM_UP:
            synchronize(device)
            start = time.perf_counter()
        ids = torch.tensor([[drawn[-1]]], device=device)
        logits = model(input_ids=ids, past_key_values=cache, use_cache=True).logits[0, -1]
        drawn.append(ras_published(logits, drawn, generator))
    return N_STEPS / (time.perf_counter() - start)


@torch.inference_mode()
def our_tps(runner: LlmRunner, n_rows: int, *, fixed_slots: int | None = None, plain: bool = False) -> float:
    """Returns the tokens per second of all `n_rows` rows together.

    With `fixed_slots` every decode step computes that many slots, whatever the number of rows. `plain` leaves
    out the kernels that are compiled for a CPU.
    """
    cache = prefilled(runner, slots=fixed_slots or n_rows, slot_length=N_PROMPT + N_STEPS + 8)
    on_gpu = runner.device.type == "cuda"
    kernels = None if plain or on_gpu else compiled_kernels()
    on_cpu = partial(CpuDecodeStep, compiled=kernels, fixed_shape=fixed_slots is not None)
    step = (CudaDecodeStep if on_gpu else on_cpu)(runner, cache, end=len(runner.sampled_ids) - 1)
    return n_rows / step_s(runner, step, n_rows)


def prefilled(runner: LlmRunner, *, slots: int, slot_length: int) -> KVCache:
    """Returns a KV cache of `slots` slots in which each slot holds a prompt of N_PROMPT ids."""
    cache = KVCache(
        runner.config, slots=slots, slot_length=slot_length, dtype=runner.dtype, device=runner.device
    )
    for slot in range(slots):
        cache.clear(slot)  # a decode step on a GPU also reads the masked positions
        runner.prefill(torch.arange(N_PROMPT), cache=cache, slot=slot)
    return cache


def step_s(
    runner: LlmRunner, step: DecodeStep, n_rows: int, n_steps: int = N_STEPS, *, n_read: int = N_PROMPT
) -> float:
    """Returns the seconds of a decode step of the first `n_rows` rows, with the time of the host.

    Each row has `n_read` positions in the KV cache. The time is the mean of `n_steps` steps.
    """
    rows = joined(runner, range(n_rows), n_steps=n_steps + _WARM_UP, n_read=n_read)
    start = 0.0
    for index in range(_WARM_UP + n_steps):
        if index == _WARM_UP:
            synchronize(runner.device)
            start = time.perf_counter()
        advance(step, rows)
    return (time.perf_counter() - start) / n_steps


def joined(runner: LlmRunner, slots: Iterable[int], *, n_steps: int, n_read: int) -> list[SpeechSequence]:
    """Makes a decode row for each of `slots`, with seeds 0, 1, ..., that takes at least `n_steps` steps.

    `n_read` is the number of positions that each row has in the KV cache.
    """
    rows = []
    for seed, slot in enumerate(slots):
        sampling = SamplingOptions(seed=seed)
        row = SpeechSequence([0], n_steps + 1, 0, sampling, n_read=n_read, slot=slot, next_id=0)
        row.generator = torch.Generator(runner.device).manual_seed(seed)
        rows.append(row)
    return rows


def advance(step: DecodeStep, rows: Sequence[SpeechSequence]) -> list[Drawn]:
    """Runs one decode step for all `rows`, appends each row's new token to the row, and returns the
    tokens."""
    draws = step(rows)
    for row, drawn in zip(rows, draws, strict=True):
        row.tokens.append(drawn.column)
        row.next_id = drawn.column
        row.n_read += 1
    return draws


def n_weights(config: LlmConfig, n_sampled: int) -> int:
    """Returns the number of weights that a decode step reads: layers and a head of `n_sampled` ids."""
    width = config.hidden_size
    heads = 2 * config.num_attention_heads + 2 * config.num_key_value_heads
    per_layer = width * config.head_dim * heads + 3 * width * config.intermediate_size
    return config.num_hidden_layers * per_layer + n_sampled * width


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Measures the decode step, and prints and returns its speed.

    The speed is in tokens per second, as a ratio to the baseline of the same run, and as a ratio to the floor
    (the time to read the weights once or to multiply by them).
    """
    device, config = torch.device(args.device), LLM_SIZES[args.size]
    llama = filled_llm(config)
    base = baseline_tps(llama, device)
    audio_start = config.vocab_size - N_AUDIO[args.size] - 1
    sampled_ids = range(audio_start, config.vocab_size)  # the last id stands for the end
    count = n_weights(config, len(sampled_ids))
    precision = choose_precision(device, n_weights=count, dtype=args.dtype)
    runner = LlmRunner(
        llama, sampled_ids=sampled_ids, device=device, dtype=precision.dtype, linear=precision.linear
    )
    del llama
    small = args.dtype in ("int8", "fp8")
    read_s = count * (1 if small else precision.dtype.itemsize) / bandwidth(device)
    flops = float("inf") if small else matmul_flops(device, precision.dtype)  # 8 bits: memory-bound
    result: dict[str, Any] = {
        "size": args.size,
        "device": str(device),
        "dtype": args.dtype if small else str(precision.dtype).removeprefix("torch."),
        "baseline_tps": base,
        "floor_tps": 1 / read_s,
        "rows": {},
    }
    for n_rows in ROWS:
        tps = our_tps(runner, n_rows)
        floor_s = max(read_s, 2 * count * n_rows / flops)
        step_s = n_rows / tps
        result["rows"][str(n_rows)] = {
            "tps": tps,
            "ratio": tps / base,
            "step_ms": 1000 * step_s,
            "floor_ms": 1000 * floor_s,
            "to_floor": step_s / floor_s,
            "plain_step_ms": 1000 * n_rows / our_tps(runner, n_rows, plain=True),
        }
    result["deterministic_step_ms"] = 1000 / our_tps(runner, 1, fixed_slots=SLOTS)
    _print(result)
    return result


def _print(result: dict[str, Any]) -> None:
    print(f"decode, size {result['size']}, {result['dtype']}, on {result['device']}")
    print(f"baseline (published loop, float32, 1 row): {result['baseline_tps']:.1f} tokens/s")
    print(f"floor (weights read once a step): {result['floor_tps']:.1f} steps/s")
    print("rows  tokens/s   x baseline  step ms  floor ms  x floor  step ms without compiled kernels")
    for n_rows, row in result["rows"].items():
        print(
            f"{n_rows:>4}  {row['tps']:>8.1f}  {row['ratio']:>10.2f}  {row['step_ms']:>8.1f}  "
            f"{row['floor_ms']:>8.1f}  {row['to_floor']:>7.2f}  {row['plain_step_ms']:>8.1f}"
        )
    print(f"one row with DETERMINISTIC=1 and {SLOTS} slots: {result['deterministic_step_ms']:.1f} ms a step")
