"""The forward pass of a decode step with a fixed shape, and that of a prompt: cuBLAS computes the products
(Triton those with weights in FP8), Triton everything between them.

Each slot is a row of each step, whether it decodes or not. So each product always uses the same kernel and
shape, and a row's bits do not depend on the number of other rows. Idle rows cost no time if reading the
weights takes longer than multiplying by them (docs/gpu.md has the numbers of rows up to which it does).

Needs Triton, so this module is imported only where a GPU is used.
"""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from glm_tts_api.model import triton_kernels as kernels
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.llm_runner import LlmRunner

ROW_MULTIPLE = 16  # rows of a tile of the products


def decode_slots(llm: LlmRunner, ids: Tensor, lengths: Tensor, *, cache: KVCache) -> Tensor:
    """Feeds ids[i] to slot i, of which lengths[i] positions are filled, and writes the id's keys and values
    to the slot's next position. Returns the hidden states [slots, D]. Unlike in `LlmRunner.decode_slots`,
    each row reads only its own positions.

    `ids` and `lengths` are [slots] int64. The length -1 marks an idle slot: its cache is neither read nor
    written, and its result has no meaning.
    """
    n_slots = len(ids)
    padding = -n_slots % ROW_MULTIPLE
    lengths = F.pad(lengths, (0, padding), value=-1).to(torch.int32, memory_format=torch.contiguous_format)
    x, added = _layers(llm, F.pad(ids, (0, padding)), lengths, cache, slot=None)
    return kernels.add_and_norm(x, added, llm.norm, llm.config.rms_norm_eps)[:n_slots]


def prefill_slot(llm: LlmRunner, ids: Tensor, lengths: Tensor, slot: Tensor, *, cache: KVCache) -> None:
    """Reads the ids [n] of a prompt: writes their keys and values to one slot, whose number is in the tensor
    `slot`. `lengths` [n] int32 are their positions, one after the other, with -1 for padding at the end. The
    positions before them must have been filled before."""
    _layers(llm, ids, lengths, cache, slot)


def _layers(
    llm: LlmRunner, ids: Tensor, lengths: Tensor, cache: KVCache, slot: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Returns the hidden states before the last feed-forward, and what that adds to them."""
    heads, eps, rope = llm.config.num_attention_heads, llm.config.rms_norm_eps, (llm.cos, llm.sin)
    added = F.embedding(ids, llm.embedding)
    x = torch.zeros_like(added)
    for index, (layer, *cached) in enumerate(zip(llm.layers, cache.keys, cache.values, strict=True)):
        qkv = kernels.product(layer.qkv, kernels.add_and_norm(x, added, layer.attention_norm, eps))
        is_followed = slot is None and cache.followed and cache.followed.layer == index
        kept = (cache.queries, cache.followed.number) if cache.followed and is_followed else None
        q = kernels.rotate_and_cache(qkv, rope, lengths, cached, heads, slot, kept)
        attend = kernels.attend if slot is None else partial(kernels.attend_to_prompt, slot=slot)
        added = kernels.product(layer.output, attend(q, cached, lengths))
        gate_up = kernels.product(layer.gate_up, kernels.add_and_norm(x, added, layer.mlp_norm, eps))
        added = kernels.product(layer.down, kernels.silu_times(gate_up))
    return x, added
