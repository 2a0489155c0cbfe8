"""Runs the LLM for serving: one forward pass a step, for many rows of different lengths.

On the CPU a row's result does not depend on the other rows, for up to `LlmRunner.most_rows` rows. Products
use packed weights with the rows padded to a multiple of 4, or integers, whose sums are exact for any number
of rows. Each row attends separately, over exactly its own positions. On a GPU this holds with Triton's
kernels (triton_decode.py). With the operators in this module, the rows on a GPU attend together under a mask.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.linear import (
    MOST_ALIKE,
    ROW_MULTIPLE,
    AlignedHead,
    Fp8Linear,
    Int8Linear,
    Linear,
    MakeLinear,
    PackedLinear,
    rounds_by_blocks,
)
from glm_tts_api.model.llm import Llama, rope_table, rotate
from glm_tts_api.model.threads import attending, whole_vectors


class _Layer:
    """The weights of one layer. Products that read the same input are fused into one."""

    def __init__(
        self, layer: torch.nn.Module, *, device: torch.device, dtype: torch.dtype, linear: MakeLinear
    ) -> None:
        def fused(*names: str) -> Linear:
            weights = [layer.get_parameter(f"{name}.weight").detach() for name in names]
            return linear(_joined(weights, device=device, dtype=dtype))

        def vector(name: str) -> Tensor:
            return layer.get_parameter(f"{name}.weight").detach().to(device, dtype, copy=True)

        self.attention_norm = vector("input_layernorm")
        self.qkv = fused("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")
        self.output = fused("self_attn.o_proj")
        self.mlp_norm = vector("post_attention_layernorm")
        self.gate_up = fused("mlp.gate_proj", "mlp.up_proj")
        self.down = fused("mlp.down_proj")


def _joined(weights: Sequence[Tensor], *, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Joins the weights [n_i, k] into one tensor [sum of n_i, k] on `device` in `dtype`. Each weight is read
    only once, because all together may have gigabytes."""
    lengths = [len(weight) for weight in weights]
    joined = torch.empty(sum(lengths), weights[0].shape[1], device=device, dtype=dtype)
    for part, weight in zip(joined.split(lengths), weights, strict=True):
        part.copy_(weight)
    return joined


