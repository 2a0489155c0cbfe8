"""Computes the CAM++ speaker embedding with Kaldi filter banks and an ONNX network (docs/model.md 6)."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

SAMPLE_RATE = 16000
N_BINS = 80
FRAME_SAMPLES = 400


def kaldi_fbank(wave: Tensor) -> Tensor:
    """Returns the log filter banks of a float32 signal [N] at 16 kHz in [-1, 1], as [T, 80]. The mean over
    time is subtracted from each bin.

    T is 1 + (N - 400) // 160. Raises ValueError for less than one frame (400 samples, 25 ms).
    """
    import kaldi_native_fbank as knf  # not needed on a machine that only gets prepared voices

    if wave.shape[-1] < FRAME_SAMPLES:
        raise ValueError(f"a speaker embedding needs at least {FRAME_SAMPLES} samples, got {wave.shape[-1]}")
    options = knf.FbankOptions()
    options.frame_opts.samp_freq = SAMPLE_RATE
    options.frame_opts.dither = 0.0
    options.mel_opts.num_bins = N_BINS
    fbank = knf.OnlineFbank(options)
    fbank.accept_waveform(SAMPLE_RATE, wave.cpu().numpy())
    fbank.input_finished()
    frames = torch.from_numpy(np.stack([fbank.get_frame(i) for i in range(fbank.num_frames_ready)]))
    return frames - frames.mean(0)


class SpeakerEncoder:
    """Runs the network of frontend/campplus.onnx on the CPU. Only one thread at a time may call `embed`."""

    def __init__(self, onnx_path: Path) -> None:
        # onnxruntime reads this at its import. Without it, onnxruntime writes an id into the user's home
        # folder and sends data to its maker.
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
        self._session = ort.InferenceSession(
            str(onnx_path), sess_options=options, providers=["CPUExecutionProvider"]
        )
        self._input_name = self._session.get_inputs()[0].name

    def embed(self, wave: Tensor) -> Tensor:
        """Returns the speaker embedding [1, 192] of a float32 signal [N] at 16 kHz. The embedding is not
        normalised. Raises ValueError for less than 400 samples."""
        features = kaldi_fbank(wave)[None].numpy()  # [1, T, 80]
        output = self._session.run(None, {self._input_name: features})[0]
        return torch.from_numpy(np.asarray(output, dtype=np.float32)).reshape(1, -1)
