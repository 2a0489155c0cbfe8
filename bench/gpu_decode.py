"""The measurements of scripts/gpu_check.sh that concern the LLM: decode step, prefill, equal results."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

import torch

from bench.decode import N_PROMPT, advance, joined, prefilled, step_s
from bench.gpu_models import Bench
from bench.gpu_timing import GIB, MS, best_ms, by_part, kernels, longest_name, reserved
from glm_tts_api.contracts import DecodeKernels
from glm_tts_api.model.cuda_decode import CudaDecodeStep
from glm_tts_api.model.decode_step import Drawn
from glm_tts_api.model.kv_cache import KVCache

Measured = dict[str, float | str]
ROWS, KEYS = (1, 4, 16, 20), (512, 1024, 3776)
_BEHIND = 5  # steps kept free in the KV cache beside the timed ones


class Decoding:
    """A KV cache with a prompt in every slot, and the decode step that works on it.

    `plain` takes plain operators, as DETERMINISTIC=1 does. Otherwise the step takes the fastest kernels that
    work on this device.
    """

    @torch.inference_mode()
    def __init__(self, bench: Bench, *, plain: bool) -> None:
        self.bench, runner = bench, bench.runner
        self.cache = prefilled(runner, slots=bench.config.n_rows, slot_length=bench.slot_length)
        before, started = reserved(bench.device), time.perf_counter()
        chosen: DecodeKernels | None = "plain" if plain else None
        self.step = CudaDecodeStep(
            runner, self.cache, end=len(runner.sampled_ids) - 1, fixed_shape=plain, kernels=chosen
        )
        self.capture_s = time.perf_counter() - started
        self.graph_bytes = reserved(bench.device) - before

    @torch.inference_mode()
    def step_ms(self, n_rows: int, n_keys: int) -> float:
        """Returns the ms of a decode step of `n_rows` rows, each with about `n_keys` cached positions."""
        n = self.bench.size.decode_steps
        behind = max(1, min(n_keys, self.bench.slot_length) - n - _BEHIND)
        return MS * step_s(self.bench.runner, self.step, n_rows, n, n_read=behind)

    @torch.inference_mode()
    def draws(self, slots: Sequence[int], *, n_read: Sequence[int]) -> list[Drawn]:
        """Decodes rows in `slots`, and returns the tokens of the first row.

        The first row always has the same seed and prompt. `n_read` gives each row's number of cached
        positions.
        """
        n = self.bench.size.decode_steps
        rows = joined(self.bench.runner, slots, n_steps=n, n_read=N_PROMPT)
        for row, n_behind in zip(rows, n_read, strict=True):
            row.n_read = n_behind
        return [advance(self.step, rows)[0] for _ in range(n)]

    def close(self) -> None:
        del self.step, self.cache


def _decoding(bench: Bench, *, plain: bool = False) -> Decoding:
    held: Decoding = bench.hold(("decoding", plain), partial(Decoding, bench, plain=plain))
    return held


def _rows(bench: Bench) -> list[int]:
    return sorted({min(n_rows, bench.config.n_rows) for n_rows in ROWS})


def steps(n_keys: int, bench: Bench) -> Measured:
    """Measures the decode step with about `n_keys` cached positions. Returns ms by the number of rows."""
    decoding = _decoding(bench)
    return {str(n): decoding.step_ms(n, n_keys) for n in _rows(bench)}


def steps_floor(n_keys: int, bench: Bench) -> dict[str, float]:
    """Returns the least ms of a decode step by number of rows: the time to read weights and KV cache."""
    a_row = min(n_keys, bench.slot_length) * KVCache.bytes_per_position(bench.size.llm, bench.runner.dtype)
    return {str(n): MS * (bench.weight_bytes + n * a_row) / bench.bandwidth for n in _rows(bench)}


def plain_steps(bench: Bench) -> Measured:
    decoding = _decoding(bench, plain=True)
    return {str(n): decoding.step_ms(n, KEYS[0]) for n in (1, bench.config.n_rows)}


@torch.inference_mode()
def parts(n_rows: int, bench: Bench) -> Measured:
    """Splits the time of a decode step of `n_rows` rows.

    Returns the device's ms by kind of kernel, the remaining ms of the host, and the number of kernels.
    """
    n_rows = min(n_rows, bench.config.n_rows)
    decoding = _decoding(bench)
    step_ms = decoding.step_ms(n_rows, KEYS[1])
    rows = joined(bench.runner, range(n_rows), n_steps=1000, n_read=KEYS[1] - 4 * _BEHIND)
    seen = kernels(partial(advance, decoding.step, rows), bench.device)
    hidden = torch.ones(n_rows, bench.size.llm.hidden_size, dtype=bench.runner.dtype, device=bench.device)
    return {
        **by_part(seen),
        "host": step_ms - sum(kernel.ms for kernel in seen),
        "kernels": sum(kernel.n for kernel in seen),
        "head alone": best_ms(partial(bench.runner.logits, hidden), bench.device),
        "attention by": longest_name(seen, "attention"),
    }


def head_floor(bench: Bench) -> dict[str, float]:
    columns = bench.size.n_audio + 1
    read = columns * bench.size.llm.hidden_size * bench.runner.dtype.itemsize
    return {"head alone": MS * read / bench.bandwidth}


@torch.inference_mode()
def prefill(bench: Bench) -> Measured:
    """Measures in ms the prefill of prompts of several lengths, and the prefill behind other ids."""
    few, prompt, long = bench.size.prompts
    runner = bench.runner
    cache = KVCache(
        runner.config, slots=1, slot_length=long, dtype=runner.dtype, device=runner.device
    )  # a separate cache: the slots of `Decoding` keep their prompts

    def chunk(n: int, start: int) -> float:
        ids = torch.arange(n)
        return best_ms(lambda: runner.prefill(ids, cache=cache, slot=0, start=start), bench.device)

    first = {f"{n} ids": chunk(n, 0) for n in (few, prompt, long)}
    return {**first, f"{prompt} ids behind {few}": chunk(prompt, few)}


def prefill_floor(bench: Bench) -> dict[str, float]:
    """Returns the least ms of a prefill: the weights read once, or two operations for each weight and id."""
    flops = bench.flops(bench.runner.dtype)
    weights = bench.weight_bytes / bench.runner.dtype.itemsize
    return {
        f"{n} ids": MS * max(bench.weight_bytes / bench.bandwidth, 2 * n * weights / flops)
        for n in bench.size.prompts
    }


def same_draws(plain: bool, bench: Bench) -> Measured:
    """Checks that a row's sampled ids and probabilities do not depend on the other rows, bit for bit.

    The row is decoded alone, again, in the last slot, and beside rows in all other slots. Returns "same" or
    the first difference for each case.
    """
    decoding, n_rows = _decoding(bench, plain=plain), bench.config.n_rows
    longest = bench.slot_length - bench.size.decode_steps - _BEHIND
    lengths = [N_PROMPT, *(longest if slot % 2 else N_PROMPT + slot for slot in range(1, n_rows))]
    alone = decoding.draws([0], n_read=[N_PROMPT])
    others = {
        "again": decoding.draws([0], n_read=[N_PROMPT]),
        "in the last slot": decoding.draws([n_rows - 1], n_read=[N_PROMPT]),
        "beside all others": decoding.draws(range(n_rows), n_read=lengths),
    }
    return {what: "same" if drawn == alone else _first_change(alone, drawn) for what, drawn in others.items()}


def _first_change(alone: Sequence[Drawn], drawn: Sequence[Drawn]) -> str:
    pairs = list(zip(alone, drawn, strict=True))
    step = next(index for index, (one, other) in enumerate(pairs) if one != other)
    ids = next(
        (f"ids from step {index}" for index, (a, b) in enumerate(pairs) if a[0] != b[0]), "the same ids"
    )
    return f"other bits from step {step}, {ids}"


def start(bench: Bench) -> Measured:
    decoding = _decoding(bench)
    return {
        "LLM to the device s": bench.load_s,
        "graphs s": decoding.capture_s,
        "graphs GiB": decoding.graph_bytes / GIB,
        "slots": str(bench.config.n_rows),
        "kernels": decoding.step.kernels,
    }
