"""For `uvicorn tests.api.modules_app:app`: the real server, which tells at /modules what it has imported."""

from __future__ import annotations

import sys

from glm_tts_api.api_server import create_app
from glm_tts_api.settings import Settings


def modules() -> list[str]:
    return sorted(sys.modules)


app = create_app(Settings.load())
app.add_api_route("/modules", modules)
