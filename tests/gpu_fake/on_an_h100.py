"""The official sizes on a fake H100: what each stage asks of the GPU, the page of gpu_check, and an engine
whose context is lost. Run by test_cards.py in a process on the fake."""

from __future__ import annotations

import gc
import queue
import sys
from collections.abc import Iterator

import pytest
import torch

from bench import gpu_check
from bench.decode import joined, prefilled
from bench.gpu_models import Bench
from bench.gpu_serving import Request, Serving, engine_request
from bench.gpu_stages import Rendering
from glm_tts_api.engine.faults import EngineLost
from glm_tts_api.engine.token2wav import Token2Wav
from glm_tts_api.model import triton_decode
from glm_tts_api.model.cuda_decode import CudaDecodeStep, fastest_kernels
from glm_tts_api.model.graphs import Graphs
from tests.engine import tiny
from tests.gpu_fake import card


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench(card.begin(0))


@pytest.fixture(autouse=True)
def no_rule_is_broken() -> Iterator[None]:
    card.faults()
    with torch.inference_mode():
        yield
    assert card.faults() == []


def test_a_decode_step_is_one_graph_and_one_wait(bench: Bench) -> None:
    llm = bench.runner
    cache = prefilled(llm, slots=20, slot_length=bench.slot_length)
    card.graphs()
    step = CudaDecodeStep(llm, cache, end=len(llm.sampled_ids) - 1)
    ((n_nodes, priority),) = card.graphs()
    assert n_nodes <= 369
    assert priority == -1, "before the flow"
    rows = joined(llm, range(16), n_steps=300, n_read=300)
    step(rows)
    for n in (1, 16):
        step(rows[:n])
        with card.seen() as work:
            for _ in range(20):
                step(rows[:n])
        graph = [f"graph {n_nodes}"]
        assert work.launches == ["copy of pinned memory", *graph, "copy of pinned memory"] * 20
        assert work.waits == 20
        assert work.cpu_ms <= 20 * 1.0


@pytest.mark.parametrize(("start", "most"), [(0, 535), (150, 594)])
def test_a_prompts_chunk_asks_for_few_launches(start: int, most: int, bench: Bench) -> None:
    cache = prefilled(bench.runner, slots=1, slot_length=512)
    bench.runner.prefill(range(150), cache=cache, slot=0, start=start)
    with card.seen() as work:
        bench.runner.prefill(range(150), cache=cache, slot=0, start=start)
    assert len(work.launches) <= most
    assert work.waits <= 1
    assert work.cpu_ms <= 60


def test_a_window_is_graphs_but_for_its_preparation(bench: Bench) -> None:
    card.graphs()
    rendering = Rendering(bench)
    nodes = [n_nodes for n_nodes, _ in card.graphs()]
    assert len(nodes) == 16 + 16 + 4, "the flow's conditions and Euler steps, and HiFT"
    assert max(nodes[:16]) <= 193
    assert max(nodes[16:32]) <= 697
    assert max(nodes[32:]) <= 854
    stage = rendering._token2wav
    for frames in (312, 512, 600):
        stage.queue.add(rendering._span(frames // 2 - 125))
        stage.step()
        steps, ended = list[card.Work](), False
        while not ended:
            with card.seen() as work:
                ended = bool(stage.step())
            steps.append(work)
        for step in steps[:-1]:  # the last call is the vocoder's
            assert [each for each in step.launches if each.startswith("graph")] == [f"graph {nodes[16]}"]
            assert len(step.launches) <= 11, "inputs are copied"
            assert step.waits == 1
        assert min(step.cpu_ms for step in steps) <= 3
    rendering.close()


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
        for row in group:
            verdict = "-" if not row.goal else "needs a real card" if row.real else "PASS"
            assert rows[row.what].endswith(f" | {verdict} |")


@pytest.mark.parametrize("cause", ["a capture", "memory"])
def test_flow_and_vocoder_go_without_graphs_where_they_cannot_be_captured(
    cause: str, bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """Memory that ends in a capture leaves an allocator that works."""
    models = bench.models()
    if cause == "memory":
        bench.release()
        card.set_memory(card.used_gib() + 0.5 + 0.1)
    else:
        card.let_captures_fail(after=20)
    try:
        stage = Token2Wav(models, bench.config)
    finally:
        card.set_memory(79.2)
        card.let_captures_fail(after=-1)
    assert "Flow and vocoder go without CUDA graphs" in caplog.text
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
    step = CudaDecodeStep(llm, cache, end=len(llm.sampled_ids) - 1, fixed_shape=True)
    assert step.kernels == "plain"
    assert "apt install gcc python3-dev" in caplog.text
    ((n_nodes, _),) = card.graphs()
    assert n_nodes <= 1300


def test_no_garbage_is_collected_in_a_capture() -> None:
    """Garbage may hold a graph, and no graph may be freed in a capture."""
    seen: list[bool] = []

    def look(x: torch.Tensor) -> tuple[torch.Tensor]:
        seen.append(gc.isenabled())
        return (x + 1,)

    Graphs(look).capture([(torch.ones(1, device="cuda"),)])
    assert seen == [False, False], "run once, then captured"
    assert gc.isenabled()


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
