"""The Triton kernels of a decode step: against PyTorch's operators, through the compiler, on a GPU; and what
decodes where Triton does not work."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.llm import Llama, LlmConfig
from glm_tts_api.model.llm_runner import LlmRunner
from tests import gpus

pytest.importorskip("triton", reason="Triton is for Linux")
from glm_tts_api.model import triton_decode

HERE = Path(__file__).parent
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")


@pytest.mark.parametrize(
    "interpreted",
    [
        pytest.param(True, id="interpreted", marks=pytest.mark.long),
        pytest.param(False, id="on a GPU", marks=[pytest.mark.gpu, needs_gpu]),
    ],
)
def test_the_kernels_compute_what_plain_operators_do(interpreted: bool) -> None:
    environ = _environ() | ({"TRITON_INTERPRET": "1"} if interpreted else {})
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(HERE / "triton_cases.py")]
    done = subprocess.run(command, env=environ, cwd=HERE.parents[1], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def _environ() -> dict[str, str]:
    """Of a process that has its own pytest and its own Triton."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST_", "TRITON_INTERPRET"))
    }


@pytest.mark.gpu
@needs_gpu
@torch.inference_mode()
@pytest.mark.parametrize(
    ("dtype", "off"),
    [
        pytest.param(torch.bfloat16, 0.02, id="bf16", marks=gpus.from_ampere_on),
        pytest.param(torch.float32, 1e-4, id="fp32"),
    ],
)
def test_a_rows_logits_have_the_same_bits_alone_beside_15_and_in_another_slot(
    dtype: torch.dtype, off: float
) -> None:
    """Two layers of the official sizes, 20 slots, one row of up to 3000 positions. The plain operators' are
    `off` by that share: in bfloat16 they round in other places."""
    torch.manual_seed(0)
    llama = Llama(dataclasses.replace(LlmConfig(), num_hidden_layers=2))
    runner = LlmRunner(llama, sampled_ids=range(65535, 98304), device="cuda", dtype=dtype)
    cache = KVCache(runner.config, slots=20, slot_length=3776, dtype=dtype, device="cuda")
    cache.keys.normal_()
    cache.values.normal_()
    beside = torch.tensor([*range(100, 3000, 200), 700, -1, -1, -1, -1], device="cuda")
    for row in (0, 5, 14):
        n = int(beside[row])
        moved = torch.full_like(beside, -1)
        moved[19] = n
        cache.keys[:, 19, :, :n], cache.values[:, 19, :, :n] = (
            cache.keys[:, row, :, :n],
            cache.values[:, row, :, :n],
        )
        alone = torch.where(torch.arange(20, device="cuda") == row, beside, -1)
        ids = torch.full_like(beside, 70000)
        together, by_itself, elsewhere = (
            runner.logits(triton_decode.decode_slots(runner, ids, lengths, cache=cache))
            for lengths in (beside, alone, moved)
        )
        assert together[row].equal(by_itself[row])
        assert together[row].equal(elsewhere[19])
        plain = runner.logits(runner.decode([70000], cache=cache, slots=[row], lengths=[n]))[0]
        assert (together[row] - plain).norm() <= off * plain.norm()


@pytest.mark.long
def test_the_kernels_compile_for_gpus_that_are_not_there() -> None:
    """In a process of its own. A T4 has 64 KiB of shared memory, and the smallest of the others 99 KiB."""
    told = json.loads(subprocess.check_output([sys.executable, HERE / "compile_triton.py"], env=_environ()))
    assert [*told] == ["float32 sm_75", *(f"bfloat16 sm_{n}" for n in (80, 86, 89, 90, 100, 120))]
    launches = {"launches": 6, "operators": 4}  # four products and what lies between them
    assert all(figures["a_layer"] == launches for figures in told.values())
    assert told["float32 sm_75"]["shared_bytes"] <= 64 * 1024
    assert all(figures["shared_bytes"] <= 99 * 1024 for figures in told.values())
