"""How much the API may store: voices, bytes. What is there stays, and can always be deleted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from glm_tts_api.audio.decode import RecordingLimits
from glm_tts_api.errors import StorageFull
from glm_tts_api.voices.store import VoiceStore
from glm_tts_api.voices.writer import StoreLimits
from tests.recordings import voice_wav
from tests.voices.shelf import OTHER_WAV, WAV, names


def store_with(configs: Path, own: Path, *, n_voices: int = 10, n_bytes: int = 2**20) -> VoiceStore:
    room = StoreLimits(n_voices, n_bytes)
    return VoiceStore(configs / "prompt_cache.json", own, limits=RecordingLimits(), room=room)


def test_no_more_voices_than_are_set(configs: Path, own: Path) -> None:
    store = store_with(configs, own, n_voices=2)
    store.add("one", "text", WAV)
    store.add("two", "text", WAV)
    additions: list[Callable[[], object]] = [
        lambda: store.add("three", "text", WAV),
        lambda: store.replace("exampleA", "a copy of it", None),  # which would be one more
    ]
    for add in additions:
        with pytest.raises(StorageFull, match=r"2 voices .* MAX_VOICES"):
            add()
    store.replace("one", "changed", OTHER_WAV)
    store.remove("two")
    store.add("three", "text", WAV)
    assert names(store) == ["exampleA", "one", "three"]


def test_no_more_bytes_than_are_set(configs: Path, own: Path) -> None:
    store = store_with(configs, own, n_bytes=2 * len(OTHER_WAV))
    store.add("one", "text", OTHER_WAV)
    store.add("two", "text", WAV)
    with pytest.raises(StorageFull, match="MAX_VOICES_MB"):
        store.add("three", "text", WAV)
    assert len(list((own / "recordings").iterdir())) == 2
    store.replace("two", None, OTHER_WAV)  # in the place of its own
    with pytest.raises(StorageFull):
        store.replace("two", None, voice_wav(3.0))
    assert store.audio("two")[0] == OTHER_WAV


def test_a_limit_that_was_lowered_deletes_nothing_and_lets_one_delete(configs: Path, own: Path) -> None:
    for name in ("one", "two", "three"):
        store_with(configs, own).add(name, "text", WAV)
    full = store_with(configs, own, n_voices=1, n_bytes=1)
    assert names(full) == ["exampleA", "one", "three", "two"]
    full.replace("one", "another text", None)
    full.remove("two")
    full.remove("three")
    full.remove("one")
    assert names(full) == ["exampleA"]


def test_junk_behind_a_recording_is_not_kept(configs: Path, own: Path) -> None:
    store = store_with(configs, own)
    store.add("mine", "text", OTHER_WAV + bytes(5 * 2**20))
    store.replace("mine", None, WAV + bytes(5 * 2**20))
    assert sum(path.stat().st_size for path in (own / "recordings").iterdir()) < len(WAV)
