"""Euler integration with classifier-free guidance (docs/model.md 8.2 and 8.4).

Both passes of the guidance go through the estimator as one batch, or side by side. A FlowSampler advances one
Euler step at a time, so that other work can be done between two steps.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glm_tts_api.model.buckets import bucket, is_padded
from glm_tts_api.model.flow.config import FlowConfig
from glm_tts_api.model.flow.dit import AdaLayerNorm, DiT
from glm_tts_api.model.graphs import GraphPool, Graphs
from glm_tts_api.model.linear import PackedLinear, rounds_by_blocks
from glm_tts_api.model.placed_noise import placed_noise
from glm_tts_api.model.threads import IntraOp, WholeVectors, at_most, one_after_another
from glm_tts_api.model.transfer import to_device

DEFAULT_STEPS = 10
FRAMES_PER_TOKEN = 2
_TYPICAL_ROWS = 1024  # of a product: both passes of some ten seconds of prompt and speech


@dataclass(frozen=True, slots=True, eq=False)
class FlowInput:
    """The input of the flow for a segment, or for a window of a segment.

    `tokens` [n] int64 are its speech tokens. `speaker` [192] is the speaker embedding, which need not be
    normalised. `prompt_tokens` [P] int64 and `prompt_mel` [Tp, 80] are the voice's prompt; without a prompt,
    leave both empty. `noise` is a seed, from which each frame's noise is made by its place, or a generator
    that draws the noise in the order of the published code. `start` is the number of the segment's tokens
    before the window. The window's frames keep the places that they have in the whole segment.
    """

    tokens: Tensor
    speaker: Tensor
    noise: torch.Generator | int
    prompt_tokens: Tensor = field(default_factory=lambda: torch.empty(0, dtype=torch.int64))
    prompt_mel: Tensor = field(default_factory=lambda: torch.empty(0, 80))
    start: int = 0


def n_frames(n_tokens: int, config: FlowConfig) -> int:
    """Returns the number of mel frames for `n_tokens` speech tokens: twice `n_tokens`, or one fewer for some
    numbers, because the published code computes the number with floats."""
    return int(n_tokens / config.input_frame_rate * config.mel_framerate)


def tokens_to_frames(tokens: Tensor, length: int) -> Tensor:
    """Stretches the token ids [n] to one id for each of `length` frames, by nearest-neighbour resampling.
    Positions are computed in float32, as in the published code."""
    n = tokens.shape[0]
    source = (torch.arange(length, dtype=torch.float32) * (n / length)).floor().long().clamp_max(n - 1)
    return tokens[source.to(tokens.device)]


class FlowMatching(nn.Module):
    """The flow with the weights of flow.pt: the estimator, and the sampling with it. `intra_op` runs the
    two passes of the guidance where more threads than one would change the bits of a pass."""

    def __init__(self, config: FlowConfig) -> None:
        super().__init__()
        self.config = config
        self.estimator = DiT(config)
        self.precision: Callable[[], AbstractContextManager[Any]] = nullcontext  # the precision of a step
        self.intra_op: IntraOp = one_after_another
        self._apart = False  # whether each pass of the guidance runs by itself, on one thread
        self.conditions, self.euler_step = Graphs(self._conditions), Graphs(self._euler_step)
        self._times: dict[int, Tensor] = {}  # once the graphs are captured, what `time_parts` returns

    @property
    def most_threads(self) -> int:
        """The most CPU threads that a step can use."""
        return 2 if self._apart else sys.maxsize

    def pack(self, dtype: torch.dtype = torch.float32) -> FlowMatching:
        """Makes the estimator compute its products in `dtype`, in place. These products are faster on a CPU;
        training is not possible any more."""
        pack(self.estimator, dtype)
        self._apart = self.estimator.proj_out.weight.device.type == "cpu" and rounds_by_blocks(dtype)
        return self

    @torch.inference_mode()
    def capture(self, pool: GraphPool, n_frames: Iterable[int], *, steps: int) -> None:
        """Captures CUDA graphs in `pool` for each number of frames in `n_frames` (the prompt's frames
        included) and `steps` steps. From then on the weights must neither change nor move.

        Raises RuntimeError if the capture fails. The flow then works without graphs.
        """
        one = FlowInput(torch.zeros(1, dtype=torch.int64), torch.ones(192), noise=0)
        if self.estimator.proj_out.weight.device.type == "cuda":
            self._take_kernels(one)
        self._times = {steps: self.time_parts(steps)}
        lengths = sorted({-(-frames // FRAMES_PER_TOKEN) for frames in n_frames}, reverse=True)
        segments = [replace(one, tokens=torch.zeros(length, dtype=torch.int64)) for length in lengths]
        samplers = [FlowSampler(self, segment, steps=steps) for segment in segments]
        self.conditions.capture([sampler.condition_inputs for sampler in samplers], pool)
        self.euler_step.capture([sampler.step_inputs() for sampler in samplers], pool)

    def _take_kernels(self, example: FlowInput) -> None:
        """Makes the estimator use Triton's kernels if these work here, which a step with `example` shows."""
        try:
            from glm_tts_api.model import flow_kernels

            self.estimator.transform = flow_kernels.transform
            self.sample(example, steps=1)
        except torch.OutOfMemoryError:
            raise
        except Exception:  # the decode step, which tried before, has said why
            self.estimator.transform = None

    def sample(self, segment: FlowInput, *, steps: int = DEFAULT_STEPS) -> Tensor:
        """Runs all steps. Returns the mel of the segment, [1, 80, T], without the prompt's frames."""
        sampler = FlowSampler(self, segment, steps=steps)
        while not sampler.step():
            pass
        return sampler.mel()

    def time_parts(self, steps: int) -> Tensor:
        """Returns the parts of the AdaLN layers that come from the times of `steps` steps, [steps, *]."""
        if steps in self._times:
            return self._times[steps]
        with self.precision(), at_most(1):
            times = cosine_schedule(steps)[0]
            return self.estimator.time_parts(to_device(times, self.estimator.proj_out.weight.device))

    def _conditions(
        self, frames: Tensor, speakers: Tensor, padding: Tensor | None, places: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Computes the inputs that stay the same from step to step. The result has 2B rows: the conditional
        rows, then the unconditional ones.

        `frames` [B, T] holds a token id for each frame, `speakers` [B, 192] has unit length. Returns the
        embedded tokens [2B, T, E], and the parts of the AdaLN layers that come from the speakers [2B, *].
        """
        with self.precision():
            tokens = self.estimator.text_emb_layer(frames, padding, places)
            speaker = self.estimator.speaker_parts(speakers)
            return tokens.repeat(2, 1, 1), torch.cat([speaker, torch.zeros_like(speaker)])

    def _euler_step(
        self,
        state: Tensor,
        cond: Tensor,
        tokens: Tensor,
        speakers: Tensor,
        time: Tensor,
        length: Tensor,
        padding: Tensor | None,
        mask: Tensor | None,
        places: Tensor | None,
    ) -> tuple[Tensor]:
        """Takes an Euler step from the state [B, T, 80], and returns the next state. `speakers` and `time`
        are the parts of the AdaLN layers. `length` is the step's length, a scalar tensor. All other tensors
        have 2B rows: the conditional rows, then the unconditional ones."""
        n, inputs = len(state), (state.to(cond.dtype).repeat(2, 1, 1), cond, tokens)
        optional = {"padding": padding, "mask": mask, "positions": places}
        others = {"modulation": time + speakers, **{name: x for name, x in optional.items() if x is not None}}
        with self.precision():
            if self._apart:
                passes = [
                    partial(
                        self.estimator.velocity,
                        *(x[rows] for x in inputs),
                        **{name: x[rows] for name, x in others.items()},
                    )
                    for rows in (slice(n), slice(n, None))
                ]
                with at_most(1):
                    conditional, unconditional = self.intra_op(passes)
            else:
                conditional, unconditional = self.estimator.velocity(*inputs, **others).chunk(2)
        rate = self.config.cfg_rate
        guided = (1 + rate) * conditional.float() - rate * unconditional.float()
        return (state + length * guided,)


class FlowSampler:
    """Turns noise into the mel of a segment, step by step. Only one thread may use it.

    `state` [1, T, 80] float32 holds the present values of the frames; on a GPU it has padding after the last
    frame (model/buckets.py). `step_index` of the `steps` steps are done. `condition_inputs` are the arguments
    of FlowMatching's `conditions`, which are computed once.

    Raises ValueError for a segment without tokens, or `steps` below 1. For token ids outside the table,
    torch's embedding raises its error.
    """

    def __init__(self, model: FlowMatching, segment: FlowInput, *, steps: int = DEFAULT_STEPS) -> None:
        tokens = torch.cat([segment.prompt_tokens.to(segment.tokens), segment.tokens])
        n_tokens = len(tokens)
        self._length = FRAMES_PER_TOKEN * n_tokens if segment.start else n_frames(n_tokens, model.config)
        if self._length < 1 or steps < 1:
            raise ValueError("the flow needs at least one token and one step")
        # The first frame after the prompt, whose length is that of its mel. A window has whole prompt tokens.
        n_prompt = len(segment.prompt_tokens)
        self._first = FRAMES_PER_TOKEN * n_prompt if segment.start else len(segment.prompt_mel)
        self._model = model
        self.steps = steps
        self.step_index = 0
        self._prepare(segment, tokens)

    @torch.inference_mode()
    def _prepare(self, segment: FlowInput, tokens: Tensor) -> None:
        """Computes the inputs that stay the same in all Euler steps (masks, conditions, embedded tokens,
        parts of the AdaLN layers), and the noise with which the first step begins. Tensors for both passes
        have a conditional row, then an unconditional one."""
        length, weight = self._length, self._model.estimator.proj_out.weight
        device = weight.device
        width, padded = bucket(length, device), is_padded(device)
        padding = (torch.arange(width, device=device) < length)[None] if padded else None
        places = None
        if padded or segment.start:
            at = torch.arange(length)
            at += FRAMES_PER_TOKEN * segment.start * (at >= self._first)
            places = to_device(_row(at, width), device)
        frames = to_device(_row(tokens_to_frames(tokens, length), width), device)
        speaker = to_device(F.normalize(segment.speaker.float()[None], dim=-1), device)
        mel = segment.prompt_mel[: self._first][-length:].float()  # of a longer prompt the last frames
        cond = _row(mel, width)
        self._step_lengths = to_device(cosine_schedule(self.steps)[1], device)
        self._padding = None if padding is None else padding.repeat(2, 1)
        self._places = None if places is None else places.repeat(2, 1)
        self._mask = None if self._padding is None else self._padding[:, None, None]
        self._cond = to_device(torch.cat([cond, torch.zeros_like(cond)]), device).to(weight.dtype)
        # float32 for each dtype of the estimator
        self.state = to_device(_row(_noise(segment, self._first, length), width), device)
        self.condition_inputs = frames, speaker, padding, places
        with at_most(1):
            self._tokens, self._speakers = self._model.conditions(*self.condition_inputs)
            self._times = self._model.time_parts(self.steps)

    def step_inputs(self) -> tuple[Any, ...]:
        """Returns the arguments of FlowMatching's `euler_step` for the next step."""
        time, length = self._times[self.step_index], self._step_lengths[self.step_index]
        masks = self._padding, self._mask, self._places
        return self.state, self._cond, self._tokens, self._speakers, time, length, *masks

    @torch.inference_mode()
    def step(self) -> bool:
        """Takes one Euler step. Returns whether it was the last one. On a GPU, waits until the step has
        ended: a more urgent render could not overtake steps that are already in the GPU's queue."""
        (self.state,) = self._model.euler_step(*self.step_inputs())
        if self.state.is_cuda:
            torch.cuda.current_stream(self.state.device).synchronize()
        self.step_index += 1
        return self.step_index == self.steps

    def mel(self) -> Tensor:
        """Returns the mel, [1, 80, T], without the prompt's frames. It is finished after the last step."""
        return self.state[:, self._first : self._length].transpose(1, 2)


def _row(frames: Tensor, width: int) -> Tensor:
    """Returns the frames [T, ...] as one row [1, width, ...], with zeros after the end."""
    return F.pad(frames, (*[0, 0] * (frames.ndim - 1), 0, width - len(frames)))[None]


def _noise(segment: FlowInput, first: int, length: int) -> Tensor:
    """Returns the noise [length, 80] of the prompt and the segment, whose first frame is `first`."""
    n_mels = segment.prompt_mel.shape[1]
    if isinstance(segment.noise, torch.Generator):
        return torch.randn(1, length, n_mels, generator=segment.noise, device=segment.noise.device)[0]
    n_prompt = min(first, length)
    begin, end = (FRAMES_PER_TOKEN * segment.start + place for place in (n_prompt, length))
    spans = ((0, n_prompt), (begin, end))
    return torch.cat([placed_noise(segment.noise, *span, per_frame=(n_mels,)) for span in spans])


def cosine_schedule(steps: int) -> tuple[Tensor, Tensor]:
    """Returns the times at which the estimator is evaluated, and the lengths of the steps, [steps] float32
    each.

    As in the published code, each time is the sum of the steps before it, whose last bits differ from the
    schedule's own values.
    """
    grid = 1 - torch.cos(torch.linspace(0, 1, steps + 1) * 0.5 * math.pi)
    times, lengths = [grid[0]], [grid[1] - grid[0]]
    for target in grid[2:]:
        times.append(times[-1] + lengths[-1])
        lengths.append(target - times[-1])
    return torch.stack(times), torch.stack(lengths)


class _PackedLayer(nn.Module):
    """Replaces an nn.Linear for inference: [..., k] of any dtype -> [..., n] in the weight's dtype."""

    def __init__(self, linear: nn.Linear, dtype: torch.dtype) -> None:
        super().__init__()
        self.dtype = dtype
        self._product = PackedLinear(
            linear.weight.detach().to(dtype), linear.bias.detach().to(dtype), typical_rows=_TYPICAL_ROWS
        )

    def forward(self, x: Tensor) -> Tensor:
        return self._product(x.to(self.dtype))


def pack(estimator: DiT, dtype: torch.dtype) -> None:
    """Replaces the linear layers of the estimator's input embedding and blocks by packed products in `dtype`,
    except those of the AdaLN layers. Casts their convolutions and wraps their activations in WholeVectors.
    The changes are made in place and for good. Layers that are packed already stay as they are.

    On a CPU oneDNN packs the weights. PyTorch's own float32 products go through MKL, which leaves half of
    some CPUs' vector units idle: packed products were twice as fast on an AMD EPYC. In bfloat16 the weights
    are cast once, on any device. The operations between the products stay in float32.
    """
    for part in (estimator.emb_concator, estimator.transformer_blocks):
        for module in list(part.modules()):
            for name, child in module.named_children():
                if isinstance(child, nn.Conv1d):
                    child.to(dtype)
                elif isinstance(child, (nn.Mish, nn.GELU)) and not isinstance(module, WholeVectors):
                    setattr(module, name, WholeVectors(child))
                elif type(child) is nn.Linear and not isinstance(module, AdaLayerNorm):  # runs once a segment
                    setattr(module, name, _PackedLayer(child, dtype))
