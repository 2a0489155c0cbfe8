"""Mel spectrograms to waveforms (docs/model.md 10).

All vocoders are called alike (`Vocoder`), and speak a mel piece by piece as well: `open_stream`.
"""

from glm_tts_api.model.vocoder.hift import HiFT, HiftConfig
from glm_tts_api.model.vocoder.streams import Vocoder, VocoderStream, open_stream
from glm_tts_api.model.vocoder.vocos2d import Vocos2D

__all__ = ["HiFT", "HiftConfig", "Vocoder", "VocoderStream", "Vocos2D", "open_stream"]
