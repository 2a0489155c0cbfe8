"""What the tokenizer learns from: pairs of voices, and clips in one voice."""

import random
from pathlib import Path

import numpy as np
import torch

from mini.kokoro_data import PartWriter, make_clip
from mini.kokoro_reading import Reading, character_tones
from mini.pair_data import PairData, paced
from mini.sentences import Sentence


def _write(out: Path, texts: list[tuple[str, float]]) -> None:
    """A part of clips of two seconds and a half, each a (text, loudness)."""
    writer, rng = PartWriter(out), np.random.default_rng(0)
    for i, (text, loudness) in enumerate(texts):
        wave = rng.standard_normal(60000).astype(np.float32) * np.float32(loudness)
        clip = make_clip(
            Sentence(text, "en"), Reading("ha", ((0, 0),)), wave, np.array([80.0, 200.0, 2400.0]),
            text_id=i, voice=str(loudness),
        )  # fmt: skip
        writer.add(clip, wave, recorded=wave, keep_wave=True)
    writer.close()


def test_a_clip_in_one_voice_is_wanted_as_it_is_and_one_of_a_pair_as_its_twin(tmp_path: Path) -> None:
    pairs = [(text, loudness) for text in "abcdefgh" for loudness in (0.01, 0.1)]
    _write(tmp_path / "pairs000", pairs)
    _write(tmp_path / "single000", [("ha", 0.03), ("hey", 0.03)])
    data = PairData([tmp_path / "pairs000", tmp_path / "single000"])
    assert (len(data.training), len(data.validation)) == (9, 1)
    of_pair = data.batch(random.Random(1), tokens=100, source=data.training[:1], augment=False)
    alone = data.batch(random.Random(1), tokens=100, source=data.training[-1:], augment=False)
    half = len(alone.mel) // 2
    torch.testing.assert_close(alone.mel[:half], alone.mel[half:])
    louder = of_pair.mel[:half].mean() - of_pair.mel[half:].mean()
    assert louder > 0.5  # the first voice's features are to become the second's mel
    assert of_pair.features[:half].mean() < of_pair.features[half:].mean()


def test_the_tone_of_each_mandarin_character_is_known_by_its_place() -> None:
    assert character_tones("你好，我们 OK。") == {0: 3, 1: 3, 3: 3, 4: 5}


def test_a_pace_keeps_what_is_heard_and_when() -> None:
    ramp = np.arange(100, dtype=np.float32)[:, None]
    slower = paced(ramp, 120)[:, 0]
    assert len(slower) == 120
    np.testing.assert_allclose(slower[5:-5], (np.arange(120)[5:-5] + 0.5) * 100 / 120 - 0.5, atol=1e-4)
    assert paced(ramp, 100) is ramp
