"""The settings: reads them from the environment, and makes each package's own config from the settings."""

from glm_tts_api.settings.settings import Settings
from glm_tts_api.settings.sources import BUNDLED_MODEL, SHIPPED_CONFIGS, SettingsError

__all__ = ["BUNDLED_MODEL", "SHIPPED_CONFIGS", "Settings", "SettingsError"]
