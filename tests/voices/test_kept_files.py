"""What the store deletes: recordings that it wrote itself and that no entry means any more, nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from glm_tts_api.voices.store import VoiceStore
from tests.voices.shelf import OTHER_WAV, WAV, index_of, names, write_index


def kept_name(own: Path, index: str = "mine") -> str:
    """The file name of the recording that the own book names for a voice."""
    return Path(index_of(own)[index]["prompt_audio_path"]).name


@pytest.mark.parametrize(
    "spelling",
    [
        "data/prompts/recordings/{name}",
        "./recordings/{name}",
        "recordings/../recordings//{name}",
        "prompts/recordings/{name}",
        "{own}/recordings/{name}",
        "recordings/link.wav",
    ],
)
def test_an_entry_by_hand_keeps_a_recording_however_it_spells_the_path(
    store: VoiceStore, own: Path, spelling: str
) -> None:
    store.add("mine", "text", WAV)
    name = kept_name(own)
    (own / "recordings" / "link.wav").symlink_to(name)
    path = spelling.format(name=name, own=own)
    write_index(own, {**index_of(own), "alias": {"prompt_audio_path": path, "prompt_text": "alias"}})
    store.remove("mine")
    store.add("other", "text", OTHER_WAV)
    assert store.audio("alias")[0] == WAV


def test_a_shipped_entry_keeps_a_recording_too(store: VoiceStore, configs: Path, own: Path) -> None:
    store.add("mine", "text", WAV)
    path = f"data/prompts/recordings/{kept_name(own)}"
    write_index(configs, {"shipped": {"prompt_audio_path": path, "prompt_text": "shipped"}})
    store.remove("mine")
    assert store.audio("shipped")[0] == WAV


def test_a_user_s_files_beside_the_recordings_stay(store: VoiceStore, own: Path) -> None:
    store.add("mine", "text", WAV)
    recordings = own / "recordings"
    users = {
        recordings / "dropped.wav": OTHER_WAV,
        recordings / "mine-0123456789abcdef.wav": OTHER_WAV,  # named like ours, with other content
        recordings / f"{kept_name(own)}.bak": WAV,
        recordings / "half.wav.new": b"half",
        own / "notes.new": b"notes",
        recordings / "older" / "kept.wav": WAV,
    }
    (recordings / "older").mkdir()
    for path, data in users.items():
        path.write_bytes(data)
    store.add("from-dropped", "text", store.read_recording("recordings/dropped.wav"))
    store.replace("mine", "changed", OTHER_WAV)
    store.remove("mine")
    assert {path: path.read_bytes() for path in users} == users
    assert names(store) == ["exampleA", "from-dropped"]


def test_a_recording_edited_in_place_is_the_user_s(store: VoiceStore, own: Path) -> None:
    store.add("mine", "text", WAV)
    edited = own / "recordings" / kept_name(own)
    edited.write_bytes(OTHER_WAV)
    assert store.audio("mine")[0] == OTHER_WAV
    store.remove("mine")
    assert edited.read_bytes() == OTHER_WAV
