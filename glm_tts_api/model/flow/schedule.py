"""The times of the Euler steps (docs/model.md 8.2)."""

from __future__ import annotations

import math

import torch
from torch import Tensor


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
