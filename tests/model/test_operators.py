"""A PyTorch without what we call of it is named before the start. No release lacks each of them in turn, so
they are taken away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from glm_tts_api.cli import main
from glm_tts_api.errors import StartupError
from glm_tts_api.model.checkpoint import load_checkpoint
from glm_tts_api.model.linear import Int8Linear
from glm_tts_api.model.placement import Precision, require_operators
from glm_tts_api.settings import BUNDLED_MODEL

CPU, INT8 = torch.device("cpu"), Precision(torch.float32, Int8Linear)


class Without:
    """A namespace that lacks one name."""

    def __init__(self, whole: Any, missing: str) -> None:
        self._whole, self._missing = whole, missing

    def __getattr__(self, name: str) -> Any:
        if name == self._missing:
            raise AttributeError(f"no attribute '{name}'")
        return getattr(self._whole, name)


def test_the_installed_pytorch_has_them_all() -> None:
    for precision in (Precision(torch.float32), Precision(torch.bfloat16), INT8):
        require_operators(CPU, precision)


@pytest.mark.parametrize(
    ("namespace", "name"),
    [
        ("ops.mkldnn", "_linear_pointwise"),
        ("ops.onednn", "qlinear_prepack"),
        ("cpu", "_is_avx512_bf16_supported"),
    ],
)
def test_a_missing_one_is_named(monkeypatch: pytest.MonkeyPatch, namespace: str, name: str) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")  # asked for its units
    owner: Any = torch
    *parents, last = namespace.split(".")
    for parent in parents:
        owner = getattr(owner, parent)
    monkeypatch.setattr(owner, last, Without(getattr(owner, last), name))
    with pytest.raises(StartupError) as error:
        require_operators(CPU, INT8)
    assert f"PyTorch {torch.__version__} lacks" in str(error.value)
    assert f"'{name}'" in str(error.value)
    assert "pip install -c constraints.txt" in str(error.value)
    require_operators(torch.device("cuda"), Precision(torch.bfloat16))  # a GPU needs none of them


def test_check_and_start_both_say_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DEVICE", "cpu")
    monkeypatch.setattr(torch.ops, "mkldnn", Without(torch.ops.mkldnn, "_linear_pointwise"))
    assert main(["check", "checkpoint"]) == 2
    assert "'_linear_pointwise'" in capsys.readouterr().err
    with pytest.raises(StartupError, match="_linear_pointwise"):
        load_checkpoint(BUNDLED_MODEL, device=CPU)
