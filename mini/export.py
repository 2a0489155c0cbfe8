"""Writes the mini checkpoint in the official layout, in half precision, from the training states.

python -m mini.export       .mini/* -> glm_tts_api/assets/mini
"""

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import torch
import yaml
from safetensors.torch import save_file
from torch import Tensor

from glm_tts_api.settings import BUNDLED_MODEL
from mini.flow import flow_config
from mini.llm import open_vocabulary
from mini.llm_model import TEMPERATURE, LlmSize, TrainingLlama
from mini.program import Program
from mini.speech_encoder import EncoderConfig
from mini.vocabulary import Vocabulary

GENERATOR = "generator_jit.ckpt"
MAX_BYTES = 70_000_000
LONGEST_SEGMENT = 30  # a longer one now and then stops early (model card)
_FAR = 100.0  # the value of a codebook row that is never the nearest to a vector


def _half(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k: (v.half() if v.is_floating_point() else v).contiguous() for k, v in weights.items()}


def _write_json(path: Path, content: dict[str, object]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n")


def _room(out: Path, name: str) -> Path:
    folder = out / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def export_llm(folder: Path, out: Path) -> Vocabulary:
    """Writes the LLM and the text tokenizer, and returns the vocabulary.

    The composed rows of the embedding become one plain table. The temperature is folded into the last norm: a
    value below 1 makes the distribution sharper.
    """
    vocabulary, factors = open_vocabulary(folder)
    size = LlmSize()
    model = TrainingLlama(size, n_ids=len(vocabulary), factors=factors)
    model.load_state_dict(torch.load(folder / "llm" / "state.pt", weights_only=True)["model"])
    weights = {f"model.{k}": v for k, v in model.state_dict().items() if k.startswith(("layers.", "norm."))}
    weights["model.norm.weight"] = weights["model.norm.weight"] / TEMPERATURE
    with torch.no_grad():
        weights["model.embed_tokens.weight"] = model.table().detach()
    room = _room(out, "llm")
    save_file(_half(weights), room / "model.safetensors", metadata={"format": "pt"})
    _write_json(room / "config.json", {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu",
        "vocab_size": len(vocabulary), "hidden_size": size.dim, "intermediate_size": size.ffn_dim,
        "num_hidden_layers": size.layers, "num_attention_heads": size.heads,
        "num_key_value_heads": size.heads,
        "head_dim": size.dim // size.heads, "max_position_embeddings": size.max_positions,
        "rms_norm_eps": 1e-5,
        "rope_theta": size.rope_theta, "tie_word_embeddings": True, "torch_dtype": "float16",
        "longest_segment": LONGEST_SEGMENT,
    })  # fmt: skip
    vocabulary.save(_room(out, "vq32k-phoneme-tokenizer"))
    return vocabulary


def export_tokenizer(folder: Path, out: Path) -> None:
    config = EncoderConfig()
    state = torch.load(folder / "tokenizer" / "state.pt", weights_only=True)["encoder"]
    weights = {f"model.encoder.{k}": v.clone() for k, v in state.items() if not k.startswith("ema_")}
    weights["model.encoder.codebook.weight"] = weights.pop("model.encoder.codebook")
    weights["model.encoder.codebook.weight"][0] = _FAR
    room = _room(out, "speech_tokenizer")
    save_file(_half(weights), room / "model.safetensors", metadata={"format": "pt"})
    _write_json(room / "config.json", {
        "model_type": "whisper", "d_model": config.dim, "encoder_attention_heads": config.heads,
        "encoder_ffn_dim": config.ffn_dim, "encoder_layers": config.layers, "num_mel_bins": config.n_mel,
        "max_source_positions": config.max_positions, "pooling_kernel_size": 2, "pooling_type": "avg",
        "pooling_position": config.layers, "quantize_position": config.layers,
        "quantize_vocab_size": config.n_codes, "quantize_causal_encoder": False,
        "quantize_causal_block_size": config.block_size,
    })  # fmt: skip
    _write_json(room / "preprocessor_config.json", {
        "feature_extractor_type": "WhisperFeatureExtractor", "feature_size": config.n_mel,
        "sampling_rate": 16000,
        "hop_length": 160, "n_fft": 400, "chunk_length": 30, "n_samples": 480000, "nb_max_frames": 3000,
        "padding_side": "right", "padding_value": 0.0, "return_attention_mask": False,
    })  # fmt: skip


def export_flow(folder: Path, out: Path) -> None:
    weights = torch.load(folder / "calm_flow" / "state.pt", weights_only=True)["average"]
    room = _room(out, "flow")
    torch.save({"model": {f"estimator.{k}": v for k, v in _half(weights).items()}}, room / "flow.pt")
    sizes = asdict(flow_config())
    sizes["vocab_size"] = sizes.pop("text_vocab_size")
    official = {"spkr_emb_adaLN": True, "speech_token_cfg": False, "remove_spkr_concat_condition": True}
    body = yaml.safe_dump({**official, **sizes}, sort_keys=False)
    indented = "".join(f"  {line}\n" for line in body.splitlines())
    (room / "config.yaml").write_text(f"flow: !new:flow.flow.Flow\n{indented}")


def export_vocoders(folder: Path, out: Path) -> None:
    """Writes the trained HiFT and the trained 32 kHz generator."""
    room = _room(out, "hift")
    torch.save(_half(torch.load(folder / "hift" / "best.pt", weights_only=True)), room / "hift.pt")
    shutil.copyfile(folder / "hift" / "config.json", room / "config.json")
    shutil.copyfile(folder / "vocos2d" / GENERATOR, _room(out, "vocos2d") / GENERATOR)


def main() -> None:
    parser = Program(__doc__)
    args, out = parser.parse_args(), BUNDLED_MODEL
    vocabulary = export_llm(args.folder, out)
    export_tokenizer(args.folder, out)
    export_flow(args.folder, out)
    export_vocoders(args.folder, out)
    shutil.copyfile(args.folder / "speaker" / "campplus.onnx", _room(out, "frontend") / "campplus.onnx")
    sizes = {p.relative_to(out): p.stat().st_size for p in sorted(out.rglob("*")) if p.is_file()}
    for name, size in sizes.items():
        print(f"{size / 1e6:8.3f} MB  {name}")
    total = sum(sizes.values())
    print(f"{total / 1e6:8.3f} MB  {len(vocabulary)} ids")
    if total > MAX_BYTES:
        raise SystemExit(f"{total} bytes are more than {MAX_BYTES}")


if __name__ == "__main__":
    main()
