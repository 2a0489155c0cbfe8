"""Prints how far the mel of a bfloat16 flow is from the golden mel, also with a rounded residual stream.

python -m scripts.checks.parity.flow_bf16 tests/golden/data
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from glm_tts_api.model.flow import FlowMatching
from scripts.checks.parity.fill import toks
from scripts.checks.parity.flow import OFFICIAL, make_flow, make_input
from scripts.checks.parity.golden import Golden

FILES = ("flow_tiny", OFFICIAL)


def in_bf16(golden: Golden, *, residual: bool) -> FlowMatching:
    flow = make_flow(golden.meta["dims"], golden.meta["salt"], golden.meta["shapes"]).pack(torch.bfloat16)
    if residual:
        for block in flow.estimator.transformer_blocks:
            block.register_forward_hook(_round)
    return flow


def _round(_block: nn.Module, _inputs: Any, out: Tensor) -> Tensor:
    return out.bfloat16().to(out.dtype)


def errors(golden: Golden, flow: FlowMatching) -> Iterator[Tensor]:
    """Yields the absolute errors of the mel for each case whose attention sees all frames."""
    for meta in golden.cases:
        if meta["kind"] != "flow" or meta.get("causal"):
            continue
        item = make_input(
            meta, toks(meta["tok_seed"], meta["n_tokens"])[0], torch.Generator().manual_seed(meta["seed"])
        )
        mel = flow.sample(item, steps=meta["n_timesteps"])
        expected = torch.from_numpy(golden[f"flow{meta['i']}_mel_bdt"])
        yield ((mel[:, ::4, ::3] if golden.name == OFFICIAL else mel) - expected).abs()


def main() -> None:
    as_written = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=as_written)
    parser.add_argument("directory", type=Path, metavar="DIR")
    directory = parser.parse_args().directory
    for name in FILES:
        golden = Golden(directory / f"{name}.npz")
        for residual in (False, True):
            off = torch.cat([error.flatten() for error in errors(golden, in_bf16(golden, residual=residual))])
            what = "bf16, residual too" if residual else "bf16"
            print(f"{name}, {what}: log mel off by {off.mean():.4f} in the mean, {off.max():.3f} at most")


if __name__ == "__main__":
    main()
