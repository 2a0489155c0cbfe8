"""The generator of deterministic weights, against published values of a few tensors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from scripts.checks.parity.fill import fill

CHECKS = json.loads((Path(__file__).parent / "data" / "fill_check.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: f"{check['table']}:{check['key']}")
def test_filled_tensor(check: dict[str, Any]) -> None:
    tensor = fill(check["salt"], check["table"], {check["key"]: check["shape"]})[check["key"]]
    assert list(tensor.shape) == check["shape"]
    torch.testing.assert_close(tensor.flatten()[:4], torch.tensor(check["first4"]), atol=1e-7, rtol=0)
    assert float(tensor.double().sum()) == pytest.approx(check["sum"], abs=1e-4)
