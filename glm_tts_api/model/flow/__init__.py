"""The flow: makes a mel spectrogram from speech tokens and a voice, by flow matching (docs/model.md 8)."""

from glm_tts_api.model.flow.config import FlowConfig
from glm_tts_api.model.flow.dit import DiT
from glm_tts_api.model.flow.sampler import FRAMES_PER_TOKEN, FlowInput, FlowMatching, FlowSampler, n_frames

__all__ = ["FRAMES_PER_TOKEN", "DiT", "FlowConfig", "FlowInput", "FlowMatching", "FlowSampler", "n_frames"]
