"""Makes training states from the shipped weights, where .mini was lost: fresh moments, a fresh schedule.

    python -m scripts.mini.restart      then codes, llm and flow go on from the checkpoint

The speech tokenizer comes back without its throw-away decoder: enough for the codes, not for training it on.
"""

import argparse
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from scripts.mini.llm import open_vocabulary
from scripts.mini.llm_model import LlmSize, TrainingLlama
from scripts.mini.prompts import ASSETS


def _save(folder: Path, content: dict[str, object]) -> None:
    path = folder / "state.pt"
    if path.exists():
        raise SystemExit(f"{path} exists: training goes on from there")
    folder.mkdir(parents=True, exist_ok=True)
    torch.save({**content, "step": 0, "trained_s": 0.0}, path)


def encoder_weights(assets: Path) -> dict[str, Tensor]:
    stored = load_file(assets / "speech_tokenizer" / "model.safetensors")
    weights = {k.removeprefix("model.encoder."): v.float() for k, v in stored.items()}
    book = weights.pop("codebook.weight")
    return {**weights, "codebook": book, "ema_weight": book.clone(), "ema_count": torch.ones(len(book))}


def llm_weights(assets: Path, folder: Path, *, temperature: float) -> dict[str, Tensor]:
    """The folded table becomes plain rows; the factors start at nothing and are learned on top."""
    vocabulary, factors = open_vocabulary(folder)
    model = TrainingLlama(LlmSize(), n_ids=len(vocabulary), factors=factors)
    stored = load_file(assets / "llm" / "model.safetensors")
    weights = {k.removeprefix("model."): v.float() for k, v in stored.items()}
    weights["norm.weight"] *= temperature
    table = weights.pop("embed_tokens.weight")
    with torch.no_grad():
        model.factor_rows.weight.zero_()
        model.rows.weight.fill_(1.0)
        model.rows.weight.copy_(table / model.table())
    return {**model.state_dict(), **weights}


def flow_weights(assets: Path) -> dict[str, Tensor]:
    stored = torch.load(assets / "flow" / "flow.pt", weights_only=True)["model"]
    return {k.removeprefix("estimator."): v.float() for k, v in stored.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=Path, default=ASSETS)
    parser.add_argument("--folder", type=Path, default=Path(".mini"))
    parser.add_argument("--temperature", type=float, default=0.6, help="as at export")
    args = parser.parse_args()
    _save(args.folder / "tokenizer", {"encoder": encoder_weights(args.assets)})
    llm = llm_weights(args.assets, args.folder, temperature=args.temperature)
    _save(args.folder / "llm", {"model": llm})
    flow = flow_weights(args.assets)
    _save(args.folder / "flow", {"model": flow, "average": {k: v.clone() for k, v in flow.items()}})


if __name__ == "__main__":
    main()
