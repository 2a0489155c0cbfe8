"""Makes weights and inputs from names and seeds by a rule, so that the golden files need not contain them."""

from __future__ import annotations

import json
import math
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Shapes = Mapping[str, Sequence[int]]
RowFactors = Sequence[tuple[int, int, float]]
Float64 = npt.NDArray[np.float64]


def load_rules() -> dict[str, list[tuple[str, dict[str, Any]]]]:
    """Reads fill_rules.json: for each component a list of (regular expression, rule).

    The first expression that matches a weight's key gives the rule for that weight.
    """
    path = Path(__file__).with_name("fill_rules.json")
    rules: dict[str, list[tuple[str, dict[str, Any]]]] = json.loads(path.read_text(encoding="utf-8"))
    return rules


def fill(salt: str, table: str, shapes: Shapes, rows: RowFactors | None = None) -> dict[str, Tensor]:
    """Makes a state dict of float32 tensors, one for each name and shape in `shapes`.

    `salt` changes all values. `table` names the component's rules. `rows` lists (start, end, factor) for rows
    of those weights whose rule scales rows. Keys whose rule is "keep" are left out, since the model defines
    them.
    """
    return dict(iter_fill(salt, table, shapes, rows))


def iter_fill(
    salt: str, table: str, shapes: Shapes, rows: RowFactors | None = None
) -> Iterator[tuple[str, Tensor]]:
    """Yields the tensors of `fill` one at a time, for checkpoints that do not fit into memory twice."""
    rules = load_rules()[table]
    for key, shape in shapes.items():
        rule = _rule(rules, key)
        if not rule.get("keep"):
            yield key, _tensor(salt, key, tuple(shape), rule, rows)


def _rule(rules: Sequence[tuple[str, dict[str, Any]]], key: str) -> dict[str, Any]:
    for pattern, rule in rules:
        if re.search(pattern, key):
            return rule
    raise KeyError(f"no fill rule for {key}")


def _tensor(
    salt: str, key: str, shape: tuple[int, ...], rule: Mapping[str, Any], rows: RowFactors | None
) -> Tensor:
    values = _uniform(zlib.crc32(f"{salt}:{key}".encode()), shape)
    values *= _scale(rule, shape)
    if rule.get("rows") and rows:
        factors = np.ones(shape[0])
        for start, end, factor in rows:
            factors[start:end] = factor
        values *= factors.reshape(-1, *(1 for _ in shape[1:]))
    offsets = np.asarray(rule.get("offset_list", [rule.get("offset", 0.0)]), dtype=np.float64)
    values += offsets.reshape(-1, *(1 for _ in shape[1:])) if shape else offsets
    return torch.from_numpy(values.astype(np.float32))


def _scale(rule: Mapping[str, Any], shape: tuple[int, ...]) -> float:
    if "scale" in rule:
        return float(rule["scale"])
    return float(rule["gain"]) / math.sqrt(math.prod(shape[1:]))


def _uniform(seed: int, shape: tuple[int, ...]) -> Float64:
    """Returns uniformly distributed random values with mean 0 and variance 1."""
    values: Float64 = np.random.Generator(np.random.Philox(key=seed)).random(shape)
    values *= 2
    values -= 1
    values *= math.sqrt(3)
    return values


def rnd(seed: int, *shape: int) -> Tensor:
    return torch.from_numpy(_uniform(seed, shape).astype(np.float32))


def toks(seed: int, n: int) -> Tensor:
    """Returns random speech tokens, [1, n] int64."""
    generator = np.random.Generator(np.random.Philox(key=seed))
    return torch.from_numpy(generator.integers(0, 32768, size=n))[None]


def melin(seed: int, n: int) -> Tensor:
    """Returns random values in the range of a log-mel spectrogram, [1, n, 80]."""
    return rnd(seed, 1, n, 80) * 1.5 - 5.0


def pcm(samples: npt.NDArray[np.int16]) -> Tensor:
    """Converts 16-bit samples to a float32 signal in the range -1 to 1, of the same shape."""
    return torch.from_numpy(samples.astype(np.float32) / 32768)
