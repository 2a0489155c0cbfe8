"""Writes a checkpoint of the official layout whose weights are made by a rule instead of by training.

    python -m bench.make_synthetic_checkpoint DIR [--size official|tiny]

Such a checkpoint serves benchmarks, and tests of loading a full-size checkpoint without the official weights.
`official` needs 11 GB of disk, and writes one shard after the other.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import onnx
import torch
import yaml
from onnx import TensorProto, helper, numpy_helper
from safetensors.torch import save_file
from torch import Tensor, nn

from bench.arguments import Arguments
from glm_tts_api.model.flow import FlowConfig, FlowMatching
from glm_tts_api.model.flow.dit import Rotary
from glm_tts_api.model.llm import Llama, LlmConfig
from glm_tts_api.model.speech_tokenizer import KEY_PREFIX, SpeechTokenizer, SpeechTokenizerConfig
from glm_tts_api.model.vocoder import HiFT, HiftConfig
from scripts.checks.parity.fill import Shapes, fill, iter_fill, rnd

SALT = "synthetic"
SHARD_BYTES = 10**9  # one shard at a time is in memory
FIRST_HANZI, LAST_HANZI = 0x4E00, 0x9FA5
SPECIAL = (
    "<|endoftext|>", "[MASK]", "[gMASK]", "[sMASK]", "<sop>", "<eop>", "<|system|>", "<|user|>",
    "<|assistant|>", "<|observation|>", "<|begin_of_image|>", "<|end_of_image|>", "<|begin_of_video|>",
    "<|end_of_video|>", "<|begin_of_audio|>", "<|end_of_audio|>",
)  # fmt: skip
LAST_AUDIO = "<|audio_32767|>"
PREPROCESSOR = {
    "chunk_length": 30, "feature_extractor_type": "WhisperFeatureExtractor", "feature_size": 128,
    "hop_length": 160, "n_fft": 400, "n_samples": 480000, "nb_max_frames": 3000, "padding_side": "right",
    "padding_value": 0.0, "return_attention_mask": False, "sampling_rate": 16000,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The text tokenizer's ids: `n_ranks` ordinary ones, special ones, `n_speech` from `audio_start` on."""

    n_ranks: int
    audio_start: int
    n_speech: int

    def added(self) -> dict[str, int]:
        tokens = {content: self.n_ranks + index for index, content in enumerate(SPECIAL)}
        tokens |= {f"<|audio_{index}|>": self.audio_start + index for index in range(self.n_speech)}
        tokens.setdefault(LAST_AUDIO, self.audio_start + self.n_speech)
        return tokens

    def ranks(self) -> list[bytes]:
        """Returns the ordinary tokens: bytes, byte pairs, Hanzi, and filler that no text contains."""
        hanzi = [chr(code).encode() for code in range(FIRST_HANZI, LAST_HANZI + 1)]
        pairs = sorted({token[:2] for token in hanzi})
        ranks = [*(bytes([value]) for value in range(256)), *pairs, *hanzi]
        filler = (f"<|UNUSED_pad_{index}|>".encode() for index in range(self.n_ranks - len(ranks)))
        return [*ranks, *filler][: self.n_ranks]


@dataclass(frozen=True, slots=True)
class Size:
    vocabulary: Vocabulary
    llm: LlmConfig
    flow: FlowConfig
    hift: HiftConfig
    speech_tokenizer: SpeechTokenizerConfig


def sizes() -> dict[str, Size]:
    official = Vocabulary(n_ranks=59246, audio_start=61498, n_speech=32768)
    little = Vocabulary(n_ranks=22000, audio_start=22016, n_speech=1024)
    return {
        "official": Size(official, LlmConfig(), FlowConfig(), HiftConfig(), SpeechTokenizerConfig()),
        "tiny": Size(
            little,
            LlmConfig(
                vocab_size=23104, hidden_size=64, intermediate_size=160, num_hidden_layers=2,
                num_attention_heads=4, num_key_value_heads=2, head_dim=32,
            ),
            FlowConfig(
                trans_dim=64, depth=2, heads=2, dim_head=32, text_emb_dim=48, conv_layers=2,
                text_vocab_size=1024,
            ),
            HiftConfig(base_channels=64, f0_channels=64),
            SpeechTokenizerConfig(
                d_model=64, encoder_attention_heads=4, encoder_ffn_dim=128, quantize_position=2,
                pooling_position=2, quantize_vocab_size=1024,
            ),
        ),
    }  # fmt: skip


def write_checkpoint(root: Path, size: Size) -> None:
    """Writes all files of a checkpoint (docs/model.md 2) below `root`. Overwrites existing files."""
    write_llm(root / "llm", size)
    write_flow(root / "flow", size.flow)
    write_hift(root / "hift", size.hift)
    write_speech_tokenizer(root / "speech_tokenizer", size.speech_tokenizer)
    write_text_tokenizer(root / "vq32k-phoneme-tokenizer", size.vocabulary)
    write_vocos2d(root / "vocos2d")
    write_speaker_encoder(root / "frontend")


def shapes_of(build: type[nn.Module], config: object) -> dict[str, tuple[int, ...]]:
    with torch.device("meta"):
        module = build(config)
    return {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}


def write_llm(directory: Path, size: Size) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu"}
    _write_json(directory / "config.json", config | asdict(size.llm))
    words = size.vocabulary
    end = words.added()["<|user|>"]
    rows = [
        (0, words.audio_start, 0.3),
        (words.audio_start + words.n_speech, size.llm.vocab_size, 0.3),
        (end, end + 1, 1.5),
    ]
    shapes = shapes_of(Llama, size.llm)
    shards = list(_shards(shapes))
    names = ["model.safetensors"]
    if len(shards) > 1:
        names = [f"model-{number:05}-of-{len(shards):05}.safetensors" for number in range(1, len(shards) + 1)]
        where = {key: name for name, shard in zip(names, shards, strict=True) for key in shard}
        index = {"metadata": {"total_size": _bytes(shapes)}, "weight_map": where}
        _write_json(directory / "model.safetensors.index.json", index)
    for name, shard in zip(names, shards, strict=True):
        write_safetensors(directory / name, iter_fill(SALT, "llm", shard, rows))


