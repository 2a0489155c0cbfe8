"""Makes training states from the shipped weights, for other speech. Moments and schedule start anew.

    python -m mini.restart --parts hift flow

The LLM and the flow forget the speech codes, since the new speech has a tokenizer of its own.
"""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from glm_tts_api.model.vocoder.hift import HiFT, HiftConfig
from glm_tts_api.settings import BUNDLED_MODEL
from mini.flow import CODE_TABLE, flow_config
from mini.llm import open_vocabulary
from mini.llm_model import SCALE, TEMPERATURE, TrainingLlama, llm_config
from mini.program import Program

PARTS = ("hift", "llm", "flow")


def _save(folder: Path, content: dict[str, object]) -> None:
    path = folder / "state.pt"
    if path.exists():
        raise SystemExit(f"{path} exists: training goes on from there")
    folder.mkdir(parents=True, exist_ok=True)
    torch.save({**content, "step": 0, "trained_s": 0.0}, path)


def fit_factors(table: Tensor, factors: Tensor, *, ridge: float = 1.0) -> Tensor:
    """Returns factor rows [f, dim] whose product with `factors` [n, f] is nearest to `table` [n, dim].

    The rows are the solution of a ridge regression with the weight `ridge`.
    """
    gram = factors.T @ factors + ridge * torch.eye(factors.shape[1])
    rows: Tensor = torch.linalg.solve(gram, factors.T @ table)
    return rows


def llm_weights(folder: Path) -> dict[str, Tensor]:
    """Returns a training state of the LLM from the shipped weights, without rows for the codes.

    The shipped embedding table is split into factor rows and own rows again. The temperature is that of the
    export.
    """
    vocabulary, factors = open_vocabulary(folder)
    model = TrainingLlama(llm_config(), factors)
    stored = load_file(BUNDLED_MODEL / "llm" / "model.safetensors")
    weights = {k.removeprefix("model."): v.float() for k, v in stored.items()}
    weights["norm.weight"] *= TEMPERATURE
    table = weights.pop("embed_tokens.weight") / SCALE
    n_text, after = vocabulary.audio_start, vocabulary.audio_end
    fitted = fit_factors(table[:n_text], factors)
    with torch.no_grad():
        model.factor_rows.weight.copy_(fitted)
        model.rows.weight[:n_text] = 2 * (table[:n_text] - factors @ fitted)
        model.rows.weight[after:] = table[after:]
    return {**model.state_dict(), **weights}


def flow_weights() -> dict[str, Tensor]:
    """Returns the flow's weights with an empty table of codes, since a new tokenizer has other codes."""
    stored = torch.load(BUNDLED_MODEL / "flow" / "flow.pt", weights_only=True)["model"]
    weights = {k.removeprefix("estimator."): v.float() for k, v in stored.items()}
    sizes = flow_config()
    return {**weights, CODE_TABLE: torch.zeros(sizes.text_vocab_size + 1, sizes.text_emb_dim)}


def hift_weights() -> dict[str, Tensor]:
    model = HiFT(HiftConfig.from_json(BUNDLED_MODEL / "hift" / "config.json"))
    model.load_state_dict(torch.load(BUNDLED_MODEL / "hift" / "hift.pt", weights_only=True))
    return model.fold().state_dict()


def main() -> None:
    parser = Program(__doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    args = parser.parse_args()
    if "hift" in args.parts:
        _save(args.folder / "hift", {"model": hift_weights()})
    if "llm" in args.parts:
        _save(args.folder / "llm", {"model": llm_weights(args.folder)})
    if "flow" in args.parts:
        flow = flow_weights()
        _save(args.folder / "flow", {"model": flow, "average": {k: v.clone() for k, v in flow.items()}})


if __name__ == "__main__":
    main()
