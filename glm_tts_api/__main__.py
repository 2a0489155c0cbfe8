"""Runs the command line: `python -m glm_tts_api` is the same as `glm-tts`."""

from __future__ import annotations

import sys

from glm_tts_api.cli import main

if __name__ == "__main__":
    sys.exit(main())
