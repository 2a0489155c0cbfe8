"""The forward pass of a decode step on a CPU: oneDNN computes the products, cpu_kernels.c everything between
them.

PyTorch's operators would do the same (`LlmRunner.decode`), but a step has some 2,000 of them, each on a few
thousand numbers. At official sizes they take a third of a step.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from glm_tts_api.model.cpu_kernels import LANES, CpuKernels, Numbers, Step
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.linear import Int8Linear, Linear
from glm_tts_api.model.llm_runner import LlmRunner

_STORED = {torch.float32: Numbers.FLOAT32, torch.bfloat16: Numbers.BFLOAT16}


def can_decode(llm: LlmRunner) -> bool:
    """Returns whether the kernels can run a model of these sizes and this dtype."""
    config = llm.config
    widths = (config.hidden_size, config.intermediate_size, config.head_dim)
    return llm.dtype in _STORED and not any(width % LANES for width in widths)


def decode(
    llm: LlmRunner,
    kernels: CpuKernels,
    ids: Sequence[int],
    *,
    cache: KVCache,
    slots: Sequence[int],
    lengths: Sequence[int],
    row_multiple: int | None = None,
) -> Tensor:
    """Computes what `LlmRunner.decode` computes. Unlike there, all arithmetic between the products is in
    float32, and so are the hidden states to which a layer adds. Keys, values and what the products read are
    rounded to the dtype. Raises ValueError if a slot is full."""
    llm.require_room(cache, lengths)
    config, n = llm.config, len(ids)
    fed, at_slots, at_lengths = torch.tensor((ids, slots, lengths), dtype=torch.int64)
    heads_width = config.num_attention_heads * config.head_dim
    x = F.embedding(fed, llm.embedding).float()
    hidden = torch.empty(n, config.hidden_size, dtype=llm.dtype)
    attended, scale = torch.empty(n, heads_width), torch.empty(n)
    n_padded = n + -n % (row_multiple or llm.row_multiple)
    read = _read_by_products(llm)
    normed, mixed, gated = (
        torch.zeros(
            2 * n_padded if read is Numbers.PAIRS_OF_INTEGERS else n_padded,
            width,
            dtype=torch.uint8 if read >= Numbers.INTEGERS else llm.dtype,
        )
        for width in (config.hidden_size, heads_width, config.intermediate_size)
    )
    step = Step(
        n, n_padded, read, _STORED[llm.dtype],
        config.num_attention_heads, config.num_key_value_heads, config.head_dim, cache.slot_length,
        config.rms_norm_eps,
        *(each.data_ptr() for each in (scale, at_slots, at_lengths, llm.cos, llm.sin)),
    )  # fmt: skip
    told = ctypes.addressof(step)
    at_x, at_normed, at_mixed, at_gated = (each.data_ptr() for each in (x, normed, mixed, gated))
    keys, values = cache.keys.data_ptr(), cache.values.data_ptr()
    layer_bytes = cache.keys.stride(0) * cache.keys.itemsize
    added = None
    for layer in llm.layers:
        norm = layer.attention_norm.data_ptr()
        kernels.add_and_norm(told, config.hidden_size, at_x, _address(added), norm, at_normed, read)
        qkv = _product(layer.qkv, normed)
        kernels.attend(told, qkv.data_ptr(), keys, values, attended.data_ptr(), at_mixed)
        added, norm = _product(layer.output, mixed), layer.mlp_norm.data_ptr()
        kernels.add_and_norm(told, config.hidden_size, at_x, added.data_ptr(), norm, at_normed, read)
        gate_up = _product(layer.gate_up, normed)
        kernels.silu_times(told, config.intermediate_size, gate_up.data_ptr(), at_gated)
        added = _product(layer.down, gated)
        keys, values = keys + layer_bytes, values + layer_bytes
    kernels.add_and_norm(
        told, config.hidden_size, at_x, _address(added), llm.norm.data_ptr(), hidden.data_ptr(), step.stored
    )
    return hidden


def _read_by_products(llm: LlmRunner) -> Numbers:
    """Returns the kind of numbers that the products of `llm` read."""
    if not isinstance(llm.layers[0].qkv, Int8Linear):
        return _STORED[llm.dtype]
    return Numbers.PAIRS_OF_INTEGERS if Int8Linear.reads_pairs() else Numbers.INTEGERS


def _product(linear: Linear, x: Tensor) -> Tensor:
    return linear.of_integers(x) if isinstance(linear, Int8Linear) else linear(x)


def _address(x: Tensor | None) -> int | None:
    return None if x is None else x.data_ptr()
