from glm_tts_api.api.openai import speech_socket, voices
from glm_tts_api.api.openai.speech import OPENAI

__all__ = ["OPENAI", "speech_socket", "voices"]
