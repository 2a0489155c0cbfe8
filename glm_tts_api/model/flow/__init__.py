"""Speech tokens and a voice to a mel spectrogram, by flow matching (spec 8)."""

from glm_tts_api.model.flow.config import FlowConfig
from glm_tts_api.model.flow.dit import DiT
from glm_tts_api.model.flow.sampler import FlowInput, FlowMatching, FlowSampler, StateCache

__all__ = ["DiT", "FlowConfig", "FlowInput", "FlowMatching", "FlowSampler", "StateCache"]
