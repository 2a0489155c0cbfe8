"""A decode step's forward of fixed shape: cuBLAS for the products, Triton for all that lies between them.

Every slot is a row of every step, whether it decodes or not. So each product is one kernel on one shape, and
a row's bits do not depend on how many others there are. Idle rows cost nothing as long as reading the weights
takes longer than multiplying by them. In bfloat16 that holds up to as many rows as a GPU does operations for
each byte that it reads. By the data sheets those are 295 on an H100, 153 on an A100, 164 on an RTX 4090 and
76 on an RTX 3090. The memory of these cards holds 300, 300, 70 and 70 slots. So one shape serves every number
of slots: at worst a step of few rows takes twice as long as with the default of 20 slots.

Needs Triton: imported where a GPU is used.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from glm_tts_api.model import triton_kernels as kernels
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.llm_runner import LlmRunner

ROW_MULTIPLE = 16  # a tile of the products


def decode_slots(llm: LlmRunner, ids: Tensor, lengths: Tensor, *, cache: KVCache) -> Tensor:
    """As `LlmRunner.decode_slots`, but each row reads its own positions alone; hidden [slots, D].

    ids and lengths [slots] int64. Length -1 is an idle slot: nothing of the cache is read or written for it,
    and its result means nothing.
    """
    n_slots = len(ids)
    padding = -n_slots % ROW_MULTIPLE
    lengths = F.pad(lengths, (0, padding), value=-1).to(torch.int32, memory_format=torch.contiguous_format)
    heads, eps, rope = llm.config.num_attention_heads, llm.config.rms_norm_eps, (llm.cos, llm.sin)
    added = F.embedding(F.pad(ids, (0, padding)), llm.embedding)
    x = torch.zeros_like(added)
    for layer, *cached in zip(llm.layers, cache.keys, cache.values, strict=True):
        qkv = layer.qkv(kernels.add_and_norm(x, added, layer.attention_norm, eps))
        q = kernels.rotate_and_cache(qkv, rope, lengths, cached, heads)
        added = layer.output(kernels.attend(q, cached, lengths))
        gate_up = layer.gate_up(kernels.add_and_norm(x, added, layer.mlp_norm, eps))
        added = layer.down(kernels.silu_times(gate_up))
    return kernels.add_and_norm(x, added, llm.norm, eps)[:n_slots]
