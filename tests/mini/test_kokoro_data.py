"""The natural teacher's speech as training data: what each moment is called, and whose voices it is in."""

from pathlib import Path

import numpy as np

from mini.data import ClipSet
from mini.kokoro_data import PartWriter, label, make_clip, speech_bounds, whole_tokens, with_silences
from mini.kokoro_reading import Reading, english_letters
from mini.pair_data import warped
from mini.sentences import Sentence
from mini.timbres import ENGLISH, HELD_OUT, MANDARIN, low_timbres, trained_timbres

STARTS = np.arange(8, dtype=np.float64) * 100


def test_a_space_belongs_to_the_sound_before_it_and_a_comma_is_a_pause() -> None:
    assert label("ə bˈɔ, ", STARTS)[1:] == [(0, "ə"), (200, "b"), (300, "ɔ"), (500, "_"), (700, "_")]
    # an aspirated sound is another one, and a tone is not
    assert [name for _, name in label("tʰa→ta↘", STARTS)] == ["_", "tʰ", "a", "t", "a", "_"]


def test_silence_within_a_sound_becomes_a_pause() -> None:
    wave = np.full(24000, 0.1, np.float32)
    wave[6000:12000] = 0  # 0.25 to 0.5 s
    wave[20000:21000] = 0  # as short as a plosive's
    events = with_silences([(0.0, "a"), (200.0, "n"), (300.0, "i"), (700.0, "t")], wave)
    assert events == [(0.0, "a"), (200.0, "n"), (260.0, "_"), (500.0, "i"), (700.0, "t")]


def test_two_waves_of_a_pair_are_cut_alike() -> None:
    one, other = np.zeros(48000, np.float32), np.zeros(48000, np.float32)
    one[10000:30000], other[12000:36000] = 0.5, 0.5
    assert speech_bounds([one, other]) == (10000 - 1920, 35999 + 1920)
    assert len(whole_tokens(one[:961])) == 1920


def test_a_pair_on_disk_is_heard_as_recorded_and_wanted_as_it_was(tmp_path: Path) -> None:
    writer, rng = PartWriter(tmp_path / "pairs000"), np.random.default_rng(0)
    reading, starts = Reading("ha", ((0, 0),)), np.array([80.0, 200.0, 900.0])
    for voice in ("one", "other"):
        wave = rng.standard_normal(24000).astype(np.float32) * 0.1
        clip = make_clip(Sentence("ha", "en"), reading, wave, starts, text_id=0, voice=voice)
        writer.add(clip, wave, recorded=wave * 0.5 if voice == "other" else wave, keep_wave=voice == "one")
    writer.close()
    clips = ClipSet([tmp_path / "pairs000"])
    louder = [
        clips.mel(i)[:, :80].astype(np.float32) - clips.recorded(i).astype(np.float32) for i in range(2)
    ]
    assert [round(float(np.median(x)), 1) for x in louder] == [0.0, 0.7]
    assert [clip.frame_phonemes()[20] for clip in clips.clips] == ["a", "a"]
    assert (tmp_path / "pairs000.wave").stat().st_size == 2 * 24000


def test_held_out_voices_are_no_part_of_a_trained_one() -> None:
    trained = {voice for timbre in trained_timbres(300) for voice, _ in timbre.shares}
    assert trained == {*ENGLISH, *MANDARIN}
    assert not trained & set(HELD_OUT)
    assert len({timbre.name for timbre in trained_timbres(300)}) == 300
    low = {voice for timbre in low_timbres(60) for voice, _ in timbre.shares}
    assert low < trained


def test_espeaks_english_in_the_teachers_letters() -> None:
    words = ("kˈa^ɪnd", "wˈɜːld", "d^ʒˈo^ʊk")
    assert [english_letters(word) for word in words] == ["kˈInd", "wˈɜɹld", "ʤˈOk"]


def test_another_throat_has_its_formants_elsewhere() -> None:
    features = np.zeros((3, 128), np.float32)
    features[:, 50] = 1
    assert warped(features, 1.1).argmax(1).tolist() == [55, 55, 55]
    assert warped(features, 0.9).argmax(1).tolist() == [45, 45, 45]
