"""Chooses for each golden file the module that runs its cases, and runs them."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import torch

from scripts.checks.parity.golden import CaseResult, Golden

Runner = Callable[[Golden], Iterable[CaseResult]]

# Maps a golden file's name to a module of this package. Each module has `run(golden)`, which yields a result
# per case.
MODULES = {
    "mel_24k": "audio",
    "mel_32k": "audio",
    "kaldi_fbank": "audio",
    "resample": "audio",
    "tok_tiny": "tok",
    "tok_official_dims_2layer": "tok",
    "llm_tiny": "llm",
    "llm_official_dims_2layer": "llm",
    "flow_tiny": "flow",
    "flow_official": "flow",
    "flow_extra": "flow",
    "hift_tiny": "hift",
    "hift_official": "hift",
    "tokenizer": "tokenizer",
    "text_frontend": "text",
    "e2e": "e2e",
    "stream": "stream",
}


def golden_files(directory: Path) -> list[Path]:
    """Returns the golden files of a directory in the order of MODULES, with unknown .npz files at the end."""
    order = list(MODULES)
    found = [
        path
        for path in sorted(directory.iterdir())
        if path.suffix == ".npz" or (path.suffix == ".json" and path.stem in MODULES)
    ]
    return sorted(found, key=lambda path: order.index(path.stem) if path.stem in MODULES else len(order))


def run_file(path: Path) -> Iterator[CaseResult]:
    """Yields a result for each case of one golden file.

    An exception, or an unknown file, yields a failed case.
    """
    component = MODULES.get(path.stem)
    if component is None:
        yield CaseResult(path.stem, "-", "FAIL", "nothing is known about this file")
        return
    try:
        runner: Runner = importlib.import_module(f"scripts.checks.parity.{component}").run
        with torch.inference_mode():
            yield from runner(Golden(path))
    except Exception as error:
        yield CaseResult(component, path.stem, "FAIL", f"{type(error).__name__}: {error}")
