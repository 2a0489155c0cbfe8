"""Writes the weights of the mini checkpoint in half precision, from the training states.

python -m mini.export       .mini/* -> glm_tts_api/assets/mini

The sizes of the networks and the text tokenizer stay: training reads them from there too.
"""

import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from glm_tts_api.settings import BUNDLED_MODEL
from mini.llm import open_vocabulary
from mini.llm_model import TEMPERATURE, TrainingLlama, llm_config
from mini.program import Program

GENERATOR = "generator_jit.ckpt"
MAX_BYTES = 70_000_000


def _half(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k: (v.half() if v.is_floating_point() else v).contiguous() for k, v in weights.items()}


def llm_weights(folder: Path) -> dict[str, Tensor]:
    """Returns the weights of the LLM.

    The composed rows of the embedding become one plain table. The temperature is folded into the last norm: a
    value below 1 makes the distribution sharper.
    """
    _, factors = open_vocabulary(folder)
    model = TrainingLlama(llm_config(), factors)
    model.load_state_dict(torch.load(folder / "llm" / "state.pt", weights_only=True)["model"])
    weights = {f"model.{k}": v for k, v in model.state_dict().items() if k.startswith(("layers.", "norm."))}
    weights["model.norm.weight"] = weights["model.norm.weight"] / TEMPERATURE
    with torch.no_grad():
        weights["model.embed_tokens.weight"] = model.table().detach()
    return weights


def write_weights(folder: Path, out: Path) -> None:
    tokenizer = torch.load(folder / "tokenizer" / "state.pt", weights_only=True)["encoder"]
    codes = {f"model.encoder.{k}": v.clone() for k, v in tokenizer.items() if not k.startswith("ema_")}
    for weights, name in ((llm_weights(folder), "llm"), (codes, "speech_tokenizer")):
        save_file(_half(weights), out / name / "model.safetensors", metadata={"format": "pt"})
    flow = torch.load(folder / "calm_flow" / "state.pt", weights_only=True)["average"]
    estimator = {f"estimator.{k}": v for k, v in _half(flow).items()}
    torch.save({"model": estimator}, out / "flow" / "flow.pt")
    torch.save(_half(torch.load(folder / "hift" / "best.pt", weights_only=True)), out / "hift" / "hift.pt")
    shutil.copyfile(folder / "vocos2d" / GENERATOR, out / "vocos2d" / GENERATOR)
    shutil.copyfile(folder / "speaker" / "campplus.onnx", out / "frontend" / "campplus.onnx")


def main() -> None:
    args, out = Program(__doc__).parse_args(), BUNDLED_MODEL
    write_weights(args.folder, out)
    sizes = {p.relative_to(out): p.stat().st_size for p in sorted(out.rglob("*")) if p.is_file()}
    for name, size in sizes.items():
        print(f"{size / 1e6:8.3f} MB  {name}")
    total = sum(sizes.values())
    print(f"{total / 1e6:8.3f} MB")
    if total > MAX_BYTES:
        raise SystemExit(f"{total} bytes are more than {MAX_BYTES}")


if __name__ == "__main__":
    main()
