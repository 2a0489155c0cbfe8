"""The settings: reads them from the environment, and makes each package's own config from the settings."""

from glm_tts_api.settings.settings import BUNDLED_MODEL, SHIPPED_CONFIGS, VERIFY_TOKEN, Settings

__all__ = ["BUNDLED_MODEL", "SHIPPED_CONFIGS", "VERIFY_TOKEN", "Settings"]
