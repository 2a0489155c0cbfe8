"""The speech tokenizer's training starts from layers that compute what Whisper computes."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from glm_tts_api.model.speech_tokenizer import SpeechTokenizerConfig
from mini.speech_encoder import SpeechEncoder
from mini.whisper_layers import start_from_whisper

if TYPE_CHECKING:  # takes seconds, which each worker of the suite would spend
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

PARTS = {
    "self_attn_layer_norm": "self_attention/layer_norm",
    "self_attn.out_proj": "self_attention/linear_1",
    "final_layer_norm": "ffn/layer_norm",
    "fc1": "ffn/linear_0",
    "fc2": "ffn/linear_1",
}


def write(path: Path, whisper: WhisperEncoder) -> None:
    """Writes the encoder as CTranslate2 does: half precision, queries, keys and values in one tensor."""
    tensors: dict[str, torch.Tensor] = {}
    for name in ("conv1", "conv2"):
        for kind in ("weight", "bias"):
            tensors[f"encoder/{name}/{kind}"] = getattr(getattr(whisper, name), kind)
    for i, layer in enumerate(whisper.layers):
        for ours, theirs in PARTS.items():
            part = layer.get_submodule(ours)
            kinds = ("gamma", "beta") if isinstance(part, torch.nn.LayerNorm) else ("weight", "bias")
            for kind, value in zip(kinds, (part.weight, part.bias), strict=True):
                tensors[f"encoder/layer_{i}/{theirs}/{kind}"] = value
        attention = layer.self_attn
        q, k, v = attention.q_proj, attention.k_proj, attention.v_proj
        joined = f"encoder/layer_{i}/self_attention/linear_0"
        tensors[f"{joined}/weight"] = torch.cat([q.weight, k.weight, v.weight])
        tensors[f"{joined}/bias"] = torch.cat([q.bias, torch.zeros_like(q.bias), v.bias])

    def text(name: str) -> bytes:
        return struct.pack("<H", len(name) + 1) + name.encode() + b"\0"

    content = struct.pack("<I", 6) + text("WhisperSpec") + struct.pack("<II", 3, len(tensors) + 1)
    content += text("multilingual") + struct.pack("<BBI", 0, 1, 1) + b"\1"  # an integer, which is skipped
    for name, value in tensors.items():
        array = value.detach().numpy().astype(np.float16)
        content += text(name) + struct.pack(f"<B{array.ndim}I", array.ndim, *array.shape)
        content += struct.pack("<BI", 4, array.nbytes) + array.tobytes()
    path.write_bytes(content)


def test_the_layers_compute_what_whisper_computes(tmp_path: Path) -> None:
    from transformers import WhisperConfig
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

    torch.manual_seed(0)
    sizes = WhisperConfig(
        d_model=32, encoder_layers=3, encoder_attention_heads=4, encoder_ffn_dim=48, num_mel_bins=80
    )
    whisper = WhisperEncoder(sizes).eval()
    write(tmp_path / "model.bin", whisper)
    config = SpeechTokenizerConfig(
        d_model=32, encoder_attention_heads=4, encoder_ffn_dim=48, num_mel_bins=80, pooling_position=2,
        quantize_position=2, quantize_vocab_size=8, quantize_causal_block_size=1500,
    )  # fmt: skip
    encoder = SpeechEncoder(config).eval()
    start_from_whisper(encoder, tmp_path / "model.bin")
    features = torch.randn(1, 3000, 80)
    with torch.inference_mode():
        ours = encoder(features)
        theirs = whisper(features.transpose(1, 2), output_hidden_states=True).hidden_states[2]
    pooled = torch.nn.functional.avg_pool1d(theirs.transpose(1, 2), 2).transpose(1, 2)
    torch.testing.assert_close(ours, pooled, rtol=0, atol=5e-3)
