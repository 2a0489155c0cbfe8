"""For `uvicorn tests.api.tone_app:app`: the real app in a process of its own, speaking tones.

Its settings come from .env in the working directory; TONE_DELAY_S says how long a tone takes, TONE_SECONDS
how long it lasts, CONNECTION_LIMITS (JSON) what ConnectionLimits are to be, TONE_LOAD_S (a JSON list) how
long each engine loads. TONE_QUICK: how many requests have no delay. A file go-on ends all delays.
"""

from __future__ import annotations

import json
import os
from collections import deque
from pathlib import Path

from glm_tts_api.api_server import create_app
from glm_tts_api.http.connections import ConnectionLimits
from glm_tts_api.logs import configure_logging
from glm_tts_api.settings import Settings
from tests.api.tone_engine import ToneEngine


def engine(settings: Settings, number: int) -> ToneEngine:
    loads_s = json.loads(os.environ.get("TONE_LOAD_S", "[]"))
    tones = ToneEngine(
        delay_s=float(os.environ.get("TONE_DELAY_S", "0")),
        n_quick=int(os.environ.get("TONE_QUICK", "0")),
        seconds=float(os.environ.get("TONE_SECONDS", "0.5")),
        load_s=loads_s[number] if loads_s else 0.0,
        requests=deque(maxlen=1),  # nobody looks at them, and each holds a recording
    )
    tones.is_released = Path("go-on").exists
    return tones


settings = Settings.load()
configure_logging(as_json=settings.log_format == "json", with_texts=settings.log_text)
limits = ConnectionLimits(**json.loads(os.environ.get("CONNECTION_LIMITS", "{}")))
app = create_app(settings, build_engine=engine, limits=limits)
