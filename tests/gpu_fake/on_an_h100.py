"""The official sizes on a fake H100: what each stage asks of the GPU, the page of gpu_check, and an engine
whose context is lost. Run by test_cards.py in a process on the fake."""

from __future__ import annotations

import queue
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import pytest
import torch

from bench import gpu_check
from bench.decode import joined, prefilled
from bench.gpu_models import CONFIG, Bench
from bench.gpu_serving import Request, Serving, engine_request
from bench.gpu_stages import Rendering
from glm_tts_api.engine.faults import EngineLost
from glm_tts_api.engine.token2wav import Token2Wav
from glm_tts_api.model import triton_decode
from glm_tts_api.model.buckets import HIFT_GRAPHS
from glm_tts_api.model.checkpoint import load_checkpoint
from glm_tts_api.model.cuda_decode import PROMPT_SIZES, CudaDecodeStep, fastest_kernels
from glm_tts_api.model.linear import Fp8Linear
from glm_tts_api.settings import BUNDLED_MODEL
from tests.engine import tiny
from tests.gpu_fake import card


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench(card.begin(0))


def done(work: Callable[[], object]) -> card.Work:
    with card.seen() as seen:
        work()
    return seen


@pytest.fixture(autouse=True)
def no_rule_is_broken() -> Iterator[None]:
    card.faults()
    with torch.inference_mode():
        yield
    assert card.faults() == []


@pytest.mark.parametrize("weights", ["bf16", "fp8"])
def test_a_step_is_one_graph_and_one_wait_and_a_prompts_chunk_a_graph_without_one(
    bench: Bench, weights: str
) -> None:
    card.graphs()
    llm, copy = bench.in_fp8() if weights == "fp8" else bench.runner, "copy of pinned memory"
    step = CudaDecodeStep(llm, prefilled(llm, slots=20, slot_length=2048), end=len(llm.sampled_ids) - 1)
    *prompts, (n_nodes, priority) = card.graphs()
    assert n_nodes <= 300
    assert [n for n, _ in prompts] == [prompts[0][0]] * len(PROMPT_SIZES)
    assert prompts[0][0] <= 260
    assert priority == -1, "before the flow"
    rows = joined(llm, range(16), n_steps=300, n_read=300)
    for n in (1, 16):
        works = [done(partial(step, rows[:n])) for _ in range(20)]
        for work in works[1:]:  # the first one makes noise
            assert work.launches == [copy, f"graph {n_nodes}", copy]
            assert work.waits == 1
        assert min(work.cpu_ms for work in works) <= 0.1
    for n_ids, start in ((20, 0), (200, 0), (1000, 20)):
        works = [done(partial(step.prefill, range(n_ids), slot=3, start=start)) for _ in range(5)]
        assert all(work.launches == [copy, f"graph {prompts[0][0]}"] for work in works)
        assert not any(work.waits for work in works)
        assert min(work.cpu_ms for work in works) <= 3


def test_a_burst_of_16_costs_the_host_little(bench: Bench) -> None:
    """CPU time of all threads, for requests of one window."""
    costs = []
    with torch.inference_mode(False), ThreadPoolExecutor(16) as pool:
        serving = Serving(bench)
        for _ in range(3):
            begin = time.process_time()
            assert len(list(pool.map(partial(serving.one, n_ids=1), range(16)))) == 16
            costs.append(1000 * (time.process_time() - begin))
        serving.close()
    assert min(costs) <= 250, "150 ms where other programs do not use the caches"


