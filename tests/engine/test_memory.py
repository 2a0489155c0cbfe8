"""What is kept free on a GPU, and how many requests fit beside it. The GPU is faked; sizes are measured on
the meta device, which has shapes and no memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch

from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.memory import fit_rows, flow_bytes, share_of_a_gpu
from glm_tts_api.errors import StartupError
from glm_tts_api.model.buckets import FRAME_MULTIPLE
from glm_tts_api.model.checkpoint import Models
from glm_tts_api.model.flow import FlowConfig, FlowInput, FlowMatching
from glm_tts_api.model.llm import LlmConfig
from glm_tts_api.model.vocoder import HiFT, HiftConfig
from tests.dispatched import Dispatched

GIB = 2**30
ROOT = Path(__file__).parents[2]
MINI_FLOW = FlowConfig(trans_dim=64, depth=2, heads=2, dim_head=32, text_emb_dim=48, conv_layers=2)
SHALLOW = FlowConfig(depth=3)  # as wide as the official one: depth adds nothing to what lives at once
OFFICIAL_SLOT = EngineConfig().slot_length(8192)


@pytest.mark.parametrize("config", [SHALLOW, MINI_FLOW], ids=["official width", "mini"])
@pytest.mark.parametrize("n_tokens", [250, 1900])
def test_a_flow_step_takes_what_is_kept_for_it(config: FlowConfig, n_tokens: int) -> None:
    with torch.device("meta"):
        flow = FlowMatching(config).eval().requires_grad_(False)
    segment = FlowInput(
        tokens=torch.zeros(n_tokens, dtype=torch.int64),
        speaker=torch.ones(192),
        noise=0,
        prompt_tokens=torch.zeros(100, dtype=torch.int64),
        prompt_mel=torch.zeros(200, 80),
    )
    with Dispatched() as seen:
        flow.sample(segment, steps=2)
    kept = flow_bytes(config, n_frames=2 * (n_tokens + 100))
    assert 0.5 * kept < seen.peak_bytes <= kept


@pytest.mark.parametrize("channels", [512, 16], ids=["official", "small"])
def test_a_vocoder_call_takes_what_is_kept_for_it(monkeypatch: pytest.MonkeyPatch, channels: int) -> None:
    monkeypatch.setitem(FRAME_MULTIPLE, "meta", FRAME_MULTIPLE["cuda"])
    with torch.device("meta"):
        hift = HiFT(HiftConfig(channels, channels)).fold()
        mel, noise, pitch = torch.empty(1, 80, 4000), torch.empty(1, 9, 4000 * 480), torch.empty(1, 4000)
        turned = torch.empty(1, 9, 1)
    with Dispatched() as seen, torch.inference_mode():
        hift.speak(mel, noise, pitch=pitch, turned=turned)
    kept = hift.call_bytes(n_frames=4000)
    assert 0.5 * kept < seen.peak_bytes <= kept


def official_hift() -> HiFT:
    with torch.device("meta"):
        return HiFT(HiftConfig())


def faked_gpu(*, n_engines: int = 1, **llm: Any) -> Models:
    """Models of the official sizes, of which nothing but the sizes is there."""
    llm = {"device": torch.device("cuda", 0), "dtype": torch.bfloat16, "config": LlmConfig(), **llm}
    llm["sampled_ids"] = range(32769)
    parts = {"flow": SimpleNamespace(config=FlowConfig()), "vocoders": {24000: official_hift()}}
    return cast(Models, SimpleNamespace(llm=SimpleNamespace(**llm), **parts, n_engines=n_engines))


@pytest.fixture
def has_free(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Has the machine say that so many GiB are free."""

    def has(gib: float) -> None:
        monkeypatch.setattr("glm_tts_api.engine.memory._free_bytes", lambda *_, **__: int(gib * GIB))

    return has


def test_a_faked_gpu_takes_as_many_requests_as_fit_beside_flow_and_vocoder(
    has_free: Callable[[float], None],
) -> None:
    has_free(8.0)
    with pytest.raises(
        StartupError, match=r"GiB are free, \d\.\d of them kept for flow and vocoder"
    ) as refused:
        fit_rows(faked_gpu(), EngineConfig(n_rows=1000))
    most = int(str(refused.value).rpartition(" ")[2])
    assert fit_rows(faked_gpu(), EngineConfig(n_rows=most)).n_rows == most
    with pytest.raises(StartupError, match="kept for flow and vocoder"):
        fit_rows(faked_gpu(), EngineConfig(n_rows=most + 1))
    fewer = fit_rows(faked_gpu(), EngineConfig(n_rows=most + 1, fewer_rows=True))
    assert fewer == EngineConfig(n_rows=most, fewer_rows=True).on("cuda")
    assert fewer.stream_chunks[0] == 12
    assert EngineConfig().on("cpu").stream_chunks == (25, 50, 120, 300)


