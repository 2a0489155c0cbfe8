"""Parts that the training programs share: saved states, schedules by CPU time, a log, optimisers."""

import math
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

_SAVE_EVERY_S = 60.0


@contextmanager
def plain_attention() -> Iterator[None]:
    """Computes attention as plain matrix products in bfloat16 within the block.

    On a CPU the backward pass of the fused kernel takes 1.5 to 8 times as long at the lengths of the
    training.
    """
    torch.backends.cuda.allow_fp16_bf16_reduction_math_sdp(True)  # applies to plain products on every device
    with sdpa_kernel(SDPBackend.MATH):
        yield


class Run:
    """A training run that can be interrupted at any time: its state on disk, the trained minutes and its log.

    The learning rates follow the share of `minutes` that has been trained. The minutes are CPU time, since a
    machine may be shared, and count over all restarts.
    """

    def __init__(self, folder: Path, *, minutes: float) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.step = 0
        self._limit_s = 60 * minutes
        self._trained_s = 0.0
        self._mark = time.process_time()
        self._saved = time.monotonic()

    def resume(self) -> dict[str, Any] | None:
        """Loads and returns the saved state, or returns None at the first start."""
        path = self.folder / "state.pt"
        if not path.exists():
            return None
        state: dict[str, Any] = torch.load(path, weights_only=True)
        self.step, self._trained_s = state["step"], state["trained_s"]
        self._mark = time.process_time()
        return state

    @property
    def trained_s(self) -> float:
        return self._trained_s + time.process_time() - self._mark

    @property
    def progress(self) -> float:
        """The trained share of the time: 0 to 1, and above 1 when the time is over."""
        return self.trained_s / self._limit_s

    def steps(self, state: Callable[[], dict[str, Any]]) -> Iterator[int]:
        """Yields the number of each step (1, 2, ...) until the time is over.

        Writes `state` each minute and at the end.
        """
        if self.progress >= 1:
            return
        while self.progress < 1:
            self.step += 1
            yield self.step
            if time.monotonic() - self._saved > _SAVE_EVERY_S:
                self._save(state())
        self._save(state())

    def _save(self, state: dict[str, Any]) -> None:
        """Writes `state`. The file is replaced in one step, so that it is always complete."""
        self._saved = time.monotonic()
        temporary = self.folder / "state.tmp"
        torch.save({**state, "step": self.step, "trained_s": self.trained_s}, temporary)
        os.replace(temporary, self.folder / "state.pt")

    def log(self, line: str) -> None:
        text = f"{self.trained_s:.0f}s step {self.step} {line}"
        print(text, flush=True)
        with (self.folder / "curve.log").open("a") as file:
            file.write(text + "\n")


def is_due(step: int) -> bool:
    """Returns whether held-out speech is tried after this step."""
    return step % 100 == 0 or step in (10, 30)


def warm_cosine(progress: float, step: int, *, warm_steps: int = 100, floor: float = 0.02) -> float:
    """Returns a factor on the learning rate: a linear warm-up, then a half cosine down to `floor`.

    `progress` is the trained share of the time (0 to 1), and `step` counts from 1.
    """
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
    return min(1.0, step / warm_steps) * (floor + (1 - floor) * cosine)


class Muon(torch.optim.Optimizer):
    """The optimiser Muon: momentum orthogonalised by five Newton-Schulz steps (Jordan et al., 2024).

    The kernel [out, in, K] of a convolution counts as a matrix [out, in * K].
    """

    def __init__(
        self, parameters: Iterable[nn.Parameter], *, lr: float, momentum: float = 0.95, decay: float = 0.01
    ) -> None:
        super().__init__(list(parameters), {"lr": lr, "momentum": momentum, "decay": decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            by_shape: dict[torch.Size, list[nn.Parameter]] = {}
            for parameter in group["params"]:
                if parameter.grad is not None:
                    by_shape.setdefault(parameter.shape, []).append(parameter)
            for same in by_shape.values():
                self._step_together(same, group)

    def _step_together(self, parameters: list[nn.Parameter], group: dict[str, Any]) -> None:
        updates = []
        for parameter in parameters:
            state = self.state[parameter]
            if "momentum" not in state:
                state["momentum"] = torch.zeros_like(parameter)
            gradient = parameter.grad
            assert gradient is not None
            state["momentum"].lerp_(gradient, 1 - group["momentum"])
            updates.append(gradient.lerp(state["momentum"], group["momentum"]).flatten(1))
        directions = _orthogonalise(torch.stack(updates))
        _, rows, columns = directions.shape
        scale = group["lr"] * max(1.0, rows / columns) ** 0.5
        for parameter, direction in zip(parameters, directions, strict=True):
            parameter.mul_(1 - group["lr"] * group["decay"]).sub_(
                direction.float().view_as(parameter), alpha=scale
            )


class MuonAndAdam:
    """Muon for the `matrices` of a network, AdamW for its other `parameters`.

    `rates` are the learning rates of both, which each step scales.
    """

    def __init__(
        self, matrices: Iterable[nn.Parameter], parameters: Iterable[nn.Parameter], *,
        rates: tuple[float, float], betas: tuple[float, float], decay: float = 0.01,
    ) -> None:  # fmt: skip
        chosen = list(matrices)
        places = {id(p) for p in chosen}
        others = [p for p in parameters if id(p) not in places]
        self.parameters = [*chosen, *others]
        self._rates = rates
        self._muon = Muon(chosen, lr=rates[0])
        self._adam = torch.optim.AdamW(others, lr=rates[1], betas=betas, weight_decay=decay, fused=True)

    def step(self, scale: float) -> None:
        for optimiser, rate in zip((self._muon, self._adam), self._rates, strict=True):
            optimiser.param_groups[0]["lr"] = rate * scale
            optimiser.step()

    def state(self) -> dict[str, Any]:
        return {"muon": self._muon.state_dict(), "adam": self._adam.state_dict()}

    def load(self, state: dict[str, Any] | None) -> bool:
        """Takes the moments from a run's `state`. Returns False if it has none, as one of shipped weights."""
        if state is None or "muon" not in state:
            return False
        self._muon.load_state_dict(state["muon"])
        self._adam.load_state_dict(state["adam"])
        return True


def _orthogonalise(matrices: Tensor) -> Tensor:
    x = matrices.bfloat16()
    tall = x.shape[1] > x.shape[2]
    x = x.mT if tall else x
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(5):
        a = x @ x.mT
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
    out: Tensor = x.mT if tall else x
    return out
