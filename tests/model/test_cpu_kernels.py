"""The decode kernels of a CPU are compiled once, and kept; where they cannot be, the log says why."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from glm_tts_api.model import cpu_kernels
from tests.this_cpu import HAS_DECODE_KERNELS

needs_gcc = pytest.mark.skipif(
    not HAS_DECODE_KERNELS, reason="the kernels need AVX2 and GCC: apt install gcc libc6-dev"
)


@needs_gcc
def test_the_compiled_library_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "new" / "folder"
    assert cpu_kernels.load(folder)
    assert [file.suffix for file in folder.iterdir()] == [".so"]
    monkeypatch.setenv("PATH", str(tmp_path))
    assert cpu_kernels.load(folder), "no compiler is needed the second time"


@needs_gcc
def test_a_damaged_library_is_compiled_again(tmp_path: Path) -> None:
    assert cpu_kernels.load(tmp_path / "sound")
    (sound,) = (tmp_path / "sound").iterdir()
    damaged = tmp_path / "damaged" / sound.name
    damaged.parent.mkdir(mode=0o700)
    damaged.write_bytes(b"no library")
    assert cpu_kernels.load(damaged.parent)
    assert damaged.read_bytes() == sound.read_bytes()


@needs_gcc
def test_kernels_and_pytorch_share_the_threads_of_one_library(tmp_path: Path) -> None:
    """The threads of a second library would compete with the first one's."""
    code = f"""
import re, torch
from pathlib import Path
from glm_tts_api.model import cpu_kernels
assert cpu_kernels.load(Path({str(tmp_path)!r}))
print(*set(re.findall(r"/lib[a-z]*omp[^ ]*[.]so.*", Path("/proc/self/maps").read_text())), sep="\\n")
"""
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert len(found.split()) == 1, found


@needs_gcc
def test_without_a_compiler_the_log_says_what_to_install_and_its_error_is_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    needed = "(they need GCC 9 or newer: apt install gcc libc6-dev)"
    source = tmp_path / "kernels.c"
    source.write_text("#include <no_such_header.h>\n")
    monkeypatch.setattr(cpu_kernels, "_SOURCE", source)
    assert cpu_kernels.load(tmp_path / "kernels") is None
    assert f"fatal error: no_such_header.h: No such file or directory {needed}" in caplog.text
    monkeypatch.setenv("PATH", str(tmp_path))
    assert cpu_kernels.load(tmp_path / "kernels") is None
    assert f"No such file or directory: 'gcc' {needed}" in caplog.text


@needs_gcc
def test_no_library_is_run_from_a_folder_to_which_others_may_write(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tmp_path.chmod(0o777)
    assert cpu_kernels.load(tmp_path) is None
    assert f"another user may write to {tmp_path}" in caplog.text


def test_a_cpu_without_kernels_is_told_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "SVE256")
    with caplog.at_level("INFO"):
        assert cpu_kernels.load(tmp_path) is None
    assert "no decode kernels for this CPU (SVE256)" in caplog.text
