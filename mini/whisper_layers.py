"""Reads the first layers of Whisper base's encoder, with which the speech tokenizer's training starts.

The file is CTranslate2's: a header, then for each tensor its name, shape, type and bytes.
"""

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from torch import Tensor

from mini.speech_encoder import SpeechEncoder

_TYPES = {0: np.float32, 4: np.float16}
_PARTS = {
    "self_attention/layer_norm": "self_attn_layer_norm",
    "self_attention/linear_1": "self_attn.out_proj",
    "ffn/layer_norm": "final_layer_norm",
    "ffn/linear_0": "fc1",
    "ffn/linear_1": "fc2",
}
_KINDS = {"weight": "weight", "bias": "bias", "gamma": "weight", "beta": "bias"}


def _unpack(file: BinaryIO, layout: str) -> tuple[int, ...]:
    return struct.unpack("<" + layout, file.read(struct.calcsize("<" + layout)))


def _name(file: BinaryIO) -> str:
    (length,) = _unpack(file, "H")
    return file.read(length)[:-1].decode()


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Reads all floating-point tensors of a CTranslate2 model file."""
    found = {}
    with path.open("rb") as file:
        _unpack(file, "I")
        _name(file)
        _, n_tensors = _unpack(file, "II")
        for _ in range(n_tensors):
            name = _name(file)
            shape = _unpack(file, f"{_unpack(file, 'B')[0]}I")
            kind, size = _unpack(file, "BI")
            content = file.read(size)
            if kind in _TYPES:
                found[name] = torch.from_numpy(
                    np.frombuffer(content, _TYPES[kind]).reshape(shape).astype(np.float32)
                )
    return found


def start_from_whisper(encoder: SpeechEncoder, path: Path) -> None:
    """Gives `encoder` the convolutions and as many layers as it has of the model file `path`."""
    stored = read_tensors(path)
    found = dict(_of_layer(stored, "conv1", "conv1") | _of_layer(stored, "conv2", "conv2"))
    for i in range(encoder.config.quantize_position):
        for theirs, ours in _PARTS.items():
            found |= _of_layer(stored, f"layer_{i}/{theirs}", f"layers.{i}.{ours}")
        joined = _of_layer(stored, f"layer_{i}/self_attention/linear_0", "joined")
        for kind in ("weight", "bias"):
            for name, part in zip("qkv", joined[f"joined.{kind}"].chunk(3), strict=True):
                found[f"layers.{i}.self_attn.{name}_proj.{kind}"] = part
        del found[f"layers.{i}.self_attn.k_proj.bias"]  # zeros: Whisper's keys have no bias
    encoder.load_state_dict(found | {k: v for k, v in encoder.state_dict().items() if k not in found})


def _of_layer(stored: Mapping[str, Tensor], theirs: str, ours: str) -> dict[str, Tensor]:
    """Returns the tensors of one layer of the file by the names of SpeechEncoder."""
    return {
        f"{ours}.{name}": stored[f"encoder/{theirs}/{kind}"]
        for kind, name in _KINDS.items()
        if f"encoder/{theirs}/{kind}" in stored
    }
