"""Mel spectrograms to waveforms (docs/model.md 10).

Both vocoders are called alike: vocoder(mel[1, 80, T], noise=seed) -> wave[T * hop], float32 in [-1, 1] at
vocoder.sample_rate. Both speak a mel piece by piece as well: `open_stream`.
"""

from glm_tts_api.model.vocoder.hift import HiFT, HiftConfig
from glm_tts_api.model.vocoder.streams import VocoderStream, open_stream
from glm_tts_api.model.vocoder.vocos2d import Vocos2D

__all__ = ["HiFT", "HiftConfig", "VocoderStream", "Vocos2D", "open_stream"]
