"""PyTorch's process-wide switches as a GPU's server has them. No GPU is used: a device is named."""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from msgspec.structs import replace
from torch import Tensor, nn

from glm_tts_api.engine.process import build_engine
from glm_tts_api.engine.torch_flags import ALLOCATOR_VARIABLES, set_torch_flags
from glm_tts_api.errors import StartupError
from glm_tts_api.model.vocoder import Vocos2D
from glm_tts_api.settings import BUNDLED_MODEL
from tests.engine import tiny
from tests.engine.tiny_process import load_of

FAKED_GPU = torch.device("cuda", 0)
EXPANDABLE = dict.fromkeys(ALLOCATOR_VARIABLES, "expandable_segments:True")


def precisions() -> list[str]:
    backends: Any = torch.backends
    switches = (backends.cuda.matmul, backends.cudnn.conv, backends.cudnn.rnn)
    return [operators.fp32_precision for operators in switches]


@pytest.fixture(autouse=True)
def flags_as_found() -> Iterator[None]:
    backends: Any = torch.backends
    switches, before = (backends.cuda.matmul, backends.cudnn.conv, backends.cudnn.rnn), precisions()
    attention, strategy = backends.cuda.cudnn_sdp_enabled(), torch.jit.set_fusion_strategy([])
    torch.jit.set_fusion_strategy(strategy)
    backends.cuda.enable_cudnn_sdp(True)
    reduced = backends.cuda.matmul.allow_bf16_reduced_precision_reduction
    deterministic = backends.cudnn.deterministic
    yield
    backends.cudnn.deterministic = deterministic
    backends.cuda.matmul.allow_bf16_reduced_precision_reduction = reduced
    for operators, precision in zip(switches, before, strict=True):
        operators.fp32_precision = precision
    backends.cuda.enable_cudnn_sdp(attention)
    torch.jit.set_fusion_strategy(strategy)


def test_on_a_faked_gpu_cudnn_attention_and_tf32_are_off_from_the_start() -> None:
    set_torch_flags(FAKED_GPU, {})
    assert not torch.backends.cuda.cudnn_sdp_enabled()
    assert torch.backends.cuda.flash_sdp_enabled()
    assert torch.backends.cuda.mem_efficient_sdp_enabled()
    assert precisions() == ["ieee"] * 3
    assert not torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction
    assert torch.backends.cudnn.deterministic


def test_a_server_that_starts_on_a_faked_gpu_has_set_them_before_it_loads(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen: list[Any] = []

    def load(root: Path, *, device: torch.device, **_: Any) -> None:
        seen.extend([device, torch.backends.cuda.cudnn_sdp_enabled(), precisions()])
        seen.append({name: os.environ[name] for name in ALLOCATOR_VARIABLES})
        seen.append(os.environ["TRITON_CACHE_DIR"])
        raise StartupError("there is no GPU to load to")

    async def start() -> None:
        engine: Any = build_engine(replace(load_of(tmp_path), cache_dir="/run/cache"), lambda _: None)
        await tiny.ready(engine)
        assert engine.state.cause == "there is no GPU to load to"
        engine.close()

    for name in ALLOCATOR_VARIABLES:
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("TRITON_CACHE_DIR", "")
    monkeypatch.delenv("TRITON_CACHE_DIR")
    monkeypatch.setattr("glm_tts_api.model.placement.choose_device", lambda *_, **__: FAKED_GPU)
    monkeypatch.setattr("glm_tts_api.model.checkpoint.load_checkpoint", load)
    asyncio.run(start())
    # A service's user may have no home to write to, which is where Triton would keep what it has compiled.
    assert seen == [FAKED_GPU, False, ["ieee"] * 3, EXPANDABLE, "/run/cache/triton"]


def test_on_a_cpu_few_plans_are_kept_unless_the_user_said_how_many() -> None:
    environ = {"LRU_CACHE_CAPACITY": "7"}
    before = precisions()
    set_torch_flags(torch.device("cpu"), environ)
    assert environ == {"LRU_CACHE_CAPACITY": "7", "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "32"}
    assert torch.backends.cuda.cudnn_sdp_enabled()
    assert precisions() == before


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, EXPANDABLE),
        (dict.fromkeys(ALLOCATOR_VARIABLES, ""), EXPANDABLE),
        ({"PYTORCH_ALLOC_CONF": "max_split_size_mb:64"}, {"PYTORCH_ALLOC_CONF": "max_split_size_mb:64"}),
        ({"PYTORCH_CUDA_ALLOC_CONF": "backend:native"}, {"PYTORCH_CUDA_ALLOC_CONF": "backend:native"}),
    ],
)
def test_on_a_faked_gpu_segments_can_grow_unless_the_user_said_how(
    environ: dict[str, str], expected: dict[str, str]
) -> None:
    set_torch_flags(FAKED_GPU, environ)
    assert environ == expected