def test_slots_that_do_not_fit_are_refused_with_what_helps(has_free: Callable[[float], None]) -> None:
    """Without a number where not even a request of each lane fits. A CPU keeps nothing apart."""
    has_free(1.9)
    for fewer_rows in (False, True):
        with pytest.raises(StartupError, match="end what else holds the memory, or choose another DEVICE"):
            fit_rows(faked_gpu(), EngineConfig(fewer_rows=fewer_rows))
    has_free(5)
    shared = r"GiB are free for each of the 2 engines \(WORKERS\) on it, 1\.\d"
    with pytest.raises(StartupError, match=shared):
        fit_rows(faked_gpu(n_engines=2), EngineConfig(n_rows=20))
    has_free(20.1 * OFFICIAL_SLOT * 28 * 2 * 4 * 128 * 2 / 0.9 / GIB)
    models = faked_gpu(device=torch.device("cpu"))
    assert fit_rows(models, EngineConfig(n_rows=20)).n_rows == 20
    with pytest.raises(StartupError, match=r"can be at most 20$"):
        fit_rows(models, EngineConfig(n_rows=21))


# What PyTorch says that such a card has in all, GiB; the LLM's dtype; and how many slots it holds.
CARDS = [
    ("8 GB", 7.8, torch.bfloat16, 0),
    ("12 GB", 11.6, torch.bfloat16, 16),
    ("16 GB", 15.7, torch.bfloat16, 36),
    ("16 GB, T4", 14.6, torch.float32, 8),
    ("24 GB", 23.6, torch.bfloat16, 70),
    ("80 GB", 79.2, torch.bfloat16, 307),
]
HELD = {torch.bfloat16: 5.3 + 0.8, torch.float32: 8.3 + 0.8}  # GiB: weights, and context with libraries


@pytest.mark.parametrize(("card", "total_gib", "dtype", "n_rows"), CARDS, ids=[card[0] for card in CARDS])
def test_a_card_takes_the_default_slots_or_as_many_as_fit(
    has_free: Callable[[float], None], card: str, total_gib: float, dtype: torch.dtype, n_rows: int
) -> None:
    has_free(total_gib - HELD[dtype])
    default, models = EngineConfig(fewer_rows=True), faked_gpu(dtype=dtype)
    if not n_rows:
        with pytest.raises(StartupError):
            fit_rows(models, default)
        return
    assert fit_rows(models, default).n_rows == min(n_rows, default.n_rows)
    assert fit_rows(models, replace(default, n_rows=1000)).n_rows == n_rows


@pytest.mark.parametrize("page", ["gpu.md", "gpu_zh.md"])
def test_the_docs_say_how_many_slots_a_card_holds(page: str) -> None:
    lines = (ROOT / "docs" / page).read_text(encoding="utf-8").splitlines()
    for card, total_gib, _, n_rows in CARDS:
        (row,) = (
            line
            for line in lines
            if line.startswith(f"| {card.replace(', ', '，') if '_zh' in page else card} |")
        )
        assert row.split(" | ")[1:3] == [f"{total_gib}", f"{n_rows}"]


def test_engines_that_share_a_gpu_count_no_free_memory_twice() -> None:
    """Both load at once: each sees what neither has taken yet."""
    assert share_of_a_gpu(60, total=80, held=10, n_engines=1) == 60
    assert share_of_a_gpu(60, total=80, held=10, n_engines=2) == 30
    assert share_of_a_gpu(20, total=80, held=10, n_engines=2) == 20, "others use the card as well"
    assert share_of_a_gpu(60, total=80, held=41, n_engines=2) == 0


@pytest.mark.parametrize("nothing", [{"n_rows": 0}, {"max_prompt_seconds": 0}, {"threads": 0}])
def test_nothing_is_no_limit(nothing: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        EngineConfig(**nothing)
