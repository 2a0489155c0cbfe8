"""Recordings that are gone, folders that cannot be written: said clearly, and put right over the API."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from glm_tts_api.errors import RecordingMissing, Unhealthy, VoiceExists
from glm_tts_api.voices.store import VoiceStore
from tests.voices.shelf import OTHER_WAV, WAV, index_of, make_configs, names, open_store, wait_until_settled


def delete_recordings(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


@pytest.mark.parametrize("reopened", [False, True], ids=["running", "restarted"])
def test_a_recording_deleted_by_hand_is_named_and_a_new_one_repairs_the_voice(
    store: VoiceStore, configs: Path, own: Path, reopened: bool
) -> None:
    store.add("mine", "text", WAV)
    assert store.get("mine").transcript == "text"
    delete_recordings(own / "recordings")
    if reopened:
        store = open_store(configs, own)
    for ask in (
        lambda: store.info("mine"),
        lambda: store.get("mine"),
        lambda: store.audio("mine"),
        lambda: store.replace("mine", "new text", None),
    ):
        with pytest.raises(RecordingMissing, match="PUT"):
            ask()
    with pytest.raises(VoiceExists):
        store.add("mine", "text", WAV)
    assert names(store) == ["exampleA"]
    assert len(store.warnings) == 1
    store.replace("mine", None, OTHER_WAV)
    assert (store.get("mine").transcript, store.audio("mine")[0]) == ("text", OTHER_WAV)
    assert (names(store), store.warnings) == (["exampleA", "mine"], [])


@pytest.mark.timeout(60)
@pytest.mark.parametrize("look", [VoiceStore.info, VoiceStore.get, VoiceStore.audio])
def test_a_recording_deleted_long_after_the_list_was_read_is_named_too(
    store: VoiceStore, own: Path, look: Callable[[VoiceStore, str], object]
) -> None:
    """The list is as it was, so nothing else tells that it has to be read again."""
    store.add("mine", "text", WAV)
    wait_until_settled(own)
    look(store, "mine")
    delete_recordings(own / "recordings")
    with pytest.raises(RecordingMissing, match="PUT"):
        look(store, "mine")


def test_a_list_deleted_by_hand_takes_its_voices_with_it(store: VoiceStore, own: Path) -> None:
    store.add("mine", "text", WAV)
    wait_until_settled(own)
    assert names(store) == ["exampleA", "mine"]
    (own / "prompt_cache.json").unlink()
    assert (names(store), store.warnings) == (["exampleA"], [])


def test_a_shipped_recording_that_is_gone_can_be_replaced_by_an_own_one(
    store: VoiceStore, configs: Path
) -> None:
    delete_recordings(configs / "prompts")
    with pytest.raises(RecordingMissing):
        store.get("exampleA")
    store.replace("exampleA", None, OTHER_WAV)
    assert (store.info("exampleA").source, store.info("exampleA").transcript) == ("own", "text a")
    assert store.audio("exampleA")[0] == OTHER_WAV


def test_a_recording_put_back_by_hand_is_there_again(store: VoiceStore, own: Path) -> None:
    store.add("mine", "text", WAV)
    path = own / index_of(own)["mine"]["prompt_audio_path"]
    path.unlink()
    assert names(store) == ["exampleA"]
    path.write_bytes(WAV)
    assert store.audio("mine")[0] == WAV


@pytest.mark.parametrize("in_the_way", ["data", "data/prompts", "data/prompts/recordings"])
def test_a_file_where_the_folder_should_be(store: VoiceStore, configs: Path, in_the_way: str) -> None:
    path = configs.parent / in_the_way
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("in the way")
    with pytest.raises(Unhealthy, match="PROMPTS_DIR"):
        store.add("mine", "text", WAV)
    assert names(store) == ["exampleA"]


AS_ANOTHER_USER = """
import os, sys
from pathlib import Path
from tests.voices.shelf import OTHER_WAV, names, open_store
from glm_tts_api.errors import Unhealthy
configs, own = map(Path, sys.argv[1:])
store = open_store(configs, own)
store.get("mine")  # loads whatever Python this is, which the other user may not be able to read
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
store = open_store(configs, own)
print(*names(store))
for change in (lambda: store.add("other", "text", OTHER_WAV), lambda: store.remove("mine")):
    try:
        change()
    except Unhealthy as error:
        print(error.message)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_user_who_may_not_write_the_folder_reads_on_and_is_told_what_to_do() -> None:
    repository = str(Path(__file__).parents[2])
    with tempfile.TemporaryDirectory() as root:
        Path(root).chmod(0o755)
        configs, own = make_configs(Path(root)), Path(root) / "own"
        open_store(configs, own).add("mine", "text", WAV)
        (recordings,) = (path for path in own.iterdir() if path.is_dir())
        assert recordings.stat().st_mode & 0o777 == 0o700, "recordings are for the server's user alone"
        recordings.chmod(0o755)  # as somebody does who lets another user read them
        done = subprocess.run(
            [sys.executable, "-c", AS_ANOTHER_USER, str(configs), str(own)],
            env={**os.environ, "PYTHONPATH": repository},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    listed, *refusals = done.stdout.splitlines()
    assert listed == "exampleA mine"
    assert len(refusals) == 2
    for refusal in refusals:
        assert "PROMPTS_DIR" in refusal
        assert "Permission denied" in refusal
        assert str(own) not in refusal
