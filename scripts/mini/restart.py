"""Makes training states from the shipped weights, if .mini was lost. Moments and schedule start anew.

    python -m scripts.mini.restart      then codes, llm and flow go on from the checkpoint
    python -m scripts.mini.restart --parts speaker tokenizer hift flow     for other speech

The state of the speech tokenizer has no training decoder. A new decoder is trained before the encoder's
training continues.
"""

import argparse
import shutil
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from safetensors.torch import load_file
from torch import Tensor

from scripts.mini.composition import compose
from scripts.mini.espeak import Espeak
from scripts.mini.llm import open_vocabulary
from scripts.mini.llm_model import SCALE, LlmSize, TrainingLlama
from scripts.mini.prompts import ASSETS
from scripts.mini.sentences import SentenceMaker
from scripts.mini.vocabulary import Vocabulary

VOCABULARY = "vq32k-phoneme-tokenizer"
PARTS = ("speaker", "tokenizer", "hift", "llm", "flow")


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


def fit_factors(table: Tensor, factors: Tensor, *, ridge: float = 1.0) -> Tensor:
    """Returns factor rows [f, dim] whose product with `factors` [n, f] is nearest to `table` [n, dim].

    The rows are the solution of a ridge regression with the weight `ridge`.
    """
    gram = factors.T @ factors + ridge * torch.eye(factors.shape[1])
    rows: Tensor = torch.linalg.solve(gram, factors.T @ table)
    return rows


def _ids(vocabulary: Vocabulary) -> dict[str | bytes, int]:
    """Maps each token to its id. Ordinary tokens are bytes, and added tokens are strings."""
    ids: dict[str | bytes, int] = {token: index for index, token in enumerate(vocabulary.ranks)}
    ids.update(vocabulary.added.items())
    return ids


def llm_weights(assets: Path, folder: Path, *, temperature: float) -> dict[str, Tensor]:
    """Returns a training state of the LLM from the shipped weights.

    The shipped embedding table is split into factor rows and own rows again, token by token, since the
    vocabulary may have changed meanwhile. `temperature` is the one that the export used.
    """
    vocabulary, factors = open_vocabulary(folder)
    model = TrainingLlama(LlmSize(), n_ids=len(vocabulary), factors=factors)
    stored = load_file(assets / "llm" / "model.safetensors")
    weights = {k.removeprefix("model."): v.float() for k, v in stored.items()}
    weights["norm.weight"] *= temperature
    table = weights.pop("embed_tokens.weight") / SCALE
    shipped, maker, engine = Vocabulary.load(assets / VOCABULARY), SentenceMaker(), Espeak(folder)
    of_shipped, shipped_names = compose(shipped, maker, engine)
    _, names = compose(vocabulary, maker, engine)
    fitted = dict(zip(shipped_names, fit_factors(table[: shipped.n_text], of_shipped), strict=True))
    where, tokens = _ids(shipped), _ids(vocabulary)
    with torch.no_grad():
        for row, name in zip(model.factor_rows.weight, names, strict=True):
            row.copy_(fitted.get(name, torch.zeros(())))
        composed = factors @ model.factor_rows.weight
        for token, i in tokens.items():
            if token in where:
                own = table[where[token]]
                model.rows.weight[i] = 2 * (own - composed[i]) if i < vocabulary.n_text else own
    return {**model.state_dict(), **weights}


def flow_weights(assets: Path) -> dict[str, Tensor]:
    stored = torch.load(assets / "flow" / "flow.pt", weights_only=True)["model"]
    return {k.removeprefix("estimator."): v.float() for k, v in stored.items()}


def hift_weights(assets: Path) -> dict[str, Tensor]:
    stored = torch.load(assets / "hift" / "hift.pt", weights_only=True)
    return {k: v.float() for k, v in stored.items()}


def restore_speaker(network: Path, out: Path) -> None:
    """Copies the shipped speaker encoder to `out`, and writes its matrix, which the flow's training needs."""
    out.mkdir(parents=True, exist_ok=True)
    constants = {c.name: numpy_helper.to_array(c) for c in onnx.load(str(network)).graph.initializer}
    projection = {name: torch.from_numpy(constants[name].copy()) for name in ("mean", "matrix")}
    torch.save(projection, out / "projection.pt")
    shutil.copyfile(network, out / "campplus.onnx")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=Path, default=ASSETS)
    parser.add_argument("--folder", type=Path, default=Path(".mini"))
    parser.add_argument("--temperature", type=float, default=0.6, help="as at export")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    args = parser.parse_args()
    if "speaker" in args.parts:
        restore_speaker(args.assets / "frontend" / "campplus.onnx", args.folder / "speaker")
    if "tokenizer" in args.parts:
        _save(args.folder / "tokenizer", {"encoder": encoder_weights(args.assets)})
    if "hift" in args.parts:
        _save(args.folder / "hift", {"model": hift_weights(args.assets)})
    if "llm" in args.parts:
        llm = llm_weights(args.assets, args.folder, temperature=args.temperature)
        _save(args.folder / "llm", {"model": llm})
    if "flow" in args.parts:
        flow = flow_weights(args.assets)
        _save(args.folder / "flow", {"model": flow, "average": {k: v.clone() for k, v in flow.items()}})


if __name__ == "__main__":
    main()
