"""The forward pass of a decode step with a fixed shape: cuBLAS computes the products, Triton everything
between them.

Each slot is a row of each step, whether it decodes or not. So each product always uses the same kernel and
shape, and a row's bits do not depend on the number of other rows. Idle rows cost no time if reading the
weights takes longer than multiplying by them. In bfloat16 that holds up to a number of rows, which is the
number of operations that a GPU does for each byte that it reads. By the data sheets this number is 295 on an
H100, 153 on an A100, 164 on an RTX 4090 and 76 on an RTX 3090. The memory of these cards holds 300, 300, 70
and 70 slots. So one shape is enough for any number of slots: at worst, a step of few rows takes twice as long
as with the default of 20 slots.

Needs Triton, so this module is imported only where a GPU is used.
"""

from __future__ import annotations

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
    slots = torch.arange(n_slots, device=ids.device)
    padding = -n_slots % ROW_MULTIPLE
    lengths = F.pad(lengths, (0, padding), value=-1).to(torch.int32, memory_format=torch.contiguous_format)
    heads, eps, rope = llm.config.num_attention_heads, llm.config.rms_norm_eps, (llm.cos, llm.sin)
    added = F.embedding(F.pad(ids, (0, padding)), llm.embedding)
    x = torch.zeros_like(added)
    for index, (layer, *cached) in enumerate(zip(llm.layers, cache.keys, cache.values, strict=True)):
        qkv = layer.qkv(kernels.add_and_norm(x, added, layer.attention_norm, eps))
        q = kernels.rotate_and_cache(qkv, rope, lengths, cached, heads)
        if cache.followed and cache.followed.layer == index:  # of an idle slot at the last position
            cache.queries[slots, lengths[:n_slots]] = q[:n_slots, cache.followed.number]
        added = layer.output(kernels.attend(q, cached, lengths))
        gate_up = layer.gate_up(kernels.add_and_norm(x, added, layer.mlp_norm, eps))
        added = layer.down(kernels.silu_times(gate_up))
    return kernels.add_and_norm(x, added, llm.norm, eps)[:n_slots]
