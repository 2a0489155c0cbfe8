"""Two networks that others trained, which judge speech: how alike two voices are, and how good speech sounds.

kokoro_packages.sh fetches them. Resemblyzer (Apache-2.0) is the speaker encoder GE2E (Wan et al., 2018).
DNSMOS P.835 (Reddy et al., 2022, MIT) predicts opinion scores from 1 to 5.
"""

from pathlib import Path

import numpy as np
import onnxruntime
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers.audio_utils import mel_filter_bank

from glm_tts_api.model.mel import resample
from mini.measures import Wave

RATE = 16000
_PARTIAL, _STEP = 160, 77  # frames of 10 ms of which one embedding is computed, and from one to the next
_LOUDNESS = 10 ** (-30 / 20)
_HEARD = round(9.01 * RATE)  # samples that DNSMOS hears at once
_OVERALL = np.poly1d([-0.06766283, 1.11546468, 0.04602535])  # of the network's third output


class VoiceLikeness(nn.Module):
    """Resemblyzer's network: three LSTM layers over mels of 40 bins, and one linear layer."""

    def __init__(self, weights: Path) -> None:
        super().__init__()
        self.lstm = nn.LSTM(40, 256, 3, batch_first=True)
        self.linear = nn.Linear(256, 256)
        state = torch.load(weights, map_location="cpu", weights_only=True)["model_state"]
        self.load_state_dict(
            {name: value for name, value in state.items() if not name.startswith("similarity")}
        )
        filters = mel_filter_bank(201, 40, 0, RATE / 2, RATE, norm="slaney", mel_scale="slaney")
        self._filters = torch.from_numpy(filters).float()

    @torch.inference_mode()
    def embed(self, wave: Wave) -> Tensor:
        """Returns the embedding [256] of a 24 kHz wave, with a norm of 1."""
        samples = resample(torch.from_numpy(wave), 24000, RATE)
        samples = samples * (_LOUDNESS / samples.square().mean().sqrt())
        spectrum = torch.stft(samples, 400, 160, window=torch.hann_window(400), return_complex=True)
        mel = spectrum.abs().square().T @ self._filters
        mel = F.pad(mel, (0, 0, 0, max(0, _PARTIAL - len(mel))))
        _, (hidden, _) = self.lstm(mel.unfold(0, _PARTIAL, _STEP).transpose(1, 2))
        parts = F.normalize(F.relu(self.linear(hidden[-1])), dim=1)
        return F.normalize(parts.mean(0), dim=0)

    def between(self, voice: Tensor, wave: Wave) -> float:
        """Returns the cosine similarity of a voice, an embedding [256], and the voice that speaks the 24 kHz
        `wave`: 0.4 to 0.7 of two persons, above 0.8 of one."""
        return float(voice @ self.embed(wave))


class OpinionScore:
    """DNSMOS P.835's overall score."""

    def __init__(self, network: Path) -> None:
        self._session = onnxruntime.InferenceSession(str(network), providers=["CPUExecutionProvider"])

    def of(self, wave: Wave) -> float:
        """Returns the score of a 24 kHz wave. A shorter one than 9 s is repeated."""
        samples = resample(torch.from_numpy(wave), 24000, RATE).clamp(-1, 1).numpy()
        samples = np.tile(samples, -(-_HEARD // len(samples)))
        starts = range(0, len(samples) - _HEARD + 1, RATE)
        rows = [
            self._session.run(None, {"input_1": samples[None, a : a + _HEARD].astype(np.float32)})[0][0]
            for a in starts
        ]
        return float(np.mean([_OVERALL(row[2]) for row in rows]))
