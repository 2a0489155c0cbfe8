"""Which GPUs PyTorch can use here and, where that is none, why. Knows NVIDIA's driver from Linux's /proc."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import torch

_DRIVER = Path("/proc/driver/nvidia/version")


def n_gpus() -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is wrong with the driver: `why_no_gpu` says it
        return torch.cuda.device_count() if torch.cuda.is_available() else 0


def why_no_gpu() -> str | None:
    """Why PyTorch uses no GPU on a machine that seems to have one; None where nothing speaks for one."""
    return explain(cuda=torch.version.cuda, driver=driver_version(), said=_torch_says())


def explain(*, cuda: str | None, driver: str | None, said: str) -> str | None:
    """`cuda`: the version that PyTorch is built for; `driver`: that of the kernel's NVIDIA driver; `said`:
    what PyTorch answers when it is to use a GPU."""
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
    """The NVIDIA driver's version; None where the kernel has none."""
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
