"""Reads named tensors from the disk: from one or several safetensors files, and from torch pickles.

Opening a file reads names and shapes. The data of a tensor is read only when it is asked for, from a memory
map of the file.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

INDEX = "model.safetensors.index.json"
_WEIGHT_NORM = {  # the older names of weight-normed tensors
    "weight_g": "parametrizations.weight.original0",
    "weight_v": "parametrizations.weight.original1",
}


class BrokenFile(Exception):
    """A file cannot be read, or does not have the expected content. The message says why."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(why)
        self.path = path


class TensorFiles:
    """The tensors of one or several files. `shapes` gives the shape of each tensor by its name."""

    def __init__(self, shapes: Mapping[str, tuple[int, ...]], where: Mapping[str, Any]) -> None:
        self.shapes = dict(shapes)
        self._where = where

    def read(self, name: str) -> Tensor:
        """Returns the tensor `name` as it is stored, usually as a view of the mapped file."""
        source = self._where[name]
        return source if isinstance(source, Tensor) else source.get_tensor(name)


def open_safetensors(paths: Sequence[Path]) -> TensorFiles:
    """Opens safetensors files. Raises BrokenFile for a file that is cut short or is no safetensors file."""
    shapes: dict[str, tuple[int, ...]] = {}
    where: dict[str, Any] = {}
    for path in paths:
        try:
            source: Any = safe_open(path, framework="pt")
            for name in source.keys():  # noqa: SIM118  (not a mapping)
                shapes[name], where[name] = tuple(source.get_slice(name).get_shape()), source
        except (SafetensorError, OSError) as error:
            raise BrokenFile(path, f"cannot be read ({error})") from error
    return TensorFiles(shapes, where)


def open_pickle(path: Path) -> TensorFiles:
    """Opens a torch pickle that holds a state dict, or a plain dict with a state dict under the key "model".
    Raises BrokenFile for any other content."""
    content = _load_pickle(path)
    if type(content) is dict and "model" in content:
        content = content["model"]
    if not isinstance(content, Mapping) or not all(isinstance(value, Tensor) for value in content.values()):
        raise BrokenFile(path, "does not hold a state dict of tensors")
    tensors = {_new_name(str(name)): value for name, value in content.items()}
    return TensorFiles({name: tuple(value.shape) for name, value in tensors.items()}, tensors)


def _load_pickle(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            zipped = file.read(2) == b"PK"  # torch's current format, and the only one that can be mapped
        return torch.load(path, map_location="cpu", weights_only=True, mmap=zipped)
    except (RuntimeError, OSError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
        raise BrokenFile(path, f"cannot be read ({first_line(error) or type(error).__name__})") from error


def first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def _new_name(name: str) -> str:
    stem, _, last = name.rpartition(".")
    return f"{stem}.{_WEIGHT_NORM[last]}" if last in _WEIGHT_NORM else name


def indexed_files(directory: Path) -> list[Path] | None:
    """Returns the files that the safetensors index in `directory` names, whether they exist or not. None if
    there is no index. Raises BrokenFile if the index cannot be read."""
    index = directory / INDEX
    if not index.is_file():
        return None
    try:
        names = json.loads(index.read_bytes())["weight_map"].values()
        return sorted({directory / str(name) for name in names})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BrokenFile(index, f"is no safetensors index ({error!r})") from error


def mismatches(found: Mapping[str, tuple[int, ...]], wanted: Mapping[str, tuple[int, ...]]) -> Iterator[str]:
    """Compares the shapes of the stored tensors (`found`) with those of the module (`wanted`), by name.
    Yields a sentence for missing names, for unknown names and for wrong shapes. Long lists are shortened."""
    missing = [name for name in wanted if name not in found]
    unknown = [name for name in found if name not in wanted]
    if missing:
        yield f"{len(missing)} missing: {_some(missing)}"
    if unknown:
        yield f"{len(unknown)} not expected: {_some(unknown)}"
    wrong = [name for name in wanted if name in found and tuple(found[name]) != tuple(wanted[name])]
    if wrong:
        pairs = [f"{name} is {list(found[name])} instead of {list(wanted[name])}" for name in wrong]
        yield f"{len(wrong)} of the wrong shape: {_some(pairs)}"


def _some(items: Sequence[str], limit: int = 6) -> str:
    rest = len(items) - limit
    return ", ".join(items[:limit]) + (f" and {rest} more" if rest > 0 else "")
