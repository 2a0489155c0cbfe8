"""The compiled kernels of a decode step on a CPU: equal to PyTorch's operators, and to themselves."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from glm_tts_api.model import cpu_decode, cpu_kernels, linear
from glm_tts_api.model.cpu_kernels import CpuKernels
from glm_tts_api.model.decode_step import CpuDecodeStep
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.llm import Llama, LlmConfig
from glm_tts_api.model.llm_runner import LlmRunner
from glm_tts_api.model.threads import at_most
from tests.this_cpu import HAS_BF16_UNITS

SLOTS, SLOT_LENGTH, VOCABULARY = 16, 300, 257
SIZES: dict[str, dict[str, Any]] = {
    "heads of 16 numbers": {"hidden_size": 64, "intermediate_size": 160, "num_attention_heads": 4,
                            "num_key_value_heads": 2, "head_dim": 16},
    "like the bundled model": {"hidden_size": 256, "intermediate_size": 704, "num_attention_heads": 4,
                               "num_key_value_heads": 4, "head_dim": 64},
    "wide": {"hidden_size": 512, "intermediate_size": 3072, "num_attention_heads": 8,
             "num_key_value_heads": 2, "head_dim": 128},
}  # fmt: skip
PRECISIONS: dict[str, dict[str, Any]] = {
    "fp32": {"dtype": torch.float32},
    "int8": {"dtype": torch.float32, "int8": True},
    "int8 in pairs": {"dtype": torch.float32, "int8": True},  # of a CPU without VNNI
    "bf16": {"dtype": torch.bfloat16},
}
N_READ = [37, 299, 1, 128, 127, 200, 5, 31, 32, 33, 64, 2, 63, 65, 257, 8]  # positions of each slot
each_size = pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES.keys())
each_precision = pytest.mark.parametrize("precision", PRECISIONS.keys())


@pytest.fixture(autouse=True)
def _inference() -> Iterator[None]:
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module")
def kernels(tmp_path_factory: pytest.TempPathFactory) -> CpuKernels:
    found = cpu_kernels.load(tmp_path_factory.mktemp("kernels"))
    assert found, "the tests need a C compiler, and a CPU with AVX2: apt install gcc libc6-dev"
    return found


@pytest.fixture
def runner(sizes: dict[str, Any], precision: str, monkeypatch: pytest.MonkeyPatch) -> LlmRunner:
    if precision == "bf16" and not HAS_BF16_UNITS:
        pytest.skip("oneDNN packs no bf16 here")
    if precision == "int8 in pairs":
        monkeypatch.setattr(linear, "_sums_of_pairs_saturate", lambda: True)
    torch.manual_seed(3)
    fixed: dict[str, Any] = {"vocab_size": VOCABULARY, "num_hidden_layers": 2, "max_position_embeddings": 512}
    config = LlmConfig(**fixed, **sizes)
    llama = Llama(config)
    for name, parameter in llama.named_parameters():
        nn.init.normal_(parameter, mean=float("norm" in name), std=1 / parameter.shape[-1] ** 0.5)
    return LlmRunner(llama, sampled_ids=range(100, 231), device="cpu", **PRECISIONS[precision])


def filled(runner: LlmRunner) -> KVCache:
    """Holds N_READ random positions of each slot; all other positions are NaN."""
    cache = KVCache(
        runner.config, slots=SLOTS, slot_length=SLOT_LENGTH, dtype=runner.dtype, device=runner.device
    )
    draw = torch.Generator().manual_seed(5)
    for each in (cache.keys, cache.values):
        each.fill_(torch.nan)
        for slot, n in enumerate(N_READ):
            each[:, slot, :, :n] = torch.randn(each[:, slot, :, :n].shape, generator=draw)
    return cache


def steps(runner: LlmRunner, kernels: CpuKernels, cache: KVCache, slots: list[int]) -> Tensor:
    """The hidden states of one step of each slot, [slots, D]."""
    return cpu_decode.decode(
        runner,
        kernels,
        [7 * slot for slot in slots],
        cache=cache,
        slots=slots,
        lengths=[N_READ[s] for s in slots],
    )


@each_size
@each_precision
def test_a_step_is_that_of_pytorch_s_operators(
    runner: LlmRunner, kernels: CpuKernels, precision: str
) -> None:
    ours, plain, slots = filled(runner), filled(runner), [3, 0, 1, 2, 9, 15]
    found = steps(runner, kernels, ours, slots)
    lengths = [N_READ[slot] for slot in slots]
    expected = runner.decode([7 * slot for slot in slots], cache=plain, slots=slots, lengths=lengths)
    # Integers and bfloat16 round a number the other way now and then.
    limit = 2e-6 if precision == "fp32" else 0.02
    pairs = [(found, expected)]
    for mine, theirs in ((ours.keys, plain.keys), (ours.values, plain.values)):
        pairs += [
            (mine[:, slot, :, n], theirs[:, slot, :, n]) for slot, n in zip(slots, lengths, strict=True)
        ]
    for one, other in pairs:
        assert (one.float() - other.float()).norm() <= limit * other.float().norm()
    assert torch.equal(ours.keys.isnan(), plain.keys.isnan()), "no other position is written"


@each_size
@each_precision
def test_a_row_s_bits_depend_on_nothing_else(runner: LlmRunner, kernels: CpuKernels) -> None:
    cache, everyone = (
        filled(runner),
        list(reversed(range(SLOTS))),
    )  # a step only writes what it does not read
    alone = torch.cat([steps(runner, kernels, cache, [slot]) for slot in everyone])
    before = torch.get_num_threads()
    torch.set_num_threads(8)
    try:
        for n_threads in (1, 2, 4, 8):
            with at_most(n_threads):
                for some in (everyone, everyone[3:10]):
                    expected = alone[[everyone.index(slot) for slot in some]]
                    assert torch.equal(steps(runner, kernels, cache, some), expected), (n_threads, len(some))
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("sizes", [SIZES["wide"]])
@each_precision
def test_large_and_small_numbers_stay_finite(runner: LlmRunner, kernels: CpuKernels) -> None:
    """Softmax and silu of numbers that do not fit an exponential."""
    for size in (1e-30, 1e4):
        cache = filled(runner)
        runner.embedding.mul_(size)
        cache.keys.mul_(size)
        assert steps(runner, kernels, cache, [0, 1]).isfinite().all()


@pytest.mark.parametrize(("sizes", "precision"), [(SIZES["wide"], "fp32")])
def test_a_full_slot_is_refused(runner: LlmRunner, kernels: CpuKernels) -> None:
    with pytest.raises(ValueError, match="301 positions do not fit a slot of 300"):
        cpu_decode.decode(runner, kernels, [1, 1], cache=filled(runner), slots=[0, 1], lengths=[3, 300])


@pytest.mark.parametrize("precision", ["fp32"])
@pytest.mark.parametrize("sizes", [SIZES["wide"] | {"head_dim": 24}, SIZES["wide"] | {"hidden_size": 500}])
def test_widths_that_are_no_whole_vectors_are_left_to_pytorch(runner: LlmRunner, kernels: CpuKernels) -> None:
    cache = KVCache(runner.config, slots=1, slot_length=9, dtype=runner.dtype, device=runner.device)
    assert CpuDecodeStep(runner, cache, end=130, compiled=kernels).kernels == "plain"


@pytest.mark.parametrize(("sizes", "precision"), [(SIZES["wide"], "fp32")])
def test_a_decode_step_says_which_kernels_it_uses(runner: LlmRunner, kernels: CpuKernels) -> None:
    cache = filled(runner)
    assert CpuDecodeStep(runner, cache, end=130, compiled=kernels).kernels == "c"
    assert CpuDecodeStep(runner, cache, end=130).kernels == "plain"


def test_the_compiled_library_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "new" / "folder"
    assert cpu_kernels.load(folder)
    assert [file.suffix for file in folder.iterdir()] == [".so"]
    monkeypatch.setenv("PATH", str(tmp_path))
    assert cpu_kernels.load(folder), "no compiler is needed the second time"


def test_a_library_that_was_written_in_part_is_compiled_again(tmp_path: Path) -> None:
    """After a power cut."""
    assert cpu_kernels.load(tmp_path / "sound")
    (sound,) = (tmp_path / "sound").iterdir()
    part = tmp_path / "part" / sound.name
    part.parent.mkdir()
    part.touch()
    assert cpu_kernels.load(part.parent)
    assert part.stat().st_size == sound.stat().st_size


def test_without_a_compiler_the_log_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert cpu_kernels.load(tmp_path / "kernels") is None
    assert "apt install gcc" in caplog.text


def test_a_compiler_that_fails_is_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    compiler = tmp_path / "cc"
    compiler.write_text("#!/bin/sh\necho 'stdint.h: No such file' >&2\nexit 1\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert cpu_kernels.load(tmp_path / "kernels") is None
    assert "(stdint.h: No such file)" in caplog.text


def test_a_folder_that_cannot_be_written_is_no_fault(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    assert cpu_kernels.load(tmp_path / "file" / "kernels") is None
    assert "NotADirectoryError" in caplog.text
