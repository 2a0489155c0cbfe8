"""A recording is read and decoded once, for as long as its file stays as it is; what is kept is bounded."""

from __future__ import annotations

import shutil
from pathlib import Path
from weakref import ref

import pytest

from glm_tts_api.audio.decode import RecordingLimits
from glm_tts_api.errors import PromptRejected
from glm_tts_api.voices.decoded import DecodedRecordings
from glm_tts_api.voices.store import VoiceStore
from tests.recordings import voice_wav
from tests.voices.shelf import WAV, wait_until_settled

SECOND = 24000 * 4  # bytes of a decoded second


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(5):
        (tmp_path / f"{number}.wav").write_bytes(voice_wav(1.0 + number))
    wait_until_settled(tmp_path)
    return tmp_path


def decoded(seconds: float) -> DecodedRecordings:
    return DecodedRecordings(RecordingLimits(), max_bytes=int(seconds * SECOND))


def test_it_is_decoded_once(folder: Path) -> None:
    recordings = decoded(100)
    first, digest = recordings.get(folder / "1.wav")
    assert recordings.get(folder / "1.wav")[0] is first
    assert recordings.get(folder / "2.wav")[1] != digest
    forgotten = ref(first)
    del first
    assert recordings.clear() == 5 * SECOND
    assert forgotten() is None


def test_those_who_use_it_at_a_time_share_it_though_there_is_no_room_to_keep_it(folder: Path) -> None:
    recordings = decoded(0.5)
    first, _ = recordings.get(folder / "1.wav")
    shutil.copy(folder / "1.wav", folder / "copy.wav")
    for name in ("1.wav", "copy.wav"):
        assert recordings.get(folder / name)[0] is first
    (folder / "1.wav").write_bytes(voice_wav(3.0))
    assert recordings.get(folder / "1.wav")[0].seconds == 3.0
    forgotten = ref(first)
    del first
    assert forgotten() is None


def test_a_file_that_changes_is_read_again_whatever_its_time_says(folder: Path) -> None:
    recordings, path = decoded(100), folder / "1.wav"
    assert recordings.get(path)[0].seconds == 2.0
    for seconds in (2.5, 3.0, 2.0, 2.5):  # in place, at once
        path.write_bytes(voice_wav(seconds))
        assert recordings.get(path)[0].seconds == seconds
    shutil.copystat(folder / "0.wav", path)
    path.write_bytes(path.read_bytes()[:-2] + b"\x01\x00")  # of the same length
    shutil.copystat(folder / "0.wav", path)
    assert recordings.get(path)[0].samples[-1] == pytest.approx(1 / 32768)


def test_a_file_that_is_gone_or_broken_is_not_served_from_memory(folder: Path) -> None:
    recordings, path = decoded(100), folder / "1.wav"
    recordings.get(path)
    path.unlink()
    with pytest.raises(FileNotFoundError):
        recordings.get(path)
    path.write_bytes(WAV[:20000])
    with pytest.raises(PromptRejected):
        recordings.get(path)


def test_what_is_kept_is_bounded_in_bytes(folder: Path) -> None:
    recordings = decoded(6.5)
    kept = [recordings.get(folder / f"{number}.wav") for number in (0, 1, 2)]  # 1 + 2 + 3 s
    recordings.get(folder / "0.wav")
    recordings.get(folder / "3.wav")  # 4 s more: the two that were asked for longest ago go
    assert recordings.get(folder / "0.wav")[0] is kept[0][0]
    assert recordings.clear() == 5 * SECOND
    assert decoded(0.5).get(folder / "0.wav")[0].seconds == 1.0
    too_large = decoded(1.5)
    too_large.get(folder / "1.wav")
    assert too_large.clear() == 0


def test_a_deleted_voice_takes_no_memory(store: VoiceStore, own: Path) -> None:
    store.add("mine", "text", WAV)
    wait_until_settled(own)
    store.get("mine")
    store.remove("mine")
    assert store.clear_cache() == 0
