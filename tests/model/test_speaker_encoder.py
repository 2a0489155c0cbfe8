"""Filter banks for the speaker encoder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from glm_tts_api.model.speaker_encoder import SpeakerEncoder, kaldi_fbank


def test_less_than_a_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="400 samples"):
        kaldi_fbank(torch.zeros(399))


def test_an_onnx_network_is_asked_by_its_own_names(tmp_path: Path) -> None:
    """A network [1, T, 80] -> [1, 80, 1]: the peak of each bin over time."""
    onnx = pytest.importorskip("onnx")
    float32, helper = onnx.TensorProto.FLOAT, onnx.helper
    swap = helper.make_node("Transpose", ["some_name"], ["swapped"], perm=[0, 2, 1])
    peak = helper.make_node("GlobalMaxPool", ["swapped"], ["peak"])
    graph = helper.make_graph(
        [swap, peak],
        "peaks",
        [helper.make_tensor_value_info("some_name", float32, [1, None, 80])],
        [helper.make_tensor_value_info("peak", float32, [1, 80, 1])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "net.onnx")
    wave = 0.1 * torch.randn(8000, generator=torch.Generator().manual_seed(0))
    embedding = SpeakerEncoder(tmp_path / "net.onnx").embed(wave)
    torch.testing.assert_close(embedding, kaldi_fbank(wave).amax(0, keepdim=True))
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"
