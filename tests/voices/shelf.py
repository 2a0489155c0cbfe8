"""A shipped book and a folder of the API's own for the tests of the store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from glm_tts_api.audio.decode import RecordingLimits
from glm_tts_api.voices.index import signature_of
from glm_tts_api.voices.store import VoiceStore
from tests.api.waiting import wait_until
from tests.recordings import voice_wav

WAV, OTHER_WAV = voice_wav(1.5), voice_wav(2.5)


def write_index(folder: Path, entries: object) -> None:
    (folder / "prompt_cache.json").write_text(json.dumps(entries, ensure_ascii=False))


def index_of(folder: Path) -> dict[str, Any]:
    entries: dict[str, Any] = json.loads((folder / "prompt_cache.json").read_text())
    return entries


def make_configs(root: Path) -> Path:
    """configs/ with one shipped voice, exampleA."""
    folder = root / "configs"
    (folder / "prompts").mkdir(parents=True)
    (folder / "prompts" / "a.wav").write_bytes(WAV)
    write_index(folder, {"exampleA": {"prompt_audio_path": "prompts/a.wav", "prompt_text": "text a"}})
    return folder


def open_store(configs: Path, own: Path) -> VoiceStore:
    return VoiceStore(configs / "prompt_cache.json", own, limits=RecordingLimits())


def wait_until_settled(folder: Path) -> None:
    """Until every file is so old that it is known by its time."""
    wait_until(lambda: all(signature_of(file.stat()) is not None for file in folder.rglob("*.*")))


def names(store: VoiceStore) -> list[str]:
    return [voice.index for voice in store.list_voices()]
