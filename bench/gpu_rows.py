"""The rows of the page of scripts/gpu_check.sh, in the order in which they are measured.

A row may have a goal and a floor. A floor is the least time for the necessary bytes or operations, computed
with the best rate that was measured on this device.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from bench import gpu_decode, gpu_render, gpu_serving
from bench.gpu_models import Bench
from bench.gpu_page import Figures, Line
from bench.gpu_timing import MS
from glm_tts_api.engine.spans import LOOK_AHEAD
from glm_tts_api.engine.stream_pace import TOKENS_A_SECOND


def _no_floor(bench: Bench) -> dict[str, float]:
    return {}


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement of the page: `measure` returns its figures, and `floor` the least possible figures.

    `goal` maps a figure's label to its goal. `must` says that the whole check fails if a goal is missed.
    """

    what: str
    measure: Callable[[Bench], Figures]
    goal: Mapping[str, str] = field(default_factory=dict)
    floor: Callable[[Bench], Mapping[str, float]] = _no_floor
    must: bool = False

    def line(self, bench: Bench) -> Line:
        return Line(self.what, self.measure(bench), self.floor(bench), self.goal, self.must)


def _load_floor(at_once: int, streams: bool, bench: Bench) -> dict[str, float]:
    """Returns the best possible figures of a load test with `at_once` requests at any time.

    "audio s/s" (the most audio per second) and "RTF p95" count only the decode steps. "first audio ms p50"
    counts all stages that the first audio waits for.
    """
    step_ms = gpu_decode.steps_floor(gpu_decode.KEYS[1], bench)
    n_rows = min(at_once, bench.config.n_rows)
    audio_s = n_rows * MS / (TOKENS_A_SECOND * step_ms[str(n_rows)])
    figures = {"audio s/s": audio_s}
    if at_once == 1:
        figures["RTF p95"] = 1 / audio_s
    if at_once == 1 and streams:
        n_steps = bench.config.stream_chunks[0] + LOOK_AHEAD + 1
        flow_ms = gpu_render.flow_floor(1, bench)[f"{bench.size.frames[0]} frames"]
        figures["first audio ms p50"] = (
            gpu_decode.prefill_floor(bench)[f"{bench.size.prompts[1]} ids"]
            + n_steps * step_ms["1"]
            + bench.size.flow.steps * flow_ms
            + gpu_render.hift_floor(bench)[f"{bench.size.mels[0]} frames"]
        )
    return figures


_ALL_SAME = {"again": "same", "in slot 1 beside another": "same", "beside 15": "same"}
_SAME_DRAWS = {"again": "same", "in the last slot": "same", "beside all others": "same"}

ROWS = (
    Row("HiFT ms, first call then second", gpu_render.hift_calls, floor=gpu_render.hift_floor),
    Row("start: graphs of flow and vocoder", gpu_render.graphs, {"of an Euler step": "16"}),
    Row("flow window ms, first step at a new length", gpu_render.flow_new_length),
    Row("precision: logits and HiFT off by", gpu_render.exactness, {"HiFT's wave": "<= 0.01"}),
    Row(
        "precision: share of the largest value", gpu_render.rounding,
        {"product in float32": "<= 1e-5", "convolution in float32": "<= 1e-5"}, must=True,
    ),
    *(
        Row(
            f"decode step ms by rows, {n_keys} keys", partial(gpu_decode.steps, n_keys), goal,
            floor=partial(gpu_decode.steps_floor, n_keys),
        )
        for n_keys, goal in zip(
            gpu_decode.KEYS,
            ({"1": "<= 1.9"}, {"1": "<= 1.9", "16": "<= 4"}, {}),
            strict=True,
        )
    ),
    Row("prefill ms", gpu_decode.prefill, floor=gpu_decode.prefill_floor),
    Row("start: LLM and decode graphs", gpu_decode.start, {"kernels": "triton"}),
    Row("same draws", partial(gpu_decode.same_draws, False), _SAME_DRAWS),
    Row("same draws, plain, DETERMINISTIC=1", partial(gpu_decode.same_draws, True), _SAME_DRAWS, must=True),
    Row("decode step ms by rows, plain, DETERMINISTIC=1", gpu_decode.plain_steps),
    *(
        Row(
            f"flow step ms, {n_windows} windows", partial(gpu_render.flow_steps, n_windows), goal,
            floor=partial(gpu_render.flow_floor, n_windows),
        )
        for n_windows, goal in ((1, {"286 frames": "<= 2.5"}), (8, {}))
    ),
    Row("flow step by precision, without graphs", gpu_render.flow_precisions),
    Row("new voice ms, 5 s", gpu_render.new_voice),
    Row("flow step p95 ms beside new voices", gpu_render.flow_beside_new_voices),
    *(
        Row(
            f"{'streams' if streams else 'whole'} at {at_once}",
            partial(gpu_serving.load, at_once, streams), goal,
            floor=partial(_load_floor, at_once, streams),
        )
        for at_once, streams, goal in (
            (1, True, {"first audio ms p50": "<= 150", "RTF p95": "<= 0.05", "longest gap ms": "<= 0"}),
            (4, True, {"longest gap ms": "<= 0"}),
            (16, True, {"audio s/s": ">= 40", "longest gap ms": "<= 0"}),
            (1, False, {"RTF p95": "<= 0.05"}),
            (4, False, {}),
            (16, False, {"audio s/s": ">= 40"}),
        )
    ),
    Row("burst of 16, first audio ms", gpu_serving.burst, {"last": "<= 250"}),
    Row("waits of one request", gpu_serving.waits),
    Row("memory and start of an engine", gpu_serving.memory, {"peak GiB": "<= 12"}),
    Row("same bytes, DETERMINISTIC=0", partial(gpu_serving.same_bytes, False), _ALL_SAME),
    Row("same bytes, DETERMINISTIC=1", partial(gpu_serving.same_bytes, True), _ALL_SAME, must=True),
    # These rows are last: a profiler slows down later measurements, and may hang where there are CUDA graphs.
    Row("flow step's parts ms", gpu_render.flow_parts),
    *(
        Row(
            f"decode step's parts ms, {n_rows} rows", partial(gpu_decode.parts, n_rows),
            floor=gpu_decode.head_floor,
        )
        for n_rows in (1, 16)
    ),
)  # fmt: skip
