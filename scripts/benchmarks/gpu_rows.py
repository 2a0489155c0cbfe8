"""The rows of scripts/gpu_check.sh's page, as they are measured one after the other, with floors and goals.

A floor is the bytes or operations that cannot be left out, at the rate that this device was measured to have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from scripts.benchmarks import gpu_decode, gpu_fears, gpu_render, gpu_serving
from scripts.benchmarks.gpu_models import Bench
from scripts.benchmarks.gpu_page import Figures, Line


def _no_floor(bench: Bench) -> Figures:
    return {}


@dataclass(frozen=True, slots=True)
class Row:
    """`goal` and `must` as a Line has them."""

    what: str
    measure: Callable[[Bench], Figures]
    goal: Mapping[str, str] = field(default_factory=dict)
    floor: Callable[[Bench], Figures] = _no_floor
    must: bool = False

    def line(self, bench: Bench) -> Line:
        return Line(self.what, self.measure(bench), self.floor(bench), self.goal, self.must)


_ALL_SAME = {"again": "same", "in another slot": "same", "beside 15": "same"}
_SAME_DRAWS = {"again": "same", "in the last slot": "same", "beside all others": "same"}

ROWS = (
    Row("HiFT ms, first call then second", gpu_render.hift_calls, floor=gpu_render.hift_floor),
    Row("flow's grouped convolution ms, a new length", gpu_render.grouped_convolution),
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
    *(
        Row(
            f"decode step's parts ms, {n_rows} rows", partial(gpu_decode.parts, n_rows),
            floor=gpu_decode.head_floor,
        )
        for n_rows in (1, 16)
    ),
    Row("prefill ms", gpu_decode.prefill, floor=gpu_decode.prefill_floor),
    Row("start", gpu_decode.start),
    Row("same draws, DETERMINISTIC=0", partial(gpu_decode.same_draws, False), _SAME_DRAWS),
    Row("same draws, DETERMINISTIC=1", partial(gpu_decode.same_draws, True), _SAME_DRAWS, must=True),
    Row("decode step ms by rows, DETERMINISTIC=1", gpu_decode.fixed_steps),
    *(
        Row(
            f"flow step ms, {n_rows} rows", partial(gpu_render.flow_steps, n_rows), goal,
            floor=partial(gpu_render.flow_floor, n_rows),
        )
        for n_rows, goal in ((1, {"286 frames": "<= 2.5"}), (8, {}))
    ),
    *(Row(f"flow step's parts ms, {n} rows", partial(gpu_render.flow_parts, n)) for n in (1, 8)),
    Row("flow step by precision, 1 row", gpu_render.flow_precisions),
    Row("new voice ms, 5 s", gpu_render.new_voice),
    Row("flow step p95 ms beside new voices", gpu_render.flow_beside_new_voices),
    *(
        Row(
            f"{'streams' if streams else 'whole'} at {at_once}",
            partial(gpu_serving.load, at_once, streams), goal,
            floor=partial(gpu_serving.load_floor, at_once, streams),
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
    Row("A: prompt of a new length, ms", gpu_fears.new_prompts, {"more": "<= 10"}, must=True),
    Row("D: TorchScript at a new length, ms", gpu_fears.torchscript, {"more": "<= 20"}, must=True),
    Row("G: memory of flow and vocoder", gpu_fears.kept_memory, {"largest share": "<= 1"}, must=True),
    Row("G: the allocator's segments can grow", gpu_fears.growable_segments, {"as asked": "yes"}, must=True),
)  # fmt: skip
