"""When a fault is the engine's and not a request's. No GPU is used: networks of this file's own raise the
errors of a lost device."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import Future
from contextlib import asynccontextmanager
from unittest.mock import MagicMock

import pytest
import torch

from glm_tts_api.engine.engine import Engine
from glm_tts_api.engine.faults import FaultWatch, as_service_error, device_lost, ran_out_of_memory
from glm_tts_api.errors import InternalFault, OutOfMemory, Unavailable, Unhealthy
from glm_tts_api.model.checkpoint import Models
from tests.engine import tiny

ILLEGAL = torch.AcceleratorError("CUDA error: an illegal memory access was encountered\nCompile with ...")
CAUSE = "the device failed: AcceleratorError: CUDA error: an illegal memory access was encountered"


def test_an_error_of_the_device_loses_it_and_memory_that_runs_out_does_not() -> None:
    assert str(device_lost(ILLEGAL)) == CAUSE
    assert device_lost(torch.OutOfMemoryError("CUDA out of memory")) is None
    assert device_lost(torch.AcceleratorError("CUDA error: out of memory")) is None
    assert device_lost(RuntimeError("CUDA error: of another kind")) is None
    assert device_lost(ValueError("CUDNN_STATUS_EXECUTION_FAILED")) is None, "somebody's text"


@pytest.mark.parametrize(
    ("said", "lost", "no_memory"),
    [
        ("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasGemmEx(...)`", True, False),
        ("CUDA error: CUBLAS_STATUS_INTERNAL_ERROR when calling `cublasLtMatmul(...)`", True, False),
        ("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED", True, False),
        ("cuDNN error: CUDNN_STATUS_MAPPING_ERROR", True, False),
        ("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`", False, True),
        ("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasLtCreate(&handle)`", False, True),
        ("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED", False, True),
        ("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasSgemm(...)`", False, False),
        ("cuDNN error: CUDNN_STATUS_NOT_SUPPORTED", False, False),
        ("CUDA error: CUBLAS_STATUS_INVALID_VALUE when calling `cublasGemmEx(...)`", False, False),
    ],
)
def test_what_cublas_and_cudnn_say_of_the_device_and_of_its_memory_is_understood(
    said: str, lost: bool, no_memory: bool
) -> None:
    error = RuntimeError(said)
    assert (device_lost(error) is not None, ran_out_of_memory(error)) == (lost, no_memory)
    assert (FaultWatch().failed(error) is not None) == lost
    told = as_service_error(error, "id", done="spoken")
    assert isinstance(told, OutOfMemory if no_memory else InternalFault)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.\nmore"),
        torch.AcceleratorError("CUDA error: operation failed due to a previous error during capture"),
    ],
)
async def test_memory_that_runs_out_while_the_model_loads_is_told_with_what_to_set(error: Exception) -> None:
    """While a graph is captured PyTorch may say that something else went wrong."""
    engine = await tiny.ready(tiny.tiny_engine(load=MagicMock(side_effect=error)))
    told = str(engine.state.cause)
    assert engine.state.status == "failed"
    assert told.startswith("The memory ran out while the model was loaded (CUDA ")
    assert told.endswith("set SHORT_TEXT_CONCURRENCY and LONG_TEXT_CONCURRENCY to fewer requests")
    assert "\n" not in told
    engine.close()


def test_the_third_of_the_same_faults_in_a_row_is_one_too_many() -> None:
    """Neither a lack of memory nor a client's mistake counts."""
    watch, fault, other = FaultWatch(), RuntimeError("worn out"), RuntimeError("torn")
    for error in (torch.OutOfMemoryError("CUDA out of memory"), Unavailable("later")):
        assert [watch.failed(error) for _ in range(9)] == [None] * 9
    assert [watch.failed(error) for error in (fault, fault, other, other, fault)] == [None] * 5
    watch.succeeded()
    assert [watch.failed(RuntimeError("worn out")) for _ in range(2)] == [None] * 2
    assert str(watch.failed(fault)) == "the same fault 3 times: RuntimeError: worn out"


@asynccontextmanager
async def watched(models: Models) -> AsyncIterator[tuple[Engine, Future[str]]]:
    """An engine, and the cause once the engine tells that it is lost."""
    lost: Future[str] = Future()
    tell = lambda error: lost.set_result(str(error))  # noqa: E731
    async with tiny.engine_of(load=lambda: models, on_lost=tell) as engine, asyncio.timeout(60):
        yield engine, lost


@pytest.mark.parametrize("during", ["a render", "a new voice", "the release of memory"])
async def test_a_faked_device_error_ends_the_engine_at_once(
    during: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = tiny.failing(ILLEGAL, from_call=2) if during == "a render" else tiny.tiny_models()
    async with watched(models) as (engine, lost):
        if during == "the release of memory":
            monkeypatch.setattr(
                "glm_tts_api.engine.core.release_cached_memory", MagicMock(side_effect=ILLEGAL)
            )
            with pytest.raises(torch.AcceleratorError):
                await asyncio.to_thread(engine.clear_cache)
        else:
            if during == "a new voice":
                monkeypatch.setattr(models.speech_tokenizer, "tokens", MagicMock(side_effect=ILLEGAL))
            (outcome,) = await tiny.outcomes(engine, ["ab"], sample_rate=32000)
            assert isinstance(outcome, InternalFault)
        assert await asyncio.wrap_future(lost) == CAUSE
        assert (engine.state.status, engine.state.cause, engine.usage()) == ("lost", CAUSE, None)
        with pytest.raises(Unhealthy, match="has failed"):
            engine.state.require_ready()


@pytest.mark.parametrize("stage", ["render", "decode"])
async def test_a_request_that_fails_in_every_segment_is_one_fault_and_the_third_ends_the_engine(
    stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = RuntimeError("worn out")
    models = tiny.failing(fault, from_call=2) if stage == "render" else tiny.tiny_models()
    async with watched(models) as (engine, lost):
        if stage == "decode":
            monkeypatch.setattr(engine._core.decoder._decode_step, "prefill", MagicMock(side_effect=fault))
        for status in ("ready", "ready", "lost"):
            await tiny.outcomes(engine, ["ab/cd/ef/gh"], sample_rate=32000, use_cache=False)
            assert engine.state.status == status
        assert await asyncio.wrap_future(lost) == "the same fault 3 times: RuntimeError: worn out"


async def test_a_faked_device_error_in_the_first_words_is_a_failed_load_with_that_cause() -> None:
    engine = await tiny.ready(tiny.tiny_engine(load=lambda: tiny.failing(ILLEGAL)))
    assert (engine.state.status, engine.state.cause) == ("failed", CAUSE)
    engine.close()
