"""Euler integration with classifier-free guidance, several segments at once (docs/model.md 8.2 and 8.4).

Both passes of the guidance go through the estimator as one batch. A FlowSampler advances one Euler step at a
time, so that its owner can stop between steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glm_tts_api.model.buckets import bucket, is_padded
from glm_tts_api.model.flow.config import FlowConfig
from glm_tts_api.model.flow.dit import DiT
from glm_tts_api.model.flow.masks import padding_mask
from glm_tts_api.model.flow.packing import pack
from glm_tts_api.model.graphs import Graphs
from glm_tts_api.model.placed_noise import placed_noise
from glm_tts_api.model.threads import at_most
from glm_tts_api.model.transfer import to_device

DEFAULT_STEPS = 10
FRAMES_PER_TOKEN = 2


@dataclass(frozen=True, slots=True, eq=False)
class FlowInput:
    """A segment to speak, or a window of one.

    tokens [n] and prompt_tokens [P] int64, prompt_mel [Tp, 80], speaker [192] (any length: it is
    normalised). Without a prompt, leave its two fields empty. `noise`: the seed of noise that belongs to
    each frame's place, or a generator that draws it in the published order. `start`: how many of the
    segment's tokens are left out before these; the window's frames keep the places that they have in the
    whole.
    """

    tokens: Tensor
    speaker: Tensor
    noise: torch.Generator | int
    prompt_tokens: Tensor = field(default_factory=lambda: torch.empty(0, dtype=torch.int64))
    prompt_mel: Tensor = field(default_factory=lambda: torch.empty(0, 80))
    start: int = 0


def n_frames(n_tokens: int, config: FlowConfig) -> int:
    """Mel frames of n tokens: one fewer than twice for some n, by the published float arithmetic."""
    return int(n_tokens / config.input_frame_rate * config.mel_framerate)


def tokens_to_frames(tokens: Tensor, length: int) -> Tensor:
    """Nearest-neighbour resampling of ids [n] to [length]; positions in float32, as published."""
    n = tokens.shape[0]
    source = (torch.arange(length, dtype=torch.float32) * (n / length)).floor().long().clamp_max(n - 1)
    return tokens[source.to(tokens.device)]


def cosine_schedule(steps: int) -> tuple[Tensor, Tensor]:
    """Times at which the estimator is asked and the step lengths, [steps] float32 each.

    The time is accumulated rather than read from the schedule, as published: the last bits differ.
    """
    grid = 1 - torch.cos(torch.linspace(0, 1, steps + 1) * 0.5 * math.pi)
    times, lengths = [grid[0]], [grid[1] - grid[0]]
    for target in grid[2:]:
        times.append(times[-1] + lengths[-1])
        lengths.append(target - times[-1])
    return torch.stack(times), torch.stack(lengths)


class FlowMatching(nn.Module):
    """The flow of flow.pt: the estimator and its sampling."""

    def __init__(self, config: FlowConfig) -> None:
        super().__init__()
        self.config = config
        self.estimator = DiT(config)
        self.precision: Callable[[], AbstractContextManager[Any]] = nullcontext  # the precision of a step
        self.conditions, self.euler_step = Graphs(self._conditions), Graphs(self._euler_step)

    def pack(self, dtype: torch.dtype = torch.float32) -> FlowMatching:
        """The estimator's products in `dtype`, in place and for inference alone; quicker on a CPU."""
        pack(self.estimator, dtype)
        return self

    @torch.inference_mode()
    def capture(self, n_frames: Iterable[int], *, steps: int) -> None:
        """On a GPU: graphs of one segment alone, of so many frames with its prompt, in `steps` steps. Weights
        stay from then on what and where they are.

        Raises RuntimeError where that cannot be; all goes on without graphs then.
        """
        one = FlowInput(torch.zeros(0, dtype=torch.int64), torch.ones(192), noise=0)
        lengths = sorted({-(-frames // FRAMES_PER_TOKEN) for frames in n_frames}, reverse=True)
        segments = [replace(one, tokens=torch.zeros(length, dtype=torch.int64)) for length in lengths]
        samplers = [self.sampler([segment], steps=steps) for segment in segments]
        self.conditions.capture([sampler.condition_inputs() for sampler in samplers])
        self.euler_step.capture([sampler.step_inputs() for sampler in samplers])

    def sampler(self, inputs: Sequence[FlowInput], *, steps: int = DEFAULT_STEPS) -> FlowSampler:
        return FlowSampler(self, inputs, steps=steps)

    def sample(self, inputs: Sequence[FlowInput], *, steps: int = DEFAULT_STEPS) -> list[Tensor]:
        """All steps at once; the mel of each segment, [1, 80, T] without the prompt's frames."""
        sampler = self.sampler(inputs, steps=steps)
        while not sampler.done:
            sampler.step()
        return sampler.mels()

    def _conditions(
        self, frames: Tensor, speakers: Tensor, times: Tensor, padding: Tensor | None, places: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The inputs that stay the same from step to step, for the rows [conditional; unconditional].

        frames [B, T] token ids per frame, speakers [B, 192] of unit length, times [steps] -> tokens [2B, T,
        E]; terms that speakers [2B, *] and times [steps, *] add to the AdaLN layers.
        """
        with self.precision():
            tokens = self.estimator.text_emb_layer(frames, padding, places)
            speaker = self.estimator.speaker_parts(speakers)
            speakers_of_both = torch.cat([speaker, torch.zeros_like(speaker)])
            return tokens.repeat(2, 1, 1), speakers_of_both, self.estimator.time_parts(times)

    def _euler_step(
        self,
        state: Tensor,
        cond: Tensor,
        tokens: Tensor,
        modulation: Tensor,
        length: Tensor,
        padding: Tensor | None,
        mask: Tensor | None,
        places: Tensor | None,
    ) -> tuple[Tensor]:
        """A step of `length` [] from state [B, T, 80] -> the next state; all else has 2B rows."""
        with self.precision():
            velocity = self.estimator.velocity(
                state.to(cond.dtype).repeat(2, 1, 1),
                cond,
                tokens,
                modulation=modulation,
                padding=padding,
                mask=mask,
                positions=places,
            )
        conditional, unconditional = velocity.float().chunk(2)
        guided = (1 + self.config.cfg_rate) * conditional - self.config.cfg_rate * unconditional
        return (state + length * guided,)


class FlowSampler:
    """A batch of segments on its way from noise to mel. Not shared between threads.

    `state` [B, T, 80] float32 is where the rows are now, on a GPU with the padding behind their ends (model/
    buckets.py); `step_index` of `steps` steps are done.

    Raises ValueError for an empty batch, a segment without tokens or steps below 1. Token ids outside the
    table raise what torch's embedding raises.
    """

    def __init__(self, model: FlowMatching, inputs: Sequence[FlowInput], *, steps: int) -> None:
        if not inputs or steps < 1:
            raise ValueError("the flow needs at least one segment and one step")
        self.inputs = tuple(inputs)
        self.steps = steps
        self.step_index = 0
        self._model = model
        self._tokens = [torch.cat([item.prompt_tokens.to(item.tokens), item.tokens]) for item in self.inputs]
        self._lengths = [
            FRAMES_PER_TOKEN * len(tokens) if item.start else n_frames(len(tokens), model.config)
            for item, tokens in zip(self.inputs, self._tokens, strict=True)
        ]
        if min(self._lengths) < 1:
            raise ValueError("the flow needs at least one token per segment")
        self._prepare()

    @torch.inference_mode()
    def _prepare(self) -> None:
        """Everything that stays the same from step to step, for the rows [conditional; unconditional]."""
        weight = self._model.estimator.proj_out.weight
        device = weight.device
        padded = is_padded(device)
        width = bucket(max(self._lengths), device)
        rows = list(zip(self.inputs, self._lengths, strict=True))
        padding = places = None
        if padded or len(set(self._lengths)) > 1:
            padding = padding_mask(self._lengths, width, device)
        if padded or any(item.start for item in self.inputs):
            places = to_device(_stack([_places(*row) for row in rows], width), device)
        frames = [tokens_to_frames(*row) for row in zip(self._tokens, self._lengths, strict=True)]
        speakers = torch.stack([F.normalize(item.speaker.float(), dim=-1) for item in self.inputs])
        cond = _stack([_condition(*row) for row in rows], width)
        times, lengths = cosine_schedule(self.steps)

        self._frames = to_device(_stack(frames, width), device)
        self._speakers, self._times = to_device(speakers, device), to_device(times, device)
        # On a CPU a step's length is a scalar of the host's, which needs no copy.
        self._step_lengths = to_device(lengths, device).unbind()
        self._one_pass = padding, places
        self._padding = None if padding is None else padding.repeat(2, 1)
        self._places = None if places is None else places.repeat(2, 1)
        self._mask = None if self._padding is None else self._padding[:, None, None]
        self._cond = to_device(torch.cat([cond, torch.zeros_like(cond)]), device).to(weight.dtype)
        # [B, T, 80]: float32 whatever the estimator's dtype
        self.state = to_device(_stack([_noise(*row) for row in rows], width), device)
        with at_most(1):
            self._conditions = self._model.conditions(*self.condition_inputs())

    def condition_inputs(self) -> tuple[Any, ...]:
        """The tensors that FlowMatching makes its conditions of."""
        return self._frames, self._speakers, self._times, *self._one_pass

    def step_inputs(self) -> tuple[Any, ...]:
        """The tensors that FlowMatching makes its next step of."""
        tokens, speakers, times = self._conditions
        modulation, length = times[self.step_index] + speakers, self._step_lengths[self.step_index]
        masks = self._padding, self._mask, self._places
        return self.state, self._cond, tokens, modulation, length, *masks

    @property
    def done(self) -> bool:
        return self.step_index == self.steps

    @torch.inference_mode()
    def step(self) -> None:
        """One Euler step for all segments."""
        (self.state,) = self._model.euler_step(*self.step_inputs())
        self.step_index += 1

    def mels(self) -> list[Tensor]:
        """The finished spectrograms, [1, 80, T] each; cut by the prompt's mel frames, not by its tokens. Of a
        window that leaves tokens out, all frames of its tokens."""
        return [
            self.state[row : row + 1, _first_frame(item) : length].transpose(1, 2)
            for row, (item, length) in enumerate(zip(self.inputs, self._lengths, strict=True))
        ]


def _stack(rows: Sequence[Tensor], width: int) -> Tensor:
    """Rows [T_i, ...] padded behind with zeros to [B, width, ...]."""
    stacked = nn.utils.rnn.pad_sequence(list(rows), batch_first=True)
    missing = width - stacked.shape[1]
    return F.pad(stacked, (*[0, 0] * (stacked.ndim - 2), 0, missing)) if missing else stacked


def _first_frame(item: FlowInput) -> int:
    """The first that is not the prompt's."""
    return FRAMES_PER_TOKEN * len(item.prompt_tokens) if item.start else len(item.prompt_mel)


def _places(item: FlowInput, length: int) -> Tensor:
    """Where the frames are in the whole utterance, [length] int64."""
    left_out = FRAMES_PER_TOKEN * item.start
    places = torch.arange(length)
    return places + left_out * (places >= _first_frame(item))


def _condition(item: FlowInput, length: int) -> Tensor:
    """The prompt's mel, then zeros, [length, 80]; of a prompt longer than that, its last frames."""
    mel = item.prompt_mel[: _first_frame(item)][-length:].float()
    return F.pad(mel, (0, 0, 0, length - len(mel)))


def _noise(item: FlowInput, length: int) -> Tensor:
    n_mels = item.prompt_mel.shape[1]
    if isinstance(item.noise, torch.Generator):
        return torch.randn(1, length, n_mels, generator=item.noise, device=item.noise.device)[0]
    n_prompt = min(_first_frame(item), length)
    first, last = (FRAMES_PER_TOKEN * item.start + place for place in (n_prompt, length))
    spans = ((0, n_prompt), (first, last))
    return torch.cat([placed_noise(item.noise, *span, per_frame=(n_mels,)) for span in spans])
