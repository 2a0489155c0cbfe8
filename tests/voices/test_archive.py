"""Voices in one file: what is packed is unpacked; a file that lies or is something else is refused."""

from __future__ import annotations

import io
import json
import random
import struct
from contextlib import suppress
from pathlib import Path
from typing import Any
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZIP_STORED, ZipFile

import pytest

from glm_tts_api.errors import InvalidField
from glm_tts_api.voices.archive import PackedVoice, bring, pack, read_each, recordings_of, unpack
from glm_tts_api.voices.store import VoiceStore
from tests.recordings import png
from tests.voices.shelf import OTHER_WAV, WAV, names

LIST = "prompt_cache.json"
VOICES = {
    "me": PackedVoice(WAV, "我说的话。", {"consent": "Li Hua agreed.", "gender": "female"}),
    "you": PackedVoice(OTHER_WAV, "What you say.", {}),
    "me:高兴": PackedVoice(OTHER_WAV, "太好了！", {"consent": "Li Hua agreed."}),
}


def zipped(listed: Any, *, packed: int = ZIP_STORED, **files: bytes) -> bytes:
    """A zip of this list, and of these files with the ending .wav."""
    out = io.BytesIO()
    with ZipFile(out, "w", packed) as archive:
        archive.writestr(LIST, listed if isinstance(listed, str) else json.dumps(listed))
        for name, data in files.items():
            archive.writestr(f"{name}.wav", data)
    return out.getvalue()


def entry(path: str = "a.wav", **fields: Any) -> dict[str, Any]:
    return {"prompt_audio_path": path, "prompt_text": "words", **fields}


def refusal(data: bytes, **options: int) -> str:
    with pytest.raises(InvalidField) as refused:
        unpack(io.BytesIO(data), **options)
    assert refused.value.message.startswith("This is no file of exported voices: ")
    return refused.value.message


def test_what_is_packed_is_unpacked_also_by_other_programs() -> None:
    blocks = [*pack(VOICES.items())]
    assert max(map(len, blocks)) < len(WAV) + len(OTHER_WAV)  # leaves in pieces
    data = b"".join(blocks)
    assert unpack(io.BytesIO(data)) == VOICES
    with ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["me.wav", "you.wav", "me.高兴.wav", LIST]
        assert {each.flag_bits & 8 for each in archive.infolist()} == {0}  # sizes stand before the data
        with ZipFile(again := io.BytesIO(), "w", ZIP_DEFLATED) as other:
            for name in archive.namelist():
                other.writestr(name, archive.read(name))
    assert unpack(again) == VOICES


@pytest.mark.parametrize("packed", [ZIP_BZIP2, ZIP_LZMA])
def test_a_packing_that_unpacks_without_a_bound_is_refused(packed: int) -> None:
    assert "neither stored nor deflated" in refusal(zipped({"a": entry()}, packed=packed, a=WAV))


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = zipped({"a": entry()}, packed=ZIP_DEFLATED, a=bytes(2**24))
    assert len(bomb) < 2**15
    assert "makes it too large" in refusal(bomb, most_bytes=2**20)
    many = zipped({f"v{i}": entry() for i in range(40)}, a=WAV)  # the same bytes, forty times
    assert "makes it too large" in refusal(many, most_bytes=20 * len(WAV))
    assert "makes it too large" in refusal(zipped(" " * (2**23 + 1)))


def test_a_size_that_is_a_lie_unpacks_no_more_than_it_tells() -> None:
    data = bytearray(zipped({"a": entry()}, packed=ZIP_DEFLATED, a=bytes(2**24)))
    at = data.rindex(b"PK\x01\x02") + 24  # the size in the central directory
    data[at : at + 4] = struct.pack("<I", 1000)
    assert "CRC" in refusal(bytes(data))


@pytest.mark.parametrize(
    ("listed", "said"),
    [
        ({"../../evil": entry()}, "its name must be"),
        ({"a": entry("../../etc/passwd")}, "it has no ../../etc/passwd"),
        ({"a": entry(3)}, "prompt_audio_path must be text"),  # type: ignore[arg-type]
        ({"a": entry(prompt_text=["x"])}, "prompt_text must be text"),
        ({"a": entry(prompt_text="\ud800")}, "prompt_text must be text"),
        ({"a": entry(consent={"x": 1})}, "consent must be text"),
        ({"a": "a.wav"}, "it must have prompt_audio_path"),
        ([], "it is not a JSON object"),
        ("[" * 90_000, "it cannot be read"),
    ],
)
def test_a_list_of_another_kind_is_refused_with_the_reason(listed: Any, said: str) -> None:
    assert said in refusal(zipped(listed, a=WAV))


def test_a_damaged_file_is_refused_whatever_is_damaged() -> None:
    whole, draw = zipped({"a": entry()}, packed=ZIP_DEFLATED, a=WAV[:400]), random.Random(1)
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(draw.randint(1, 4)):
            data[draw.randrange(len(data))] = draw.randrange(256)
        with suppress(InvalidField):  # and nothing else
            unpack(io.BytesIO(data[: draw.choice([len(data), draw.randrange(len(data))])]))


def test_voices_move_from_a_store_to_another_and_a_second_time_nothing_changes(
    store: VoiceStore, own: Path
) -> None:
    moved = {name: VOICES[name] for name in ("me", "me:高兴", "you")}
    assert bring(store, moved) == dict.fromkeys(moved, "added")
    assert names(store) == ["exampleA", "me", "you"]
    assert dict(read_each(store, recordings_of(store, ["me", "you"]))) == moved
    assert set(dict(read_each(store, recordings_of(store, [])))) == {"exampleA", *moved}
    before = own.joinpath(LIST).read_bytes()
    assert bring(store, {**moved, "you": VOICES["me"]}) == {**dict.fromkeys(moved, "there"), "you": "taken"}
    assert own.joinpath(LIST).read_bytes() == before


def test_a_voice_that_is_deleted_meanwhile_is_left_out(store: VoiceStore) -> None:
    bring(store, {"me": VOICES["me"]})
    listed = recordings_of(store, [])
    store.remove("me")
    assert [name for name, _ in read_each(store, listed)] == ["exampleA"]


@pytest.mark.parametrize(
    ("name", "faulty", "said"),
    [
        ("new", PackedVoice(png(), "words", {}), "not an audio file"),
        ("new", PackedVoice(WAV, " ", {}), "is blank"),
        ("new", PackedVoice(WAV, "x" * 501, {}), "501 characters"),
        ("new", PackedVoice(WAV, "words", {"gender": "unknown"}), "gender must be"),
        ("nobody:glad", PackedVoice(WAV, "words", {}), "no voice 'nobody'"),
    ],
)
def test_nothing_is_imported_of_a_file_with_a_voice_that_cannot_be(
    store: VoiceStore, name: str, faulty: PackedVoice, said: str
) -> None:
    with pytest.raises(InvalidField, match=f"Voice '{name}' cannot be.*{said}"):
        bring(store, {"me": VOICES["me"], name: faulty})
    assert names(store) == ["exampleA"]


def test_a_list_of_a_million_lists_is_refused_before_it_is_parsed() -> None:
    assert "too many brackets" in refusal(zipped('{"a": [' + "[]," * 10**6 + "1]}"))
