"""What is kept free on a GPU, and how many requests fit beside it. The GPU is faked; sizes are measured on
the meta device, which has shapes and no memory."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from torch import Tensor

from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.memory import check_slots_fit, flow_bytes, n_slots_that_fit, render_bytes
from glm_tts_api.errors import StartupError
from glm_tts_api.model.checkpoint import Models
from glm_tts_api.model.flow import FlowConfig, FlowInput, FlowMatching
from glm_tts_api.model.llm import LlmConfig
from glm_tts_api.model.vocoder import HiFT, HiftConfig
from glm_tts_api.model.vocoder.buckets import FRAME_MULTIPLE
from tests.dispatched import Dispatched

GIB = 2**30
MINI_FLOW = FlowConfig(trans_dim=64, depth=2, heads=2, dim_head=32, text_emb_dim=48, conv_layers=2)
SHALLOW = FlowConfig(depth=3)  # as wide as the official one: depth adds nothing to what lives at once
OFFICIAL_SLOT = EngineConfig().slot_length(8192)


@pytest.mark.parametrize("config", [SHALLOW, MINI_FLOW], ids=["official width", "mini"])
@pytest.mark.parametrize("lengths", [[250] * 8, [150, 250, 200, 40], [1900]])
def test_a_flow_step_takes_what_is_kept_for_it(config: FlowConfig, lengths: list[int]) -> None:
    with torch.device("meta"):
        flow = FlowMatching(config).eval().requires_grad_(False)
    inputs = [
        FlowInput(
            tokens=torch.zeros(n, dtype=torch.int64),
            speaker=torch.ones(192),
            noise=0,
            prompt_tokens=torch.zeros(100, dtype=torch.int64),
            prompt_mel=torch.zeros(200, 80),
        )
        for n in lengths
    ]
    with Dispatched() as seen:
        sampler = flow.sampler(inputs, steps=2)
        sampler.step()
        sampler.step()
    kept = flow_bytes(config, n_rows=len(lengths), n_frames=2 * (max(lengths) + 100))
    assert 0.5 * kept < seen.peak_bytes <= kept


class ConvolutionsAlone(HiFT):
    """The inverse STFT looks at values, which the meta device has none of."""

    def _to_wave(self, x: Tensor) -> Tensor:
        return x


@pytest.mark.parametrize("channels", [512, 16], ids=["official", "small"])
def test_a_vocoder_call_takes_what_is_kept_for_it(channels: int) -> None:
    with torch.device("meta"):
        hift = ConvolutionsAlone(HiftConfig(channels, channels)).fold()
        mel, noise = torch.empty(1, 80, 4000), torch.empty(1, 9, 4000 * 480)
    with Dispatched() as seen, torch.inference_mode():
        multiple = FRAME_MULTIPLE["cuda"]
        hift.decode(mel, hift.m_source(hift.f0_predictor(mel, multiple), noise), multiple)
    kept = hift.call_bytes(n_frames=4000)
    assert 0.5 * kept < seen.peak_bytes <= kept


def official_hift() -> HiFT:
    with torch.device("meta"):
        return HiFT(HiftConfig())


def test_for_the_official_sizes_it_is_some_two_gigabytes_and_less_without_batches() -> None:
    kept = render_bytes(FlowConfig(), [official_hift()], EngineConfig())
    assert 1 * GIB < kept < 2 * GIB
    assert render_bytes(FlowConfig(), [official_hift()], EngineConfig(deterministic=True)) < kept


@pytest.mark.parametrize(("free", "n_fit"), [(100, 8), (30, 1), (20, 0), (1, 0)])
def test_slots_share_nine_tenths_of_the_memory_less_what_is_kept(free: int, n_fit: int) -> None:
    assert n_slots_that_fit(free, kept=17, a_slot=9) == n_fit


def faked_gpu(**llm: Any) -> Models:
    """Models of the official sizes, of which nothing but the sizes is there."""
    llm = {"device": torch.device("cuda", 0), "dtype": torch.bfloat16, "config": LlmConfig(), **llm}
    parts = {"flow": SimpleNamespace(config=FlowConfig()), "vocoders": {24000: official_hift()}}
    return cast(Models, SimpleNamespace(llm=SimpleNamespace(**llm), **parts))


@pytest.mark.parametrize(("free_gib", "n_slots"), [(8.0, 20), (6.0, 18), (24.0, 20)])
def test_a_faked_gpu_takes_as_many_requests_as_fit_beside_flow_and_vocoder(
    monkeypatch: pytest.MonkeyPatch, free_gib: float, n_slots: int
) -> None:
    monkeypatch.setattr("glm_tts_api.engine.memory._free_bytes", lambda _: int(free_gib * GIB))
    check_slots_fit(faked_gpu(), EngineConfig(n_slots=n_slots), slot_length=OFFICIAL_SLOT)
    with pytest.raises(
        StartupError, match=r"GiB are free, 1\.\d of them kept for flow and vocoder"
    ) as refused:
        check_slots_fit(faked_gpu(), EngineConfig(n_slots=1000), slot_length=OFFICIAL_SLOT)
    most = int(str(refused.value).rpartition(" ")[2])
    check_slots_fit(faked_gpu(), EngineConfig(n_slots=most), slot_length=OFFICIAL_SLOT)
    with pytest.raises(StartupError, match="kept for flow and vocoder"):
        check_slots_fit(faked_gpu(), EngineConfig(n_slots=most + 1), slot_length=OFFICIAL_SLOT)


def test_a_faked_gpu_that_holds_no_request_is_not_told_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glm_tts_api.engine.memory._free_bytes", lambda _: GIB)
    with pytest.raises(StartupError, match="end what else holds the memory, or choose another DEVICE"):
        check_slots_fit(faked_gpu(), EngineConfig(), slot_length=OFFICIAL_SLOT)


def test_a_cpu_keeps_nothing_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    models = faked_gpu(device=torch.device("cpu"))
    a_slot = OFFICIAL_SLOT * 28 * 2 * 4 * 128 * 2
    monkeypatch.setattr("glm_tts_api.engine.memory._free_bytes", lambda _: int(20.1 * a_slot / 0.9))
    check_slots_fit(models, EngineConfig(n_slots=20), slot_length=OFFICIAL_SLOT)
    with pytest.raises(StartupError, match=r"can be at most 20$"):
        check_slots_fit(models, EngineConfig(n_slots=21), slot_length=OFFICIAL_SLOT)


def test_prompts_are_read_and_segments_rendered_in_bigger_pieces_on_a_gpu() -> None:
    config, told = EngineConfig(), EngineConfig(prefill_chunk=7, flow_rows=3)
    assert (config.chunk_of_a_prompt("cpu"), config.chunk_of_a_prompt("cuda")) == (64, 1024)
    assert (config.rows_of_a_flow_batch("cpu"), config.rows_of_a_flow_batch("cuda")) == (1, 8)
    assert (told.chunk_of_a_prompt("cuda"), told.rows_of_a_flow_batch("cuda")) == (7, 3)
    assert replace(told, deterministic=True).rows_of_a_flow_batch("cuda") == 1


def test_a_slot_has_room_for_the_longest_prompt_at_25_tokens_a_second_and_the_longest_segment() -> None:
    config = EngineConfig(max_prompt_seconds=12, max_segment_ids=40)
    assert (config.longest_prompt, config.longest_segment) == (12 * 25, 40 * 20)
    assert config.slot_length(8192) > 750 + config.longest_prompt + config.longest_segment
    assert config.slot_length(600) == 600  # the model's positions are the end of it


@pytest.mark.parametrize("name", ["n_slots", "max_prompt_seconds", "threads", "flow_steps"])
def test_nothing_is_no_limit(name: str) -> None:
    nothing: dict[str, Any] = {name: 0}
    with pytest.raises(ValueError, match=name):
        EngineConfig(**nothing)
