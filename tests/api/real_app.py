"""For `uvicorn tests.api.real_app:app`: the real server, whose engines run the module that ENGINE names, if
it names one. ENGINE_STALL_S is how many seconds of a step are a stall; after four times as many the engine is
ended. /modules tells what the server's process has imported."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from functools import partial

from glm_tts_api.api_server import create_app, engine_process
from glm_tts_api.logs import configure_logging
from glm_tts_api.settings import Settings

settings = Settings.load()
configure_logging(as_json=settings.log_format == "json", with_texts=settings.log_text)
command = (sys.executable, "-m", os.environ.get("ENGINE", "glm_tts_api.engine.process"))
stall_s = float(os.environ.get("ENGINE_STALL_S", settings.engine.stall_s))
config = replace(settings.engine, stall_s=stall_s)
app = create_app(settings, build_engine=partial(engine_process, config=config, command=command))
app.add_api_route("/modules", lambda: sorted(sys.modules))
