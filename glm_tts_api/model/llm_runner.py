"""The LLM packed for serving: many rows, each at its own length, one forward a step.

A row's result does not depend on its neighbours. On the CPU, products run on packed weights with the rows
padded to a multiple of 4, and every row attends alone over exactly its own positions. On CUDA, Triton's
kernels (triton_decode.py) hold to that; by the operators here, rows attend together under a mask.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.linear import ROW_MULTIPLE, AlignedHead, Int8Linear, Linear, PackedLinear
from glm_tts_api.model.llm import Llama, rope_table, rotate
from glm_tts_api.model.threads import attending, whole_vectors

KEY_BUCKET = 128  # CUDA: keys are read in multiples of this, so that few shapes occur
_MASK_MULTIPLE = 16


class _Layer:
    """One layer's weights, those that read the same input fused."""

    def __init__(
        self,
        layer: torch.nn.Module,
        *,
        device: torch.device,
        dtype: torch.dtype,
        linear: Callable[[Tensor], Linear],
    ) -> None:
        def fused(*names: str) -> Linear:
            weights = [layer.get_parameter(f"{name}.weight").detach() for name in names]
            return linear(torch.cat([weight.to(device, dtype) for weight in weights]))

        def vector(name: str) -> Tensor:
            return layer.get_parameter(f"{name}.weight").detach().to(device, dtype, copy=True)

        self.attention_norm = vector("input_layernorm")
        self.qkv = fused("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")
        self.output = fused("self_attn.o_proj")
        self.mlp_norm = vector("post_attention_layernorm")
        self.gate_up = fused("mlp.gate_proj", "mlp.up_proj")
        self.down = fused("mlp.down_proj")


