"""Finds out how many GPUs PyTorch can use here and, if there are none, why. The version of NVIDIA's driver is
read from Linux's /proc."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import torch

_DRIVER = Path("/proc/driver/nvidia/version")


def n_gpus() -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about a faulty driver, which `why_no_gpu` reports
        return torch.cuda.device_count() if torch.cuda.is_available() else 0


def why_no_gpu() -> str | None:
    """Returns the reason why PyTorch can use no GPU on a machine that seems to have one. None if nothing
    shows that the machine has a GPU."""
    return explain(cuda=torch.version.cuda, driver=driver_version(), said=_torch_says())


def explain(*, cuda: str | None, driver: str | None, said: str) -> str | None:
    """Returns the reason why PyTorch finds no GPU, as a sentence, or None if the machine seems to have none.
    `cuda` is the CUDA version for which PyTorch is built; None for a build for CPUs. `driver` is the version
    of the kernel's NVIDIA driver; None without a driver. `said` is PyTorch's error when it is asked for a
    GPU."""
    if cuda is None:
        return driver and (
            f"there is an NVIDIA driver ({driver}), but this PyTorch ({torch.__version__}) is built for CPUs:"
            " install one that is built for CUDA"
        )
    old = re.search(r"too old \(found version (\d+)\)", said)
    if old:
        which, found = f" ({driver})" if driver else "", int(old[1])
        return (
            f"the NVIDIA driver{which} goes up to CUDA {found // 1000}.{found % 1000 // 10} and is too old"
            f" for this PyTorch, which is built for CUDA {cuda}: update the driver, or install a PyTorch that"
            " is built for it"
        )
    if driver is None and ("no NVIDIA driver" in said or "No CUDA GPUs" in said):
        return None
    reason = said.partition(". ")[0].strip().rstrip(".")
    return f"PyTorch says: {reason}" + (f" (the NVIDIA driver is {driver})" if driver else "")


def driver_version() -> str | None:
    """Returns the version of the NVIDIA driver; None if the kernel has no such driver. Returns the text "of
    an unknown version" if the driver's file has no version."""
    try:
        text = _DRIVER.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    version = re.search(r"\b\d+\.\d+(\.\d+)?\b", text)
    return version[0] if version else "of an unknown version"


def _torch_says() -> str:
    try:
        torch.cuda.init()
    except Exception as error:  # RuntimeError; AssertionError from a build without CUDA
        return str(error)
    return "it has a GPU after all"
