"""For `python -m glm_tts_api.serving uvicorn bench.tuned_app:app`: the server, whose engines have a config of
their own. ENGINE_CONFIG is a JSON object of EngineConfig's fields that differ from the settings'."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from functools import partial

from glm_tts_api.api_server import create_app, engine_process
from glm_tts_api.logs import configure_logging
from glm_tts_api.settings import Settings

settings = Settings.load()
configure_logging()
config = replace(settings.engine, **json.loads(os.environ["ENGINE_CONFIG"]))
app = create_app(settings, build_engine=partial(engine_process, config=config))
