"""PyTorch's process-wide switches as a GPU's server has them. No GPU is used: a device is named."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from msgspec.structs import replace

from glm_tts_api.engine.process import build_engine
from glm_tts_api.engine.torch_flags import set_torch_flags
from glm_tts_api.errors import StartupError
from tests.engine import tiny
from tests.engine.test_precision import operators
from tests.engine.tiny_process import load_of

FAKED_GPU = torch.device("cuda", 0)


def precisions() -> list[str]:
    return [each.fp32_precision for each in operators()]


@pytest.fixture(autouse=True)
def flags_as_found() -> Iterator[None]:
    backends: Any = torch.backends
    before, attention = precisions(), backends.cuda.cudnn_sdp_enabled()
    strategy = torch.jit.set_fusion_strategy([])
    torch.jit.set_fusion_strategy(strategy)
    backends.cuda.enable_cudnn_sdp(True)
    reduced = backends.cuda.matmul.allow_bf16_reduced_precision_reduction
    deterministic = backends.cudnn.deterministic
    yield
    backends.cudnn.deterministic = deterministic
    backends.cuda.matmul.allow_bf16_reduced_precision_reduction = reduced
    for each, precision in zip(operators(), before, strict=True):
        each.fp32_precision = precision
    backends.cuda.enable_cudnn_sdp(attention)
    torch.jit.set_fusion_strategy(strategy)


async def test_a_server_that_starts_on_a_faked_gpu_has_set_them_before_it_loads(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen: list[Any] = []

    def load(root: Path, *, device: torch.device, **_: Any) -> None:
        seen.extend([device, torch.backends.cuda.cudnn_sdp_enabled(), precisions()])
        seen.append(os.environ["TRITON_CACHE_DIR"])
        raise StartupError("there is no GPU to load to")

    monkeypatch.setenv("TRITON_CACHE_DIR", "")
    monkeypatch.delenv("TRITON_CACHE_DIR")
    monkeypatch.setattr("glm_tts_api.model.placement.choose_device", lambda *_, **__: FAKED_GPU)
    monkeypatch.setattr("glm_tts_api.model.checkpoint.load_checkpoint", load)
    engine: Any = build_engine(replace(load_of(tmp_path), cache_dir="/run/cache"), lambda _: None)
    await tiny.ready(engine)
    assert engine.state.cause == "there is no GPU to load to"
    engine.close()
    # A service's user may have no home to write to, which is where Triton would keep what it has compiled.
    assert seen == [FAKED_GPU, False, ["ieee"] * 3, "/run/cache/triton"]
    assert torch.backends.cuda.flash_sdp_enabled()
    assert torch.backends.cuda.mem_efficient_sdp_enabled()
    assert not torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction
    assert torch.backends.cudnn.deterministic


def test_a_cpu_keeps_few_plans_and_what_the_user_has_said_about_them_stays() -> None:
    environ = {"LRU_CACHE_CAPACITY": "7"}
    set_torch_flags(torch.device("cpu"), environ)
    assert environ == {"LRU_CACHE_CAPACITY": "7", "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "32"}


NEW_LENGTHS = """
import os, psutil, torch
from glm_tts_api.engine.torch_flags import set_torch_flags
from glm_tts_api.model.linear import PackedLinear

set_torch_flags(torch.device("cpu"), os.environ)
torch.set_num_threads(1)
product = PackedLinear(torch.randn(512, 256), torch.randn(512), typical_rows=1024)
convolution = torch.nn.Conv1d(64, 64, 7, padding=3)
with torch.inference_mode():
    for length in range(100, 500):
        if length == 250:
            begun = psutil.Process().memory_info().rss
        product(torch.randn(length, 256))
        convolution(torch.randn(1, 64, length))
print((psutil.Process().memory_info().rss - begun) / 2**20)
"""


def test_ever_new_lengths_take_no_more_memory_on_a_cpu() -> None:
    """Left to themselves, PyTorch and oneDNN keep what they planned for each: 0.7 GB in a server."""
    kept = {name: value for name, value in os.environ.items() if "CACHE_CAPACITY" not in name}
    done = subprocess.run(
        [sys.executable, "-c", NEW_LENGTHS], env=kept, capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < 60