def _bytes(shapes: Shapes) -> int:
    return sum(4 * math.prod(shape) for shape in shapes.values())


def _shards(shapes: Mapping[str, tuple[int, ...]]) -> Iterator[dict[str, tuple[int, ...]]]:
    shard: dict[str, tuple[int, ...]] = {}
    for key, shape in shapes.items():
        if shard and _bytes(shard) + _bytes({key: shape}) > SHARD_BYTES:
            yield shard
            shard = {}
        shard[key] = shape
    yield shard


def write_safetensors(path: Path, tensors: Iterable[tuple[str, Tensor]]) -> None:
    save_file({key: tensor.contiguous() for key, tensor in tensors}, path, metadata={"format": "pt"})


def write_flow(directory: Path, config: FlowConfig) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    weights = fill(SALT, "flow", shapes_of(FlowMatching, config))
    weights["estimator.rotary_embed.inv_freq"] = Rotary(config.dim_head).inv_freq
    torch.save({"model": weights}, directory / "flow.pt")
    official = {"spkr_emb_adaLN": True, "speech_token_cfg": False, "remove_spkr_concat_condition": True}
    changed = {name: value for name, value in asdict(config).items() if value != asdict(FlowConfig())[name]}
    body = yaml.safe_dump({**official, "mel_dim": 80, "mel_framerate": 50, "input_frame_rate": 25, **changed})
    indented = "".join(f"  {line}\n" for line in body.splitlines())
    (directory / "config.yaml").write_text(f"flow: !new:flow.flow.Flow\n{indented}", encoding="utf-8")


def write_hift(directory: Path, config: HiftConfig) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    torch.save(fill(SALT, "hift", shapes_of(HiFT, config)), directory / "hift.pt")
    if config != HiftConfig():
        _write_json(directory / "config.json", asdict(config))


def write_speech_tokenizer(directory: Path, config: SpeechTokenizerConfig) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    _write_json(directory / "config.json", asdict(config))
    _write_json(directory / "preprocessor_config.json", PREPROCESSOR)
    shapes = {KEY_PREFIX + key: shape for key, shape in shapes_of(SpeechTokenizer, config).items()}
    rows, width = shapes[KEY_PREFIX + "codebook.weight"]
    shapes |= {  # stored with the official weights, unused at inference
        KEY_PREFIX + "embed_positions2.weight": (config.max_source_positions // 2, width),
        KEY_PREFIX + "ema_count": (rows,),
        KEY_PREFIX + "ema_weight": (rows, width),
    }
    write_safetensors(directory / "model.safetensors", iter_fill(SALT, "tok", shapes))


def write_text_tokenizer(directory: Path, vocabulary: Vocabulary) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    ranks = (f"{base64.b64encode(token).decode()} {rank}\n" for rank, token in enumerate(vocabulary.ranks()))
    (directory / "tokenizer.model").write_text("".join(ranks), encoding="ascii")
    plain = dict.fromkeys(("lstrip", "rstrip", "normalized", "single_word"), False)
    added = {
        str(number): {"content": content, **plain, "special": True}
        for content, number in vocabulary.added().items()
    }
    _write_json(
        directory / "tokenizer_config.json",
        {"tokenizer_class": "ChatGLM4Tokenizer", "added_tokens_decoder": added},
    )


class _Tones(nn.Module):
    """A stand-in for the vocoder Vocos2D: turns any mel into 640 samples in -1 to 1 for each frame."""

    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Linear(80, 640)

    def forward(self, mel: Tensor) -> Tensor:
        return torch.tanh(self.out(mel)).flatten(1)


def write_vocos2d(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    module = _Tones()
    module.load_state_dict({"out.weight": rnd(1, 640, 80) * 0.02, "out.bias": rnd(2, 640) * 0.1})
    torch.jit.script(module).save(str(directory / "generator_jit.ckpt"))


def write_speaker_encoder(directory: Path) -> None:
    """Writes an ONNX model that projects filter banks [1, T, 80] to a speaker embedding [1, 192]."""
    directory.mkdir(parents=True, exist_ok=True)
    nodes = [
        helper.make_node("Mul", ["feats", "feats"], ["squares"]),
        helper.make_node("ReduceMean", ["squares"], ["power"], axes=[1], keepdims=0),
        helper.make_node("Sqrt", ["power"], ["deviation"]),
        helper.make_node("MatMul", ["deviation", "projection"], ["embedding"]),
    ]
    graph = helper.make_graph(
        nodes,
        "speaker_encoder",
        [helper.make_tensor_value_info("feats", TensorProto.FLOAT, [1, "T", 80])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [1, 192])],
        [numpy_helper.from_array((rnd(3, 80, 192) / math.sqrt(80)).numpy(), "projection")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, str(directory / "campplus.onnx"))


def _write_json(path: Path, content: Mapping[str, object]) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Arguments(__doc__)
    parser.add_argument("directory", type=Path, metavar="DIR")
    parser.add_argument("--size", choices=sizes(), default="tiny")
    args = parser.parse_args(arguments)
    write_checkpoint(args.directory, sizes()[args.size])
    total = sum(path.stat().st_size for path in args.directory.rglob("*") if path.is_file())
    print(f"Wrote {args.directory}: {args.size}, {total / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