class LlmRunner:
    """Prefills slots of a KV cache, and decodes many slots at once. Call it under torch.inference_mode.

    `llama` may lie on the CPU, memory-mapped, in any dtype. Its weights are copied layer by layer to `device`
    as `dtype`, and `llama` is not kept. `sampled_ids` are the vocabulary ids whose logits are computed.
    `linear` makes the layers' products, also with 8-bit weights; everything between the products stays in
    `dtype`. The attributes without underscores are for triton_decode.py, which runs the same weights.
    """

    def __init__(
        self,
        llama: Llama,
        *,
        sampled_ids: Sequence[int],
        device: torch.device | str,
        dtype: torch.dtype,
        linear: MakeLinear = PackedLinear,
    ) -> None:
        int8 = linear is Int8Linear
        self.config = llama.config
        self.device = torch.device(device)
        self.row_multiple = 1 if int8 else ROW_MULTIPLE
        # With more rows at once, a row's bits would depend on their number.
        limited = self.device.type == "cpu" and not int8 and rounds_by_blocks(dtype)
        self.most_rows = MOST_ALIKE if limited else sys.maxsize
        self.dtype = dtype
        self.embedding = llama.model.embed_tokens.weight.detach().to(self.device, dtype, copy=True)
        ids = torch.tensor(sampled_ids, dtype=torch.int64)
        self.sampled_ids = ids.to(self.device)
        head = AlignedHead if self.device.type != "cpu" or linear is Fp8Linear else linear
        self._head = head(llama.head_weight.detach()[ids].to(self.device, dtype))
        self.norm = llama.model.norm.weight.detach().to(self.device, dtype, copy=True)
        self.layers = [
            _Layer(layer, device=self.device, dtype=dtype, linear=linear) for layer in llama.model.layers
        ]
        cos, sin = rope_table(self.config, self.config.max_position_embeddings)
        self.cos, self.sin = cos.to(self.device, dtype), sin.to(self.device, dtype)

    def prefill(self, ids: Sequence[int] | Tensor, *, cache: KVCache, slot: int, start: int = 0) -> Tensor:
        """Runs the LLM over the ids [n], and writes their keys and values to `slot`, at the positions from
        `start` on. The positions before `start` must have been filled before. Returns the hidden states [n,
        D]. Raises ValueError if the slot is too short."""
        tokens = torch.as_tensor(ids, dtype=torch.int64, device=self.device)
        n = tokens.shape[0]
        end = start + n
        if end > cache.slot_length:
            raise ValueError(f"{end} positions do not fit a slot of {cache.slot_length}")
        cos, sin = self.cos[start:end, None], self.sin[start:end, None]
        mask = torch.ones(n, end, dtype=torch.bool, device=self.device).tril(start) if start else None
        x = F.embedding(tokens, self.embedding)
        for layer, rows in zip(self.layers, cache.rows, strict=True):
            keys, values = (row.narrow(2, 0, end) for row in rows[slot])
            q, k, v = self._project(layer, x, cos, sin)  # [n, heads, head_dim]
            keys[0, :, start:] = k.transpose(0, 1)
            values[0, :, start:] = v.transpose(0, 1)
            q = q.transpose(0, 1)[None]
            if cache.of_prefill is not None:
                cache.of_prefill.append(q[0])
            with attending(q):
                y = F.scaled_dot_product_attention(
                    q, keys, values, mask, is_causal=mask is None, enable_gqa=True
                )  # [1, heads, n, head_dim]
            x = self._finish(layer, x, y[0].transpose(0, 1).flatten(1))
        return self._normalize(x, self.norm)

    def decode(
        self,
        ids: Sequence[int] | Tensor,
        *,
        cache: KVCache,
        slots: Sequence[int],
        lengths: Sequence[int],
        row_multiple: int | None = None,
    ) -> Tensor:
        """Feeds one id to each row: ids[i] goes to slots[i], of which lengths[i] positions are filled. Writes
        the id's keys and values to the slot's next position. Returns the hidden states [B, D]. Raises
        ValueError if a slot is full.

        On the CPU the products are padded to a multiple of `row_multiple` rows. None takes the runner's own
        multiple.
        """
        self.require_room(cache, lengths)
        tokens = torch.as_tensor(ids, dtype=torch.int64, device=self.device)
        at = torch.tensor((slots, lengths), dtype=torch.int64, device=self.device)  # [2, B]
        n = len(slots)
        padding = -n % (row_multiple or self.row_multiple)
        positions = F.pad(at[1], (0, padding))
        cos, sin = self.cos[positions][:, None], self.sin[positions][:, None]
        x = F.pad(F.embedding(tokens, self.embedding), (0, 0, 0, padding))  # [P, D]
        unread = x.new_zeros(padding, *self._grouped_shape[1:])  # the padding rows' result of the attention
        for index, layer in enumerate(self.layers):
            q, k, v = self._project(layer, x, cos, sin)
            cache.keys[index][at[0], :, at[1]] = k[:n]
            cache.values[index][at[0], :, at[1]] = v[:n]
            if cache.followed and cache.followed.layer == index:
                cache.queries[at[0], at[1]] = q[:n, cache.followed.number]
            queries = self._grouped(q)[:, None].unbind(0)
            with attending(queries[0]):
                outputs = []
                for query, slot, length in zip(queries, slots, lengths, strict=False):
                    keys, values = cache.rows[index][slot]
                    outputs.append(
                        F.scaled_dot_product_attention(
                            query, keys.narrow(2, 0, length + 1), values.narrow(2, 0, length + 1)
                        )
                    )  # [1, kv_heads, group, head_dim]
            y = torch.cat([*outputs, unread]) if padding else torch.cat(outputs)
            x = self._finish(layer, x, y.flatten(1))
        return self._normalize(x, self.norm)[:n]

    @staticmethod
    def require_room(cache: KVCache, lengths: Sequence[int]) -> None:
        """Raises ValueError if a slot with `lengths` filled positions has no room for another."""
        if max(lengths) >= cache.slot_length:
            raise ValueError(f"{max(lengths) + 1} positions do not fit a slot of {cache.slot_length}")

    def decode_slots(self, ids: Tensor, lengths: Tensor, *, cache: KVCache) -> Tensor:
        """Decodes all n slots with tensors alone, so that it can be captured: ids[i] goes to slot i, of which
        lengths[i] positions are filled. Writes the id's keys and values to the slot's next position. Returns
        the hidden states [n, D].

        All rows attend over all positions under a mask, so the whole cache must hold finite numbers. For a
        slot without a row, give any id and the slot's last position. This is harmless: a row that reaches the
        last position writes the position before reading it.
        """
        rows = torch.arange(len(ids), device=self.device)
        unseen = torch.arange(cache.slot_length, device=self.device) > lengths[:, None]
        mask = torch.zeros(unseen.shape, dtype=self.dtype, device=self.device)
        mask = mask.masked_fill_(unseen, -torch.inf)[:, None, None]  # [n, 1, 1, slot_length]
        cos, sin = self.cos[lengths][:, None], self.sin[lengths][:, None]
        x = F.embedding(ids, self.embedding)
        for index, (layer, keys, values) in enumerate(
            zip(self.layers, cache.keys, cache.values, strict=True)
        ):
            q, k, v = self._project(layer, x, cos, sin)
            keys[rows, :, lengths], values[rows, :, lengths] = k, v
            if cache.followed and cache.followed.layer == index:
                cache.queries[rows, lengths] = q[:, cache.followed.number]
            y = F.scaled_dot_product_attention(self._grouped(q), keys, values, mask)
            x = self._finish(layer, x, y.flatten(1))
        return self._normalize(x, self.norm)

    @property
    def _grouped_shape(self) -> tuple[int, int, int, int]:
        return (-1, self.config.num_key_value_heads, self.config.group_size, self.config.head_dim)

    def _grouped(self, q: Tensor) -> Tensor:
        """[B, heads, head_dim] -> [B, kv_heads, group, head_dim]. The heads of a group share keys."""
        return q.reshape(self._grouped_shape)

    def _project(self, layer: _Layer, x: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Returns q, k and v of the hidden states x [rows, D], each as [rows, number of its heads, head_dim].
        q and k are rotated by their positions."""
        heads, kv_heads = self.config.num_attention_heads, self.config.num_key_value_heads
        qkv = layer.qkv(self._normalize(x, layer.attention_norm)).view(x.shape[0], -1, self.config.head_dim)
        qk = rotate(qkv[:, : heads + kv_heads], cos, sin)
        return qk[:, :heads], qk[:, heads:], qkv[:, heads + kv_heads :]

    def _finish(self, layer: _Layer, x: Tensor, attended: Tensor) -> Tensor:
        """Computes the rest of a layer after the attention: adds the output projection of `attended` to x,
        then the feed-forward."""
        x = x + layer.output(attended)
        gate, up = layer.gate_up(self._normalize(x, layer.mlp_norm)).chunk(2, -1)
        with whole_vectors(gate):
            gate = F.silu(gate)
        return x + layer.down(gate * up)

    def _normalize(self, x: Tensor, weight: Tensor) -> Tensor:
        return F.rms_norm(x, weight.shape, weight, self.config.rms_norm_eps)

    def logits(self, hidden: Tensor, *, row_multiple: int | None = None) -> Tensor:
        """Returns the logits [B, n] float32 of the hidden states [B, D], with a column for each of
        `sampled_ids`. On the CPU the rows are padded to a multiple of `row_multiple` (None takes the runner's
        own), so that a row's result does not depend on B."""
        n = hidden.shape[0]
        n_padding = -n % (row_multiple or self.row_multiple) if self.device.type == "cpu" else 0
        padded = F.pad(hidden, (0, 0, 0, n_padding)) if n_padding else hidden
        return self._head(padded)[:n].float()
