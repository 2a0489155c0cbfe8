"""What the LLM learns from, packed into one file and unpacked elsewhere."""

import pickle
from pathlib import Path

import numpy as np

from scripts.mini.codes import load_codes
from scripts.mini.data import Clip, load_clips
from scripts.mini.kept import pack, unpack


def _clip(text: str, n_tokens: int) -> Clip:
    times, places = np.array([80, 400, 1960], np.int32), np.array([0, 1, len(text) - 1], np.int32)
    return Clip(7, text, "zh", "0.50*af_sky@1.10", n_tokens, times, ("_", "n", "_"), times, places)


def test_another_folder_has_the_same_texts_times_and_codes(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    rng = np.random.default_rng(0)
    spoken = {"single000": [_clip("你好吗", 50), _clip("再见了", 60)], "single001": [_clip("早上好", 55)]}
    for part, clips in spoken.items():
        for room, content in (
            ("data", [vars(clip) for clip in clips]),
            ("codes", [rng.integers(1, 1024, clip.n_tokens).astype(np.int16) for clip in clips]),
        ):
            (here / room).mkdir(parents=True, exist_ok=True)
            (here / room / f"{part}.pkl").write_bytes(pickle.dumps(content))
    pack(here, [*spoken], tmp_path / "kept.npz")
    assert unpack(tmp_path / "kept.npz", there) == [*spoken]
    for part, clips in spoken.items():
        for clip, again in zip(clips, load_clips(there / "data" / part), strict=True):
            assert (again.text, again.voice, again.text_id) == (clip.text, clip.voice, 7)
            np.testing.assert_array_equal(again.token_chars(), clip.token_chars())
        for codes, kept in zip(
            load_codes(here / "codes", part), load_codes(there / "codes", part), strict=True
        ):
            np.testing.assert_array_equal(codes, kept)
