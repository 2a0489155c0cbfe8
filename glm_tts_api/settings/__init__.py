"""The settings: the one reader of the environment, and what each room is given of it."""

from glm_tts_api.settings.settings import Settings
from glm_tts_api.settings.sources import BUNDLED_MODEL, SHIPPED_CONFIGS, SettingsError

__all__ = ["BUNDLED_MODEL", "SHIPPED_CONFIGS", "Settings", "SettingsError"]
