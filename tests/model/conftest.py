from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import torch

from glm_tts_api.engine.torch_flags import set_torch_flags


@pytest.fixture(scope="session", autouse=True)
def a_gpu_as_a_server_has_it() -> None:
    if torch.cuda.is_available():
        set_torch_flags(torch.device("cuda", 0), os.environ)


@pytest.fixture
def inference() -> Iterator[None]:
    with torch.inference_mode():
        yield
