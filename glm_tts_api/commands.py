"""The commands that messages tell the user to run: the scripts of a clone, or `glm-tts` if there are none."""

from __future__ import annotations

from pathlib import Path

_IS_CLONE = (Path(__file__).parents[1] / "scripts" / "download_model.sh").exists()
DOWNLOAD = "bash scripts/download_model.sh" if _IS_CLONE else "glm-tts download"
START = "bash restart_api.sh" if _IS_CLONE else "glm-tts serve"
