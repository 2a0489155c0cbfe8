"""All kernels at the official sizes through Triton's compiler, for GPUs that need not be there.

    python tests/model/compile_triton.py

Prints as JSON a layer's launches in a decode step, the operators beside them, and the largest shared memory
of a kernel.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from glm_tts_api.model import draw_kernels, flow_kernels, triton_decode
from glm_tts_api.model.flow import FlowConfig, FlowMatching
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.linear import Fp8Linear
from glm_tts_api.model.llm import Llama, LlmConfig
from glm_tts_api.model.llm_config import Head
from glm_tts_api.model.llm_runner import LlmRunner
from glm_tts_api.model.placement import Precision
from tests.dispatched import Dispatched

_POINTERS = {
    torch.bfloat16: "*bf16", torch.float32: "*fp32", torch.int32: "*i32", torch.int64: "*i64",
    torch.float8_e4m3fn: "*fp8e4nv",
}  # fmt: skip
_SLOTS, _NEWER = 20, (80, 86, 89, 90, 100, 120)


def compiled(kernel: Any, args: tuple[Any, ...], kwargs: dict[str, Any], capability: int) -> Any:
    """The kernel as this launch would have it. Pointers are taken for aligned, as the allocator's are."""
    given = dict(zip(kernel.arg_names, args, strict=False)) | kwargs
    constants = {param.name: given.pop(param.name) for param in kernel.params if param.is_constexpr}
    signature, attributes = {}, {}
    for index, name in enumerate(kernel.arg_names):
        value = given.pop(name, None)
        if isinstance(value, torch.Tensor):
            signature[name], attributes[(index,)] = _POINTERS[value.dtype], [["tt.divisibility", 16]]
        else:
            signature[name] = "constexpr" if value is None else "fp32" if isinstance(value, float) else "i32"
    by_index = {(kernel.arg_names.index(name),): value for name, value in constants.items()}
    source = ASTSource(fn=kernel, signature=signature, constexprs=by_index, attrs=attributes)
    return triton.compile(source, target=GPUTarget("cuda", capability, 32), options=given)


class Launches:
    """Compiles what is launched, each kernel once for the same constants."""

    def __init__(self, capability: int) -> None:
        self.n = 0
        self._capability = capability
        self._compiled: dict[str, Any] = {}

    def run(self, kernel: Any, *args: Any, grid: object, warmup: bool, **kwargs: Any) -> None:
        self.n += 1
        if (name := f"{kernel.__module__} {kernel.__name__} {kwargs}") not in self._compiled:
            self._compiled[name] = compiled(kernel, args, kwargs, self._capability)

    @property
    def shared_bytes(self) -> int:
        return max(int(kernel.metadata.shared) for kernel in self._compiled.values())


@torch.inference_mode()
def launched(precision: Precision, capability: int, n_layers: int) -> tuple[Launches, int]:
    """A step's launches, and the number of operators beside them."""
    with torch.device("meta"):
        llama = Llama(dataclasses.replace(LlmConfig(), num_hidden_layers=n_layers)).eval()
    runner = _runner(llama, precision)
    cache = KVCache(
        runner.config, slots=_SLOTS, slot_length=3776, dtype=runner.dtype, device="meta", followed=Head(0, 0)
    )
    ids = torch.zeros(_SLOTS, dtype=torch.int64, device="meta")
    launches, seen = Launches(capability), Dispatched()
    triton.runtime.jit.JITFunction.run = lambda kernel, *args, **kwargs: launches.run(kernel, *args, **kwargs)
    with seen:
        triton_decode.decode_slots(runner, ids, ids, cache=cache)
    return launches, seen.n_kernels


def _runner(llama: Llama, precision: Precision) -> LlmRunner:
    ids, dtype = range(65535, 98304), precision.dtype
    return LlmRunner(llama, sampled_ids=ids, device="meta", dtype=dtype, linear=precision.linear)


@torch.inference_mode()
def launch_the_rest(precision: Precision) -> None:
    """A prompt, a draw, and the flow's blocks."""
    with torch.device("meta"):
        llama = Llama(dataclasses.replace(LlmConfig(), num_hidden_layers=1)).eval()
        flow = FlowMatching(FlowConfig(depth=2)).eval()
        lengths = torch.zeros(1024, dtype=torch.int32)
        p, fields = torch.zeros(_SLOTS, 32832)[:, :32769], torch.zeros(_SLOTS, 16, dtype=torch.int64)
        noise, out = torch.zeros(_SLOTS, 32, 2, 32769), torch.zeros(_SLOTS, 2)
        mel, tokens, parts = torch.zeros(2, 320, 80), torch.zeros(2, 320, 512), torch.zeros(2, 14 * 768)
    runner, dtype = _runner(llama, precision), precision.dtype
    cache = KVCache(runner.config, slots=_SLOTS, slot_length=3776, dtype=dtype, device="meta")
    triton_decode.prefill_slot(runner, lengths.long(), lengths, fields[0, 0], cache=cache)
    draw_kernels.draw(p, fields, noise, out, end=32768)
    if dtype == torch.bfloat16:
        flow.pack(dtype)
    flow.estimator.transform = flow_kernels.transform
    flow.estimator.velocity(mel, mel, tokens, modulation=parts)


def told(precision: Precision, capability: int) -> dict[str, Any]:
    (few, n_few), (more, n_more) = (launched(precision, capability, n_layers) for n_layers in (1, 2))
    a_layer = {"launches": more.n - few.n, "operators": n_more - n_few}
    launch_the_rest(precision)
    return {"a_layer": a_layer, "shared_bytes": more.shared_bytes}


if __name__ == "__main__":
    kinds = {
        "float32": (Precision(torch.float32), (75,)),
        "bfloat16": (Precision(torch.bfloat16), _NEWER),
        "fp8": (Precision(torch.bfloat16, Fp8Linear), _NEWER[2:]),
    }
    print(json.dumps({f"{name} sm_{n}": told(kind, n) for name, (kind, ns) in kinds.items() for n in ns}))
