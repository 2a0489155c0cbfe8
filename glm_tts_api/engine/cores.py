"""Decides how many CPU threads each step of a model uses. Steps that run at the same time share the cores. A
step that runs alone may also use idle cores.

The number of threads changes no bit of the audio (docs/performance.md). On a machine where it would, each
step always uses the same number, its share.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager

import torch
from torch import Tensor

from glm_tts_api.engine.config import EngineConfig
from glm_tts_api.engine.device_thread import limit_threads
from glm_tts_api.model.checkpoint import Models
from glm_tts_api.model.decode_step import CpuDecodeStep
from glm_tts_api.model.flow import FlowInput, FlowSampler
from glm_tts_api.model.kv_cache import KVCache
from glm_tts_api.model.threads import power_of_two

logger = logging.getLogger(__name__)

_MOST_OF_ONE = 4  # threads that a step which runs alone may use, unless its share is larger
# A step on more threads than its share is crowded if it waits for more than 0.6 of its time. All steps then
# keep to their shares for 20 times the time that it waited.
_MOST_WAITING, _REST = 0.6, 20
_PROMPT = range(5)  # text ids of the prompt with which `must_be_fixed` tries the LLM


class Cores:
    """Gives each decode step and render step its number of CPU threads. Any thread may ask.

    A step's share is the number of threads that it may always use (`decode_threads` or `render_threads` of
    the config). `n_renders` returns how many renders want a step now. `fixed` makes each step keep to its
    share. `most_of_a_flow_step` is the most threads that a flow step can use. `all_for_one` says whether a
    flow step that runs alone uses all of the engine's cores and leaves none to decode steps. `decodes` says
    whether rows are being decoded now. `wide_decoding` says whether a decode step may use more than its share
    while nothing is rendered. `wide_decoding` is True until warm-up has measured whether that helps.

    A step that uses more than its share uses a power of two of threads, because other numbers change bits.
    Where other programs use the cores too, the threads of a step wait for each other at each operator, and
    the step takes many times as long. Steps then keep to their shares for a while.
    """

    def __init__(
        self,
        config: EngineConfig,
        n_renders: Callable[[], int],
        *,
        fixed: bool,
        most_of_a_flow_step: int = _MOST_OF_ONE,
    ) -> None:
        self.decodes, self.wide_decoding = False, True
        self._crowded_until = 0.0
        self._n_renders = n_renders
        self._n_threads = config.threads
        self._of_a_decode, self._of_a_render = config.decode_threads, config.render_threads
        self._most = 1 if fixed else _most_of_one(config)
        self.all_for_one = min(self._most, most_of_a_flow_step) == config.threads

    @property
    def of_a_render(self) -> int:
        """The number of CPU threads that a render's next step may use."""
        idle = self._n_threads - (self._of_a_decode if self.decodes else 0)
        return self._beyond(self._of_a_render, idle // max(1, self._n_renders()))

    def render_step(self) -> AbstractContextManager[None]:
        """Sets torch's number of threads for one render step, which the caller runs inside this context."""
        return self._step(self.of_a_render, share=self._of_a_render)

    def decode_step(self) -> AbstractContextManager[None]:
        """Sets torch's number of threads for one decode step, which the caller runs inside this context."""
        share, is_alone = self._of_a_decode, self.wide_decoding and not self._n_renders()
        return self._step(self._beyond(share, self._n_threads if is_alone else 0), share=share)

    @contextmanager
    def _step(self, n_threads: int, *, share: int) -> Iterator[None]:
        limit_threads(n_threads)
        begin, computed = time.perf_counter(), time.thread_time()
        yield
        taken_s = time.perf_counter() - begin
        waited_s = taken_s - (time.thread_time() - computed)
        if n_threads > share and waited_s > _MOST_WAITING * taken_s:
            self._crowded_until = time.perf_counter() + _REST * waited_s

    def _beyond(self, share: int, n_idle: int) -> int:
        if time.perf_counter() < self._crowded_until:
            return share
        n_threads = power_of_two(max(1, min(n_idle, self._most)))
        return max(share, n_threads) if share == power_of_two(share) else share


class IntraOpPool:
    """Runs several functions at the same time, each on one thread, on as many threads as a render step may
    use. Any thread may call it."""

    def __init__(self, cores: Cores) -> None:
        self._cores = cores
        self._pool = ThreadPoolExecutor(
            _MOST_OF_ONE - 1, thread_name_prefix="intra-op", initializer=limit_threads, initargs=(1,)
        )

    def __call__(self, calls: Sequence[Callable[[], Tensor]]) -> Iterator[Tensor]:
        """Runs all `calls`, starts the last one first, and waits until all have ended. Returns their results
        in the order of `calls`."""
        left = reversed([*enumerate(calls)])  # an iterator that gives each call to one of the threads
        results: dict[int, Tensor] = {}

        @torch.inference_mode()
        def work() -> None:
            for index, call in left:
                results[index] = call()

        n_helpers = min(self._cores.of_a_render, len(calls), _MOST_OF_ONE) - 1
        helpers = [self._pool.submit(work) for _ in range(n_helpers)]
        work()
        for helper in helpers:
            helper.result()
        return (results[index] for index in range(len(calls)))


def must_be_fixed(models: Models, config: EngineConfig) -> bool:
    """Returns whether each step has to keep to its share of the cores. The result is True on a GPU, which
    does not need the CPU's cores, and with a single core. On other CPUs an LLM step and a flow step are tried
    on one thread and on several; the result is True if one of the steps gave different bits."""
    n_threads = _most_of_one(config)
    if models.llm.device.type != "cpu" or n_threads == 1:
        return True
    for name, step in (("LLM", _decode_step), ("flow", _flow_step)):
        if not torch.equal(_on(1, step, models), _on(n_threads, step, models)):
            logger.warning(
                "On this CPU the %s has other bits on %d threads than on one: a lone request keeps to its "
                "share of the cores, however idle the rest is",
                name,
                n_threads,
            )
            return True
    return False


def _on(n_threads: int, step: Callable[[Models], Tensor], models: Models) -> Tensor:
    before = torch.get_num_threads()
    limit_threads(n_threads)
    try:
        return step(models)
    finally:
        limit_threads(before)


def _most_of_one(config: EngineConfig) -> int:
    return power_of_two(min(config.threads, _MOST_OF_ONE))


def _decode_step(models: Models) -> Tensor:
    llm = models.llm
    cache = KVCache(llm.config, slots=1, slot_length=64, dtype=llm.dtype, device=llm.device)
    llm.prefill(_PROMPT, cache=cache, slot=0)
    step = CpuDecodeStep(llm, cache, end=0, compiled=models.cpu_kernels)
    return llm.logits(step.forward([0], cache=cache, slots=[0], lengths=[len(_PROMPT)]))


def _flow_step(models: Models) -> Tensor:
    second = FlowInput(torch.zeros(25, dtype=torch.int64), torch.ones(192), noise=0)
    sampler = FlowSampler(models.flow, second, steps=1)
    sampler.step()
    return sampler.state
