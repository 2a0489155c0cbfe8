"""The vocoders: turn mel spectrograms into waveforms (docs/model.md 10).

All vocoders have the same interface (`Vocoder`). `open_stream` turns a mel that comes in pieces into a
waveform in pieces.
"""

from glm_tts_api.model.vocoder.hift import HiFT, HiftConfig
from glm_tts_api.model.vocoder.streams import Vocoder, VocoderStream, open_stream
from glm_tts_api.model.vocoder.vocos2d import Vocos2D

__all__ = ["HiFT", "HiftConfig", "Vocoder", "VocoderStream", "Vocos2D", "open_stream"]
