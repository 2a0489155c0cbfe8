"""For `uvicorn scripts.checks.torture.soaked_app:app`: the server with a small store of recent answers, which
is full before the measurement begins."""

from __future__ import annotations

from glm_tts_api.api_server import create_app
from glm_tts_api.logs import configure_logging
from glm_tts_api.settings import Settings
from glm_tts_api.speech.recent import RecentAnswers

settings = Settings.load()
configure_logging(as_json=settings.log_format == "json", with_texts=settings.log_text)
app = create_app(settings, recent=RecentAnswers(8 * 2**20))
