"""Fetches PyTorch's build for CUDA and its Triton into a cache, and builds the fake CUDA beside them.

    python -m tests.gpu_fake.build COMMAND...    runs the command with them, in place of the CPU's PyTorch

The cache is the folder FAKE_CUDA_DIR, by default ~/.cache/glm-tts-api/cuda-torch. The first use
fetches 0.7 GB.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CACHE = Path(os.environ.get("FAKE_CUDA_DIR", Path.home() / ".cache/glm-tts-api/cuda-torch"))
SITE = CACHE / "site"
_IMPORTED = re.compile(
    r"(?:__)?(?:cuda[A-Z_]|cu[A-Z]|cublas|cudnn|cufft|curand|cusolver|cusparse|nccl|nvrtc|nvJitLink|cupti|nvshmem)\w+"
)
_NEEDED = re.compile(r"\[(lib(?:cu|nccl|nvrtc|nvJitLink|nvshmem)[^\]]+)\]")


class Unavailable(Exception):
    """The fake cannot be built on this machine. The message says why."""


def environment(*, nvml: bool = True, **card: object) -> dict[str, str]:
    """Returns the environment of a process on the fake, which is built if need be. `card` are the fake's
    variables (cuda.cpp) without "FAKE_": GIB, DEVICES, ARCH, WSL. Without `nvml` the library of that name is
    missing, as in a container that may only compute. Raises Unavailable."""
    libraries = build()
    return os.environ | {
        **{f"FAKE_{name}": str(value) for name, value in card.items()},
        "LD_LIBRARY_PATH": f"{libraries}:{libraries}/nvml" if nvml else str(libraries),
        "TRITON_LIBCUDA_PATH": str(libraries),
        "TRITON_CACHE_DIR": str(CACHE / "triton"),
        "PYTHONPATH": f"{SITE}:{ROOT}",
        "OMP_NUM_THREADS": "1",
    }


def build() -> Path:
    """Returns the folder of the fake libraries. Raises Unavailable."""
    fetch()
    source = HERE / "cuda.cpp"
    made = hashlib.sha256(source.read_bytes() + Path(__file__).read_bytes()).hexdigest()[:16]
    folder = CACHE / f"fake-{made}"
    if folder.exists():
        return folder
    new = CACHE / f"new-{os.getpid()}"
    new.mkdir()
    torch_libraries = [str(path) for path in (SITE / "torch/lib").glob("*.so*")]
    headers = SITE / "triton/backends/nvidia/include"
    _run("g++", "-std=c++17", "-O1", "-w", "-fPIC", f"-I{headers}", "-c", source, "-o", new / "cuda.o")
    written = set(_symbols("--defined-only", new / "cuda.o"))
    own = set(_symbols("--defined-only", "-D", *torch_libraries))
    imported = {name for name in _symbols("-u", "-D", *torch_libraries) if _IMPORTED.fullmatch(name)}
    driver = set(re.findall(r"CUresult\s+(cu\w+)\(", _run("g++", "-E", headers / "cuda.h")))
    strings = (SITE / "torch/lib/libc10_cuda.so").read_bytes().split(b"\0")
    nvml = {string.decode() for string in strings if re.fullmatch(rb"nvml\w+", string)}
    rest = sorted((imported | driver | nvml) - written - own)
    (new / "rest.c").write_text("".join(f"long {name}() {{ return 0; }}\n" for name in rest))
    _run("gcc", "-w", "-fPIC", "-fno-builtin", "-c", new / "rest.c", "-o", new / "rest.o")
    _run("g++", "-shared", new / "cuda.o", new / "rest.o", "-o", new / "libcuda.so.1", "-ldl", "-lpthread")
    for name in set(_NEEDED.findall(_run("readelf", "-dW", *torch_libraries))) - {"libcuda.so.1"}:
        (new / name).symlink_to("libcuda.so.1")
    (new / "nvml").mkdir()
    (new / "nvml/libnvidia-ml.so.1").symlink_to("../libcuda.so.1")
    new.rename(folder)
    return folder


def fetch() -> None:
    """Puts PyTorch for CUDA and Triton, in the versions of constraints.txt, into the cache."""
    if SITE.exists():
        return
    pins = re.findall(r"^(?:torch|triton)==[\d.]+", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    new = CACHE / f"site-{os.getpid()}"
    exact = [pin.replace("==", "===") for pin in pins]  # not 2.13.0+cpu
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-compile", "--target", str(new)]
    done = subprocess.run([*pip, *exact], stderr=subprocess.PIPE, text=True)
    if not (new / "torch/lib/libtorch_cuda.so").exists():
        raise Unavailable(f"pip found no PyTorch for CUDA: {done.stderr.strip()[-500:]}")
    new.rename(SITE)


def _symbols(*arguments: object) -> list[str]:
    return [line.split()[-1].partition("@")[0] for line in _run("nm", *arguments).splitlines() if " " in line]


def _run(*command: object) -> str:
    try:
        return subprocess.run([*map(str, command)], stdout=subprocess.PIPE, text=True, check=True).stdout
    except FileNotFoundError as error:
        raise Unavailable(f"{error.filename} is not there") from None


if __name__ == "__main__":
    os.execvpe(sys.argv[1], sys.argv[1:], environment())