class Swish(nn.Module):
    """Pointwise operators in a row: what a fuser makes one kernel of."""

    def forward(self, x: Tensor) -> Tensor:
        y = x * 2 + 1
        return torch.sin(y) * torch.relu(y)


@pytest.fixture
def cpu_fuses_as_a_gpu() -> Iterator[None]:
    c: Any = torch._C
    before = c._jit_can_fuse_on_cpu(), c._jit_texpr_fuser_enabled(), c._jit_get_te_must_use_llvm_cpu()
    c._jit_override_can_fuse_on_cpu(True)
    c._jit_set_texpr_fuser_enabled(True)
    c._jit_set_te_must_use_llvm_cpu(False)
    yield
    c._jit_override_can_fuse_on_cpu(before[0])
    c._jit_set_texpr_fuser_enabled(before[1])
    c._jit_set_te_must_use_llvm_cpu(before[2])


def kernels_compiled_for_lengths(lengths: list[int]) -> int:
    """By a module that was loaded from a file, as the vocoder is, and has never run."""
    stored = io.BytesIO()
    torch.jit.save(torch.jit.script(Swish()), stored)
    stored.seek(0)
    module = torch.jit.load(stored)
    with torch.inference_mode():
        for length in lengths:
            x = torch.linspace(-1, 1, length)
            torch.testing.assert_close(module(x), Swish()(x))
    graph = str(torch._C._last_executed_optimized_graph())
    return graph.count("prim::TensorExprGroup_")


def test_on_a_faked_gpu_torchscript_compiles_nothing_for_a_length_and_says_the_same(
    cpu_fuses_as_a_gpu: None,
) -> None:
    lengths = [5, 5, 5, 6, 7, 8, 8]
    assert kernels_compiled_for_lengths(lengths) > 0
    set_torch_flags(FAKED_GPU, {})
    assert kernels_compiled_for_lengths(lengths) == 0


def test_the_shipped_vocos2d_says_the_same_to_the_bit_with_a_faked_gpus_flags() -> None:
    def waves() -> list[Tensor]:
        vocoder, generator = Vocos2D.load(BUNDLED_MODEL / "vocos2d/generator_jit.ckpt"), torch.Generator()
        mels = [torch.randn(1, 80, frames, generator=generator) - 5 for frames in (20, 20, 20, 33, 34)]
        return [vocoder(mel, noise=generator) for mel in mels]

    expected = waves()
    set_torch_flags(FAKED_GPU, {})
    assert all(torch.equal(wave, wanted) for wave, wanted in zip(waves(), expected, strict=True))


NEW_LENGTHS = """
import os, resource, torch
from pathlib import Path
from glm_tts_api.engine.torch_flags import set_torch_flags
from glm_tts_api.model.linear import PackedLinear

def resident_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20

set_torch_flags(torch.device("cpu"), os.environ)
torch.set_num_threads(1)
product = PackedLinear(torch.randn(512, 256), torch.randn(512), typical_rows=1024)
convolution = torch.nn.Conv1d(64, 64, 7, padding=3)
with torch.inference_mode():
    for length in range(100, 900):
        if length == 400:
            begun = resident_mb()
        product(torch.randn(length, 256))
        convolution(torch.randn(1, 64, length))
print(resident_mb() - begun)
"""


def test_ever_new_lengths_take_no_more_memory_on_a_cpu() -> None:
    """Left to themselves, PyTorch and oneDNN keep what they planned for each: 250 MB here, 0.7 GB in a
    server."""
    kept = {name: value for name, value in os.environ.items() if "CACHE_CAPACITY" not in name}
    done = subprocess.run(
        [sys.executable, "-c", NEW_LENGTHS], env=kept, capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < 60
