"""A voice with recordings in several moods, and the notes about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from glm_tts_api.errors import InvalidField, UnknownMood, UnknownVoice, VoiceExists
from glm_tts_api.voices.store import VoiceStore
from tests.recordings import voice_wav
from tests.voices.shelf import OTHER_WAV, WAV, index_of, names, open_store, write_index

GLAD = voice_wav(2.0)


def moods(store: VoiceStore, voice: str) -> list[str]:
    return [mood.index for mood in store.info(voice).moods]


def test_a_mood_is_a_recording_of_its_voice(store: VoiceStore, configs: Path, own: Path) -> None:
    store.add("mine", "plain words", WAV)
    store.add("mine:glad", "glad words", OTHER_WAV)
    store.add("mine:高兴", "高兴的话", GLAD)
    for reader in (store, open_store(configs, own)):
        assert names(reader) == ["exampleA", "mine"]
        assert moods(reader, "mine") == ["mine:glad", "mine:高兴"]
        assert (reader.get("mine").name, reader.get("mine").transcript) == ("mine", "plain words")
        assert (reader.get("mine:glad").name, reader.get("mine:glad").transcript) == (
            "mine:glad",
            "glad words",
        )
        assert reader.audio("mine:高兴")[0] == GLAD
    store.replace("mine:glad", "other words", None)
    assert store.get("mine:glad").transcript == "other words"
    store.remove("mine:glad")
    assert moods(store, "mine") == ["mine:高兴"]
    with pytest.raises(VoiceExists):
        store.add("mine:高兴", "x", WAV)


def test_an_unknown_mood_names_those_there_are(store: VoiceStore) -> None:
    store.add("mine", "plain words", WAV)
    for mood in ("calm", "glad"):
        store.add(f"mine:{mood}", "words", OTHER_WAV)
    with pytest.raises(UnknownMood, match=r"Voice 'mine' has no mood 'sad'; it has calm and glad\."):
        store.get("mine:sad")
    with pytest.raises(UnknownMood, match=r"it has none\."):
        store.get("exampleA:sad")
    with pytest.raises(UnknownVoice, match=r"no voice 'nobody'; there are exampleA and mine\."):
        store.get("nobody:sad")


@pytest.mark.parametrize("name", ["mine:", ":glad", "mine:a:b", "mine:a b", f"mine:{65 * 'a'}"])
def test_a_mood_has_a_name_like_a_voice(store: VoiceStore, name: str) -> None:
    store.add("mine", "words", WAV)
    with pytest.raises(InvalidField):
        store.add(name, "words", WAV)


def test_a_mood_needs_its_voice_and_goes_with_it(store: VoiceStore, own: Path) -> None:
    with pytest.raises(UnknownVoice):
        store.add("mine:glad", "words", WAV)
    store.add("mine", "words", WAV)
    store.add("mine:glad", "words", OTHER_WAV)
    store.remove("mine")
    assert (names(store), index_of(own)) == (["exampleA"], {})
    assert list((own / "recordings").iterdir()) == []
    with pytest.raises(UnknownVoice):
        store.get("mine:glad")


def test_a_shipped_voice_has_own_moods_and_keeps_them(store: VoiceStore, configs: Path) -> None:
    store.add("exampleA:glad", "words", OTHER_WAV)
    assert moods(store, "exampleA") == ["exampleA:glad"]
    store.replace("exampleA", "changed", None)
    store.remove("exampleA")
    assert (store.get("exampleA").transcript, moods(store, "exampleA")) == ("text a", ["exampleA:glad"])
    entry = {"prompt_audio_path": "prompts/a.wav", "prompt_text": "text b"}
    write_index(configs, {"b": entry, "b:sad": entry, "lonely:sad": entry})
    assert (names(store), moods(store, "b")) == (["b"], ["b:sad"])


def test_notes_are_kept_changed_and_removed(store: VoiceStore, own: Path) -> None:
    store.add("mine", "words", WAV, {"language": "zh", "gender": "female", "description": " 温柔的声音 "})
    before = store.info("mine").version
    store.replace("mine", None, None, {"gender": "", "consent": "mine"})
    assert store.info("mine").version != before
    store.replace("mine", None, OTHER_WAV)
    assert store.info("mine").about == {"language": "zh", "description": "温柔的声音", "consent": "mine"}
    write_index(own, {"mine": {**index_of(own)["mine"], "gender": "robot"}})
    assert names(store) == ["exampleA"]
    assert "gender must be female or male or other" in store.warnings[0]
