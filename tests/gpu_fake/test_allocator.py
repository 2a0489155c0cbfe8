"""PyTorch's allocator has its setting in every process of an engine, the first one too, and starts on each
machine."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from glm_tts_api.model import allocator
from tests.gpu_fake.conftest import OnTheFake

GROWING = "expandable_segments:True"

# The steps of an engine's process before it loads its models: the first one has checked its checkpoint.
BEGUN = """
import os, sys, torch
from glm_tts_api.engine.torch_flags import set_torch_flags
from glm_tts_api.model.checkpoint import require_servable
from glm_tts_api.settings import BUNDLED_MODEL
if "check" in sys.argv:
    require_servable(BUNDLED_MODEL, device="auto", dtype="auto")
set_torch_flags(torch.device("cuda", 0), os.environ)
torch.zeros(2**22, device="cuda")
print(torch.cuda.memory._snapshot()["allocator_settings"]["expandable_segments"])
"""


@pytest.mark.parametrize("role", ["check", "successor"])
@pytest.mark.parametrize(
    ("card", "grows", "said"),
    [
        ({}, "True", ""),
        ({"nvml": False}, "False", "libnvidia-ml.so.1 is missing"),
        ({"WSL": 1}, "False", "WSL2"),
    ],
)
def test_segments_grow_where_they_can(
    card: dict[str, Any], grows: str, said: str, role: str, on_the_fake: OnTheFake
) -> None:
    """On WSL2 and on a Hopper without NVML the setting would end the engine."""
    done = on_the_fake(sys.executable, "-c", SPAWNED, BEGUN, role, **card)
    assert done.stdout.split() == [grows], done.stderr
    assert said in done.stderr


# An engine's process gets its environment from the server's (engine/child.py).
SPAWNED = """
import platform, os, sys
if "FAKE_WSL" in os.environ:
    platform.release = lambda: "6.6.87.2-microsoft-standard-WSL2"
from glm_tts_api.engine.child import Spawned
patch = "import platform; platform.release = lambda: %r\\n" % platform.release()
sys.exit(Spawned.of([sys.executable, "-c", patch + sys.argv[1], *sys.argv[2:]]).process.wait())
"""


@pytest.mark.parametrize("name", ["PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF"])
def test_what_the_user_has_set_stays(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allocator, "why_fixed", lambda: None)
    assert allocator.allocator_variables({name: "max_split_size_mb:64"}) == {}
    assert allocator.allocator_variables({name: ""})[name] == GROWING
