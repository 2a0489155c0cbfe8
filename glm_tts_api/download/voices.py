"""Downloads the model's own example recordings, after showing their licence, and registers them as voices.

Needs the project's packages, since each recording is checked as an upload is.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import PurePosixPath

from glm_tts_api.download.transfer import get_bytes
from glm_tts_api.errors import Failed, ServiceError, StartupError, VoiceExists
from glm_tts_api.settings import Settings
from glm_tts_api.voices.store import VoiceStore

LISTS = ("examples/example_zh.jsonl", "examples/example_en.jsonl")
RECORDINGS = PurePosixPath("examples/prompt")
LICENCE_NAME = "CC BY-NC (attribution, no commercial use)"


def fetch_voices(*, consent: bool) -> None:
    """Shows the licence, asks the user to agree unless `consent` is true, and downloads and registers each
    voice. Raises StartupError if the user does not agree, and Failed if a voice was left out."""
    endpoint = os.environ.get("GITHUB_RAW_ENDPOINT") or "https://raw.githubusercontent.com"
    base = f"{endpoint.rstrip('/')}/zai-org/GLM-TTS/main"
    licence, _ = get_bytes(f"{base}/{RECORDINGS}/LICENSE")
    print(f"\nThe example prompts are not part of this project. Their licence, {LICENCE_NAME}:\n")
    print(licence.decode(errors="replace"))
    if not consent and not _agrees():
        raise StartupError("Without consent no voice was fetched; --yes gives it.")
    settings = Settings.load()
    store = settings.voice_store()
    examples = _examples(base)
    n_left_out = sum(
        not _register(store, f"{base}/{recording}", PurePosixPath(recording).stem, transcript)
        for recording, transcript in examples.items()
    )
    if n_left_out:
        raise Failed(f"{n_left_out} of {len(examples)} voices were left out (above).")


def _agrees() -> bool:
    if not sys.stdin.isatty():
        return False
    return input("Fetch them under this licence? [y/N] ").strip().lower() in ("y", "yes")


def _examples(base: str) -> dict[str, str]:
    """Returns the path and the transcript of each example recording, read from the lists of examples."""
    found: dict[str, str] = {}
    for name in LISTS:
        lines, _ = get_bytes(f"{base}/{name}")
        for line in lines.decode().splitlines():
            item = json.loads(line) if line.strip() else {}
            if PurePosixPath(item.get("prompt_speech", "")).parent == RECORDINGS:
                found.setdefault(item["prompt_speech"], item["prompt_text"])
    return found


def _register(store: VoiceStore, url: str, index: str, transcript: str) -> bool:
    """Downloads a recording and adds it to the store as voice `index`. Returns False if the store refuses the
    recording, and True if a voice named `index` is there now. Prints the result."""
    recording, _ = get_bytes(url)
    try:
        store.add(index, transcript, recording)
        print(f"  voice {index}: registered")
    except VoiceExists:
        print(f"  voice {index}: is registered already")
    except ServiceError as error:
        print(f"  voice {index}: left out, {error.message}")
        return False
    return True
