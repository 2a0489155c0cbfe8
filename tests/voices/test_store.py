"""Voices on disk: two files merged, read again when they change, written so that no kill can harm them."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from glm_tts_api.audio.decode import RecordingLimits
from glm_tts_api.errors import Forbidden, InvalidField, Unhealthy, VoiceExists
from glm_tts_api.voices.store import VoiceStore
from tests.voices.shelf import OTHER_WAV, WAV, names, open_store, write_index


def shown(store: VoiceStore) -> list[tuple[str, str, str]]:
    return [(voice.index, voice.transcript, voice.source) for voice in store.list_voices()]


def test_the_shipped_file_is_never_written(store: VoiceStore, configs: Path) -> None:
    before = {path: path.read_bytes() for path in configs.rglob("*") if path.is_file()}
    with pytest.raises(VoiceExists):
        store.add("exampleA", "mine now", OTHER_WAV)
    with pytest.raises(Forbidden):
        store.remove("exampleA")
    store.replace("exampleA", "changed", OTHER_WAV)
    assert (store.info("exampleA").source, store.get("exampleA").transcript) == ("own", "changed")
    store.remove("exampleA")
    assert (store.info("exampleA").source, store.get("exampleA").transcript) == ("shipped", "text a")
    assert before == {path: path.read_bytes() for path in configs.rglob("*") if path.is_file()}


def test_the_shipped_file_is_read_again_when_it_changes(store: VoiceStore, configs: Path) -> None:
    assert names(store) == ["exampleA"]
    entry = {"prompt_audio_path": "configs/prompts/a.wav", "prompt_text": "text b"}
    write_index(configs, {"b": entry})
    assert names(store) == ["b"]


def test_a_file_that_is_not_json_keeps_the_last_good_voices_and_itself(
    store: VoiceStore, configs: Path
) -> None:
    assert names(store) == ["exampleA"]
    broken = '{"exampleA": {"prompt_audio_path": '
    (configs / "prompt_cache.json").write_text(broken)
    assert names(store) == ["exampleA"]
    assert any("not JSON" in warning for warning in store.warnings)
    store.add("mine", "text", WAV)
    assert (configs / "prompt_cache.json").read_text() == broken
    write_index(configs, {})
    assert (names(store), store.warnings) == (["mine"], [])


@pytest.mark.parametrize(
    "content", ["[]", '"x"', "", "\x00", "[" * 100_000], ids=["list", "text", "empty", "nul", "deep"]
)
def test_a_file_of_another_shape_is_reported(configs: Path, own: Path, content: str) -> None:
    (configs / "prompt_cache.json").write_text(content)
    store = open_store(configs, own)
    assert names(store) == []
    assert len(store.warnings) == 1


@pytest.mark.parametrize(
    "entry",
    [
        None,
        {"prompt_text": "a"},
        {"prompt_audio_path": "prompts/a.wav"},
        {"prompt_audio_path": 5, "prompt_text": "a"},
        {"prompt_audio_path": "prompts/a.wav", "prompt_text": "a" * 501},
        {"prompt_audio_path": "prompts/a.wav", "prompt_text": "\ufdfa" * 100},
        {"prompt_audio_path": "prompts/gone.wav", "prompt_text": "a"},
        {"prompt_audio_path": "/etc/hostname", "prompt_text": "a"},
        {"prompt_audio_path": "../../secret.wav", "prompt_text": "a"},
    ],
)
def test_one_bad_entry_leaves_the_others(configs: Path, own: Path, entry: object) -> None:
    good = {"prompt_audio_path": "prompts/a.wav", "prompt_text": "text a"}
    write_index(configs, {"bad": entry, "good": good, "b a d": good})
    store = open_store(configs, own)
    assert names(store) == ["good"]
    assert len(store.warnings) == 2


def test_a_broken_own_book_is_kept_and_refuses_writes(store: VoiceStore, own: Path) -> None:
    store.add("mine", "text", WAV)
    assert names(store) == ["exampleA", "mine"]
    (own / "prompt_cache.json").write_text("{ not json")
    with pytest.raises(Unhealthy):
        store.add("other", "text", WAV)
    assert (own / "prompt_cache.json").read_text() == "{ not json"
    assert names(store) == ["exampleA", "mine"]


def test_a_name_is_as_long_as_its_composed_form(store: VoiceStore) -> None:
    """The letter has four characters where it is decomposed."""
    store.add("\u03c9\u0314\u0342\u0345" * 64, "text", WAV)
    assert names(store) == ["exampleA", "\u1fa7" * 64]


@pytest.mark.parametrize(
    "index", ["", "a b", "../a", "a/b", "a.b", "ä,", "x" * 65, "a\n", "你。好", "a\u202eb", "a\u200bb", "🙂"]
)
def test_names_that_are_no_names(store: VoiceStore, index: str) -> None:
    with pytest.raises(InvalidField):
        store.add(index, "text", WAV)


def test_paths_inside_the_prompt_folders_only(store: VoiceStore, configs: Path, own: Path) -> None:
    own.mkdir(parents=True)
    (own / "dropped.wav").write_bytes(OTHER_WAV)
    outside = configs.parent / "secret.wav"
    outside.write_bytes(WAV)
    (configs / "link.wav").symlink_to(outside)
    (configs / "linked").symlink_to(configs.parent)
    for path in ("prompts/a.wav", "configs/prompts/a.wav", str(configs / "prompts" / "a.wav")):
        assert store.read_recording(path) == WAV
    for path in ("dropped.wav", "data/prompts/dropped.wav", str(own / "dropped.wav")):
        assert store.read_recording(path) == OTHER_WAV
    for path in (
        "/etc/passwd",
        str(outside),
        "../secret.wav",
        "prompts/../../secret.wav",
        "link.wav",
        "linked/secret.wav",
        "prompts",
        "",
        "a\x00b",
        "x" * 5000,
    ):
        with pytest.raises(InvalidField):
            store.read_recording(path)


def test_a_path_of_a_megabyte_is_refused_unread(store: VoiceStore) -> None:
    """Looked at part by part it takes minutes, and every other voice waits."""
    began = time.process_time()
    with pytest.raises(InvalidField):
        store.read_recording("../" * 350_000)
    assert time.process_time() - began < 2


def test_the_folders_own_list_stands_in_for_the_one_that_ships(tmp_path: Path, own: Path) -> None:
    """As where the package is installed: its list holds until the folder has one, which may be a copy."""
    root = Path(__file__).parents[2]
    shipped, configs = root / "configs" / "prompt_cache.json", tmp_path / "elsewhere" / "configs"
    bundled = root / "glm_tts_api" / "assets" / "mini" / "prompts"
    store = VoiceStore(
        configs / "prompt_cache.json", own, limits=RecordingLimits(), bundled=bundled, default=shipped
    )
    assert names(store) == sorted(json.loads(shipped.read_text()))
    configs.mkdir(parents=True)
    (configs / "mine.wav").write_bytes(WAV)
    mine = {"prompt_audio_path": "mine.wav", "prompt_text": "text"}
    kept = {"prompt_audio_path": "exampleA.wav", "prompt_text": "text"}  # README
    write_index(
        configs, {"kept": kept, "exampleB": json.loads(shipped.read_text())["exampleB"], "mine": mine}
    )
    assert (names(store), store.warnings) == (["exampleB", "kept", "mine"], [])
    (configs / "prompt_cache.json").unlink()
    assert names(store) == sorted(json.loads(shipped.read_text()))
