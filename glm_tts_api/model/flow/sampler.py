"""Euler integration with classifier-free guidance, several segments at once (docs/model.md 8.2 and 8.4).

Both passes of the guidance go through the estimator as one batch. A FlowSampler advances one Euler step at a
time, so that its owner can stop between steps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glm_tts_api.model.flow.config import FlowConfig
from glm_tts_api.model.flow.dit import DiT
from glm_tts_api.model.flow.masks import padding_mask
from glm_tts_api.model.flow.packing import pack
from glm_tts_api.model.placed_noise import placed_noise
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

    def pack(self, dtype: torch.dtype = torch.float32) -> FlowMatching:
        """The estimator's products in `dtype`, in place and for inference alone; quicker on a CPU."""
        pack(self.estimator, dtype)
        return self

    def sampler(self, inputs: Sequence[FlowInput], *, steps: int = DEFAULT_STEPS) -> FlowSampler:
        return FlowSampler(self, inputs, steps=steps)

    def sample(self, inputs: Sequence[FlowInput], *, steps: int = DEFAULT_STEPS) -> list[Tensor]:
        """All steps at once; the mel of each segment, [1, 80, T] without the prompt's frames."""
        sampler = self.sampler(inputs, steps=steps)
        while not sampler.done:
            sampler.step()
        return sampler.mels()


class FlowSampler:
    """A batch of segments on its way from noise to mel. Not shared between threads.

    `state` [B, T, 80] float32 is where the rows are now; `step_index` of `steps` steps are done.

    Raises ValueError for an empty batch, a segment without tokens or steps below 1. Token ids outside the
    table raise what torch's embedding raises.
    """

    def __init__(self, model: FlowMatching, inputs: Sequence[FlowInput], *, steps: int) -> None:
        if not inputs or steps < 1:
            raise ValueError("the flow needs at least one segment and one step")
        self.inputs = tuple(inputs)
        self.steps = steps
        self.step_index = 0
        self._estimator = model.estimator
        self._cfg_rate = model.config.cfg_rate
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
        weight = self._estimator.proj_out.weight
        device, dtype = weight.device, weight.dtype
        frames = [
            tokens_to_frames(tokens, length)
            for tokens, length in zip(self._tokens, self._lengths, strict=True)
        ]
        padding = padding_mask(self._lengths, device)
        positions = self._positions(device)
        tokens = self._estimator.text_emb_layer(to_device(_stack(frames), device), padding, positions)
        cond = _stack([_condition(*row) for row in zip(self.inputs, self._lengths, strict=True)])
        speakers = torch.stack([F.normalize(item.speaker.float(), dim=-1) for item in self.inputs])
        speaker = self._estimator.speaker_parts(to_device(speakers, device))

        self._padding = None if padding is None else padding.repeat(2, 1)
        self._places = None if positions is None else positions.repeat(2, 1)
        self._mask = None if self._padding is None else self._padding[:, None, None]
        self._token_embedding = tokens.repeat(2, 1, 1)
        self._cond = to_device(torch.cat([cond, torch.zeros_like(cond)]), device).to(dtype)
        self._speaker_parts = torch.cat([speaker, torch.zeros_like(speaker)])
        times, self._step_lengths = cosine_schedule(self.steps)
        self._time_parts = self._estimator.time_parts(to_device(times, device))
        noise = [_noise(*row) for row in zip(self.inputs, self._lengths, strict=True)]
        self.state = to_device(_stack(noise), device)  # [B, T, 80]: float32 whatever the estimator's dtype

    def _positions(self, device: torch.device) -> Tensor | None:
        """Where the rows' frames are in their utterances, [B, T]; None where every row is whole."""
        if not any(item.start for item in self.inputs):
            return None
        rows = [_places(*row) for row in zip(self.inputs, self._lengths, strict=True)]
        return to_device(_stack(rows), device)

    @property
    def done(self) -> bool:
        return self.step_index == self.steps

    @torch.inference_mode()
    def step(self) -> None:
        """One Euler step for all segments."""
        index = self.step_index
        both = self.state.to(self._cond.dtype).repeat(2, 1, 1)
        velocity = self._estimator.velocity(
            both,
            self._cond,
            self._token_embedding,
            modulation=self._time_parts[index] + self._speaker_parts,
            padding=self._padding,
            mask=self._mask,
            positions=self._places,
        )
        conditional, unconditional = velocity.float().chunk(2)
        guided = (1 + self._cfg_rate) * conditional - self._cfg_rate * unconditional
        self.state = self.state + self._step_lengths[index] * guided  # a host scalar, which needs no copy
        self.step_index += 1

    def mels(self) -> list[Tensor]:
        """The finished spectrograms, [1, 80, T] each; cut by the prompt's mel frames, not by its tokens. Of a
        window that leaves tokens out, all frames of its tokens."""
        return [
            self.state[row : row + 1, _first_frame(item) : length].transpose(1, 2)
            for row, (item, length) in enumerate(zip(self.inputs, self._lengths, strict=True))
        ]


def _stack(rows: Sequence[Tensor]) -> Tensor:
    """Rows [T_i, ...] padded behind with zeros to [B, max T, ...]."""
    return nn.utils.rnn.pad_sequence(list(rows), batch_first=True)


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
