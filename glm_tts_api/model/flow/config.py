"""The sizes of the flow, which are read from flow/config.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

CONV_POS_GROUPS = 16
NORM_EPS = 1e-6
MAX_STEPS = 100  # as of FLOW_STEPS
BIG_MODEL = {"trans_dim": 1024, "depth": 22, "heads": 16}
OFFICIAL_NAMES = {"vocab_size": "text_vocab_size"}
SWITCHES = {  # published switches, and the only value of each that is supported (the official one)
    "spkr_emb_adaLN": True,
    "speech_token_cfg": False,
    "remove_spkr_concat_condition": True,
    "use_wavlm_emb": False,
}


@dataclass(frozen=True, slots=True)
class FlowConfig:
    """The sizes of the flow. The defaults are the official sizes. Each field may be a key of
    flow/config.yaml.

    `text_vocab_size` is the number of speech tokens (the embedding table has one more row). `mel_framerate`
    is the number of mel frames a second, `input_frame_rate` the number of speech tokens a second. `cfg_rate`
    is the weight of the classifier-free guidance. `steps` is the number of Euler steps. The official file has
    no such key.
    """

    mel_dim: int = 80
    trans_dim: int = 768
    depth: int = 18
    heads: int = 12
    dim_head: int = 64
    ff_mult: int = 2
    text_emb_dim: int = 512
    conv_layers: int = 4
    text_vocab_size: int = 100000
    spk_dim: int = 192
    mel_framerate: float = 50
    input_frame_rate: float = 25
    cfg_rate: float = 0.7
    steps: int = 10

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            whole = item.type == "int"
            if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)) or value <= 0:
                kind = "integer" if whole else "number"
                raise ValueError(f"flow: {item.name} must be a positive {kind}, got {value!r}")
        if self.steps > MAX_STEPS:
            raise ValueError(f"flow: steps must be at most {MAX_STEPS}, got {self.steps}")
        if self.trans_dim % CONV_POS_GROUPS:
            raise ValueError(f"flow: trans_dim must be a multiple of {CONV_POS_GROUPS}, got {self.trans_dim}")
        if self.dim_head % 2 or self.text_emb_dim % 2:
            raise ValueError("flow: dim_head and text_emb_dim must be even")

    @classmethod
    def from_yaml(cls, path: Path) -> FlowConfig:
        """Reads the mapping `flow:` of config.yaml. YAML's object tags are ignored, so no object is built
        from them. Raises ValueError where the mapping is missing or a value is not supported."""
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=_TaglessLoader)
        if not isinstance(document, dict) or not isinstance(document.get("flow"), dict):
            raise ValueError(f"{path} has no `flow:` mapping")
        return cls.from_dict(document["flow"])

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> FlowConfig:
        """Makes the config from a mapping of official names and of the field names here. Unknown keys are
        ignored. Raises ValueError for a switch with a value that is not supported."""
        for switch, supported in SWITCHES.items():
            if switch in raw and bool(raw[switch]) is not supported:
                raise ValueError(f"flow: {switch}={raw[switch]!r} is not supported, only {supported}")
        known = {item.name for item in fields(cls)}
        renamed = {OFFICIAL_NAMES.get(name, name): value for name, value in raw.items()}
        sizes = BIG_MODEL if raw.get("big_model") else {}
        return cls(**{**sizes, **{name: value for name, value in renamed.items() if name in known}})


class _TaglessLoader(yaml.SafeLoader):
    """A YAML loader that ignores a node's object tag and reads the node as plain data."""


def _plain(loader: _TaglessLoader, _suffix: str, node: yaml.Node) -> object:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.ScalarNode)
    return loader.construct_scalar(node)


_TaglessLoader.add_multi_constructor("!", _plain)