def test_a_window_is_graphs_but_for_its_preparation(bench: Bench) -> None:
    card.graphs()
    rendering = Rendering(bench)
    nodes = [n_nodes for n_nodes, _ in card.graphs()]
    assert len(nodes) == 16 + 16 + 10, "the flow's conditions and Euler steps, and HiFT"
    assert max(nodes[:16]) <= 123
    assert max(nodes[16:32]) <= 230
    assert max(nodes[32:]) <= 854
    stage = rendering._token2wav
    for frames in (312, 512, 600, 1000):
        stage.queue.add(rendering._span(frames // 2 - 125))
        stage.step()
        works, ended = list[card.Work](), False
        while not ended:
            with card.seen() as work:
                ended = bool(stage.step())
            works.append(work)
        for work in works[:-1]:
            assert work.launches == [*["copy"] * 3, f"graph {nodes[16]}", "copy"], "what changes is copied"
            assert work.waits == 1
        assert min(work.cpu_ms for work in works[:-1]) <= 1
        assert works[-1].waits == 1, "for the waveform"
        spoken = [each for each in works[-1].launches if each.startswith("graph")]
        assert spoken == [f"graph {nodes[32]}"] * (2 if frames == 1000 else 1)
    rendering.close()


def test_dtype_fp8_streams_in_as_few_nodes_and_waits_at_most_once_a_graph(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its weights are in FP8, and its flow is in bfloat16."""
    card.graphs()
    monkeypatch.setattr(bench, "runner", bench.in_fp8())
    with torch.inference_mode(False):
        serving = Serving(bench, config=replace(CONFIG, flow_bf16=True))
        assert sorted(n_nodes for n_nodes, _ in card.graphs())[-len(HIFT_GRAPHS) - 1] <= 320
        with card.seen() as work:
            assert serving.one(0).audio_s > 1
        serving.close()
    assert 0 < work.waits <= sum(launch.startswith("graph") for launch in work.launches)


def test_dtype_fp8_loads_a_checkpoint(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glm_tts_api.model.checkpoint.find_head", lambda *_: (None, 0.0))
    llm = load_checkpoint(BUNDLED_MODEL, device=bench.device, dtype="fp8").llm
    assert all(isinstance(layer.down, Fp8Linear) for layer in llm.layers)


def test_the_page_of_gpu_check_has_no_fault_and_names_what_needs_a_card(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["gpu_check.py", f"{tmp_path}/page.md"])
    with torch.inference_mode(False):
        assert gpu_check.main() == 0
    lines = capsys.readouterr().out.splitlines()
    rows = {line.split(" | ")[0].removeprefix("| "): line for line in lines if line.startswith("| ")}
    assert lines[-1] == "**PASS**"
    for _, group in gpu_check.GROUPS:
        for _, line in group:
            verdict = "-" if not line.goal else "needs a real card" if line.real else "PASS"
            assert rows[line.what].endswith(f" | {verdict} |")


def test_flow_and_vocoder_go_without_graphs_where_they_cannot_be_captured(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """Memory that ends in a capture leaves an allocator that works."""
    models = bench.models()
    bench.release()
    card.set_memory(card.used_gib() + 0.5 + 0.1)
    try:
        stage = Token2Wav(models, bench.config)
    finally:
        card.set_memory(79.2)
    assert "The flow goes without CUDA graphs" in caplog.text
    (span,) = tiny.rendered(stage, [tiny.span(30, sample_rate=24000)])
    assert span.pcm is not None


def test_without_triton_plain_operators_decode_and_a_full_card_is_no_reason(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    llm, cache = bench.runner, prefilled(bench.runner, slots=20, slot_length=bench.slot_length)
    monkeypatch.setattr(triton_decode, "decode_slots", lambda *_, **__: torch.empty(2**40, device=llm.device))
    with pytest.raises(torch.OutOfMemoryError):
        fastest_kernels(llm, cache)
    monkeypatch.setitem(sys.modules, "glm_tts_api.model.triton_decode", None)
    monkeypatch.delattr("glm_tts_api.model.triton_decode")
    card.graphs()
    step = CudaDecodeStep(llm, cache, end=len(llm.sampled_ids) - 1)
    assert step.kernels == "plain"
    assert "apt install gcc python3-dev" in caplog.text
    assert card.graphs()[0][0] <= 1300


def test_an_engine_whose_context_is_lost_says_so(bench: Bench) -> None:
    faults: queue.SimpleQueue[BaseException] = queue.SimpleQueue()
    with torch.inference_mode(False):
        serving = Serving(bench)
        serving.core._on_fault = faults.put
        assert serving.one(0).audio_s > 1
        with card.lost_context():
            serving.core.submit(engine_request(bench, 1, Request(), streams=True))
            lost = faults.get(timeout=60)
        serving.close()
    assert isinstance(lost, EngineLost)
    assert "illegal memory access" in str(lost)