def causal_mask(n: int, start: int, *, group: int, device: torch.device | str, dtype: torch.dtype) -> Tensor:
    """The mask of the positions that the queries at start.. may not see, [group * n, start + n]: 0 or -inf,
    to be added.

    Rows begin aligned: others would be copied in each layer.
    """
    end = start + n
    mask = torch.full((n, -(-end // _MASK_MULTIPLE) * _MASK_MULTIPLE), -torch.inf, device=device, dtype=dtype)
    return mask.triu_(start + 1).repeat(group, 1)[:, :end]


def attend_in_groups(q: Tensor, keys: Tensor, values: Tensor, mask: Tensor) -> Tensor:
    """Grouped-query attention under a mask, heads that share keys as one longer run of queries.

    On CUDA no fused kernel takes both a mask and groups, and the plain one multiplies in float32.
    q [1, heads, n, head_dim], keys and values [1, kv_heads, m, head_dim], mask [group * n, m] -> as q.
    """
    y = F.scaled_dot_product_attention(q.reshape(1, keys.shape[1], -1, q.shape[-1]), keys, values, mask)
    return y.reshape(q.shape)


class LlmRunner:
    """Prefills slots of a cache and decodes batches of them. To be called under torch.inference_mode.

    `llama` may lie on the CPU, memory-mapped, in any dtype: it is copied layer by layer to `device` as
    `dtype` and not kept. `sampled_ids` are the vocabulary ids that `logits` computes. `int8` products read
    8-bit weights (on the CPU); everything between them stays in `dtype`. The attributes without underscores
    are for another forward over the same weights.
    """

    def __init__(
        self,
        llama: Llama,
        *,
        sampled_ids: Sequence[int],
        device: torch.device | str,
        dtype: torch.dtype,
        int8: bool = False,
    ) -> None:
        linear: Callable[[Tensor], Linear] = Int8Linear if int8 else PackedLinear
        self.config = llama.config
        self.device = torch.device(device)
        self.dtype = dtype
        self.embedding = llama.model.embed_tokens.weight.detach().to(self.device, dtype, copy=True)
        ids = torch.tensor(sampled_ids, dtype=torch.int64)
        self.sampled_ids = ids.to(self.device)
        head = linear if self.device.type == "cpu" else AlignedHead
        self._head = head(llama.head_weight.detach()[ids].to(self.device, dtype))
        self.norm = llama.model.norm.weight.detach().to(self.device, dtype, copy=True)
        self.layers = [
            _Layer(layer, device=self.device, dtype=dtype, linear=linear) for layer in llama.model.layers
        ]
        cos, sin = rope_table(self.config, self.config.max_position_embeddings)
        self.cos, self.sin = cos.to(self.device, dtype), sin.to(self.device, dtype)

    def prefill(self, ids: Sequence[int] | Tensor, *, cache: KVCache, slot: int, start: int = 0) -> Tensor:
        """Reads ids [n] into `slot` at positions start.. after what is there; hidden states [n, D]."""
        tokens = torch.as_tensor(ids, dtype=torch.int64, device=self.device)
        n = tokens.shape[0]
        end = start + n
        if end > cache.slot_length:
            raise ValueError(f"{end} positions do not fit a slot of {cache.slot_length}")
        cos, sin = self.cos[start:end, None], self.sin[start:end, None]
        on_cpu, mask = self.device.type == "cpu", None
        if start and on_cpu:
            mask = torch.ones(n, end, dtype=torch.bool, device=self.device).tril(start)
        elif start:
            group = self.config.group_size
            mask = causal_mask(n, start, group=group, device=self.device, dtype=self.dtype)
        x = F.embedding(tokens, self.embedding)
        for layer, rows in zip(self.layers, cache.rows, strict=True):
            keys, values = (row.narrow(2, 0, end) for row in rows[slot])
            q, k, v = self._project(layer, x, cos, sin)  # [n, heads, head_dim]
            keys[0, :, start:] = k.transpose(0, 1)
            values[0, :, start:] = v.transpose(0, 1)
            q = q.transpose(0, 1)[None]
            if mask is not None and not on_cpu:
                y = attend_in_groups(q, keys, values, mask)
            else:
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
        row_multiple: int = ROW_MULTIPLE,
    ) -> Tensor:
        """One id a row: ids[i] goes to slots[i], where lengths[i] positions are taken; hidden [B, D].

        On the CPU the products are padded to a multiple of `row_multiple` rows.
        """
        if max(lengths) >= cache.slot_length:
            raise ValueError(f"{max(lengths) + 1} positions do not fit a slot of {cache.slot_length}")
        tokens = torch.as_tensor(ids, dtype=torch.int64, device=self.device)
        at = torch.tensor((slots, lengths), dtype=torch.int64, device=self.device)  # [2, B]
        if self.device.type == "cpu":
            return self._decode_apart(tokens, at, cache, slots, lengths, row_multiple)
        n_slots = max(slots) + 1
        fed, taken = at.new_zeros(n_slots), at.new_full((n_slots,), cache.slot_length - 1)
        fed[at[0]], taken[at[0]] = tokens, at[1]
        n_keys = min(-(-(max(lengths) + 1) // KEY_BUCKET) * KEY_BUCKET, cache.slot_length)
        return self.decode_slots(fed, taken, cache=cache, n_keys=n_keys)[at[0]]

    def decode_slots(self, ids: Tensor, lengths: Tensor, *, cache: KVCache, n_keys: int) -> Tensor:
        """As `decode` on tensors alone, for the first slots: ids[i] goes to slot i; hidden [n, D].

        All rows attend over the first `n_keys` positions under a mask, so those must hold finite numbers. A
        slot that has nothing to decode takes any id at its last position: a row that comes to that position
        writes it before it reads it.
        """
        n = ids.shape[0]
        rows = torch.arange(n, device=self.device)
        unseen = torch.arange(n_keys, device=self.device) > lengths[:, None]
        mask = torch.zeros(n, n_keys, dtype=self.dtype, device=self.device)
        mask = mask.masked_fill_(unseen, -torch.inf)[:, None, None]  # [n, 1, 1, n_keys]
        cos, sin = self.cos[lengths][:, None], self.sin[lengths][:, None]
        x = F.embedding(ids, self.embedding)
        for layer, keys, values in zip(self.layers, cache.keys, cache.values, strict=True):
            q, k, v = self._project(layer, x, cos, sin)
            keys[rows, :, lengths], values[rows, :, lengths] = k, v
            y = F.scaled_dot_product_attention(
                self._grouped(q), keys[:n, :, :n_keys], values[:n, :, :n_keys], mask
            )  # [n, kv_heads, group, head_dim]
            x = self._finish(layer, x, y.flatten(1))
        return self._normalize(x, self.norm)

    def _decode_apart(
        self,
        ids: Tensor,
        at: Tensor,
        cache: KVCache,
        slots: Sequence[int],
        lengths: Sequence[int],
        row_multiple: int,
    ) -> Tensor:
        n = len(slots)
        padding = -n % row_multiple
        positions = F.pad(at[1], (0, padding))
        cos, sin = self.cos[positions][:, None], self.sin[positions][:, None]
        x = F.pad(F.embedding(ids, self.embedding), (0, 0, 0, padding))  # [P, D]
        unread = x.new_zeros(padding, *self._grouped_shape[1:])  # padding rows "attend" to these
        for index, layer in enumerate(self.layers):
            q, k, v = self._project(layer, x, cos, sin)
            cache.keys[index][at[0], :, at[1]] = k[:n]
            cache.values[index][at[0], :, at[1]] = v[:n]
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

    @property
    def _grouped_shape(self) -> tuple[int, int, int, int]:
        return (-1, self.config.num_key_value_heads, self.config.group_size, self.config.head_dim)

    def _grouped(self, q: Tensor) -> Tensor:
        """[B, heads, head_dim] -> [B, kv_heads, group, head_dim]: a group's heads share keys."""
        return q.reshape(self._grouped_shape)

    def _project(self, layer: _Layer, x: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """[rows, D] -> rotated q and k, and v, each [rows, its heads, head_dim]."""
        heads, kv_heads = self.config.num_attention_heads, self.config.num_key_value_heads
        qkv = layer.qkv(self._normalize(x, layer.attention_norm)).view(x.shape[0], -1, self.config.head_dim)
        qk = rotate(qkv[:, : heads + kv_heads], cos, sin)
        return qk[:, :heads], qk[:, heads:], qkv[:, heads + kv_heads :]

    def _finish(self, layer: _Layer, x: Tensor, attended: Tensor) -> Tensor:
        """The rest of a layer: output projection and feed-forward, each added to x."""
        x = x + layer.output(attended)
        gate, up = layer.gate_up(self._normalize(x, layer.mlp_norm)).chunk(2, -1)
        with whole_vectors(gate):
            gate = F.silu(gate)
        return x + layer.down(gate * up)

    def _normalize(self, x: Tensor, weight: Tensor) -> Tensor:
        return F.rms_norm(x, weight.shape, weight, self.config.rms_norm_eps)

    def logits(self, hidden: Tensor, *, row_multiple: int = ROW_MULTIPLE) -> Tensor:
        """[B, D] -> [B, n] float32, a column for each of `sampled_ids`; rows independent of their number."""
        n = hidden.shape[0]
        padded = F.pad(hidden, (0, 0, 0, -n % row_multiple)) if self.device.type == "cpu" else hidden
        return self._head(padded)[:n].float()
