"""Makes the training data: texts spoken by espeak-ng, with features, phoneme times and character times.

    python -m scripts.mini.data pairs 2500 --seed 100 --out .mini/data/pairs0
    python -m scripts.mini.data single 9000 --seed 200 --out .mini/data/single0

`pairs` speaks each text in two voices, and writes all features. `single` speaks each text in one voice, and
writes only the features of the speech tokenizer.
"""

import argparse
import pickle
import random
import time
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy
import torch
from torch import Tensor

from glm_tts_api.model.mel import resample
from glm_tts_api.model.speaker_encoder import kaldi_fbank
from scripts.mini.espeak import SAMPLE_RATE, VOICES, Espeak, Speech, clean_phoneme, trim_bounds
from scripts.mini.features import N_MEL, N_WHISPER, TOKEN_SAMPLES, FeatureExtractor
from scripts.mini.sentences import SentenceMaker

MAX_SECONDS = 22.0
MAX_STRETCH = 0.04


@dataclass(frozen=True)
class Clip:
    """One utterance of the training data. All times are in ms from the beginning of the trimmed audio.

    `phoneme_ms` and `phonemes` give the start and name of each phoneme. `char_ms` and `char_index` give the
    characters whose start is known. `n_tokens` is the length in speech tokens of 40 ms.
    """

    text_id: int
    text: str
    language: str
    voice: str
    n_tokens: int
    phoneme_ms: npt.NDArray[np.int32]
    phonemes: tuple[str, ...]
    char_ms: npt.NDArray[np.int32]
    char_index: npt.NDArray[np.int32]

    def frame_phonemes(self) -> list[str]:
        """Returns the phoneme at the middle of each frame of 20 ms, or "" in pauses: 2 n_tokens names."""
        middle = np.arange(2 * self.n_tokens) * 20 + 10
        index = np.searchsorted(self.phoneme_ms, middle, side="right") - 1
        return [clean_phoneme(self.phonemes[i]) if i >= 0 else "" for i in index]

    def token_chars(self) -> npt.NDArray[np.float32]:
        """Returns for each speech token the index of its character in the text, as a fraction: [n_tokens]."""
        return np.interp(np.arange(self.n_tokens) * 40 + 20, self.char_ms, self.char_index).astype(np.float32)


def make_clip(
    speech: Speech,
    *,
    text_id: int,
    text: str,
    language: str,
    voice: str,
    bounds: tuple[int, int],
    length: int,
) -> Clip:
    """Makes the clip of the samples bounds[0] to bounds[1] of `speech`, stretched to `length` samples."""
    start, end = bounds
    offset, stretch = start * 1000 / SAMPLE_RATE, length / (end - start)
    n_tokens = -(-ceil(length * 160 / 147) // TOKEN_SAMPLES)
    char_ms = [*((t - offset) * stretch for t, _, _ in speech.words), length * 1000 / SAMPLE_RATE - 80]
    char_index = [*(position for _, position, _ in speech.words), len(text) - 1]
    return Clip(
        text_id, text, language, voice, n_tokens,
        np.array([(t - offset) * stretch for t, _ in speech.phonemes]).astype(np.int32),
        tuple(name for _, name in speech.phonemes),
        np.maximum.accumulate(np.array(char_ms)).astype(np.int32),
        np.maximum.accumulate(np.array(char_index)).astype(np.int32),
    )  # fmt: skip


SPEAKER_STATISTICS = 80 + 79 + 80


def speaker_statistics(fbank: Tensor) -> Tensor:
    """Returns the statistics from which the speaker encoder works: filter banks [T, 80] -> [239].

    The statistics are the spread of each bin over time, and the mean differences of neighbouring bins and of
    neighbouring frames.
    """
    spread = (fbank.square().mean(0) + 1e-6).sqrt()
    return torch.cat([spread, fbank.diff(dim=1).abs().mean(0), fbank.diff(dim=0).abs().mean(0)])


def load_speaker_statistics(parts: list[Path]) -> tuple[Tensor, list[str]]:
    """Reads the speaker statistics [n_clips, 239] and the voice of each clip from all `parts` of the data."""
    rows = [
        np.fromfile(part.with_suffix(".speaker"), np.float32).reshape(-1, SPEAKER_STATISTICS)
        for part in parts
    ]
    voices = [clip.voice for part in parts for clip in load_clips(part)]
    return torch.from_numpy(np.concatenate(rows)), voices


def load_clips(part: Path) -> list[Clip]:
    """Reads the clips of a part of the data, without their features."""
    return [Clip(**fields) for fields in pickle.loads(part.with_suffix(".pkl").read_bytes())]


class ClipSet:
    """The clips of several parts of the data, with their features, which are memory mapped."""

    def __init__(self, parts: list[Path], *, mel: bool) -> None:
        self.clips: list[Clip] = []
        self._where: list[tuple[int, int]] = []
        self._whisper: list[npt.NDArray[np.float16]] = []
        self._mel: list[npt.NDArray[np.float16]] = []
        self._recorded: list[npt.NDArray[np.float16]] = []
        for i, part in enumerate(parts):
            clips = load_clips(part)
            whisper = np.memmap(part.with_suffix(".whisper"), np.float16, "r").reshape(-1, N_WHISPER)
            self._whisper.append(whisper)
            if mel:
                self._mel.append(np.memmap(part.with_suffix(".mel"), np.float16, "r").reshape(-1, N_MEL + 1))
                recorded = part.with_suffix(".recorded")
                self._recorded.append(
                    np.memmap(recorded, np.float16, "r").reshape(-1, N_MEL)
                    if recorded.exists()
                    else self._mel[-1]
                )
            start = 0
            for clip in clips:
                self.clips.append(clip)
                self._where.append((i, start))
                start += clip.n_tokens

    def whisper(self, i: int) -> npt.NDArray[np.float16]:
        """Returns the Whisper features of clip `i`, [4 n_tokens, 80]."""
        part, start = self._where[i]
        return self._whisper[part][4 * start : 4 * (start + self.clips[i].n_tokens)]

    def mel(self, i: int) -> npt.NDArray[np.float16]:
        """Returns the log mel and the log F0 of clip `i`, [2 n_tokens, 81]."""
        part, start = self._where[i]
        return self._mel[part][2 * start : 2 * (start + self.clips[i].n_tokens)]

    def recorded(self, i: int) -> npt.NDArray[np.float16]:
        """Returns the log mel [2 n_tokens, 80] of clip `i` as it was recorded.

        The Whisper features of the clip come from the same recording. The recording may be spoilt
        (recording.py).
        """
        part, start = self._where[i]
        return self._recorded[part][2 * start : 2 * (start + self.clips[i].n_tokens), :N_MEL]


def generate(n_texts: int, *, seed: int, out: Path, folder: Path, pairs: bool) -> None:
    """Speaks `n_texts` random texts, and writes OUT.pkl, OUT.whisper and, for pairs, OUT.mel and OUT.speaker.

    The second voice of a pair is stretched to the length of the first.
    """
    torch.set_num_threads(1)
    rng = random.Random(seed)
    maker, engine, extractor = SentenceMaker(), Espeak(folder), FeatureExtractor()
    out.parent.mkdir(parents=True, exist_ok=True)
    clips: list[Clip] = []
    speaker_rows: list[npt.NDArray[np.float32]] = []
    names = [voice.name for voice in VOICES]
    began, seconds = time.monotonic(), 0.0
    with (
        out.with_suffix(".whisper").open("wb") as whisper_file,
        out.with_suffix(".mel").open("wb") as mel_file,
    ):
        for text_id in range(n_texts):
            sentence = maker.make(rng)
            length = 0
            for voice in rng.sample(names, 2 if pairs else 1):
                speech = engine.synthesize(
                    sentence.text, language=sentence.language, voice=voice, pitch=rng.randint(46, 54)
                )
                start, end = trim_bounds(speech.wave)
                if not 0.25 <= (end - start) / SAMPLE_RATE <= MAX_SECONDS:
                    break
                samples = speech.wave[start:end]
                if length:
                    # voices differ by about 1 % in length (whole pitch periods): stretch the second voice
                    if abs(len(samples) / length - 1) > MAX_STRETCH:
                        break
                    samples = scipy.signal.resample(samples, length).clip(-32768, 32767).astype(np.int16)
                length = len(samples)
                wave = extractor.prepare(samples)
                clip = make_clip(
                    speech, text_id=text_id, text=sentence.text, language=sentence.language, voice=voice,
                    bounds=(start, end), length=length,
                )  # fmt: skip
                if clip.n_tokens * TOKEN_SAMPLES != len(wave):
                    break
                whisper_file.write(extractor.whisper(wave).half().numpy().tobytes())
                if pairs:
                    mel_file.write(extractor.mel_and_pitch(wave).half().numpy().tobytes())
                    fbank = kaldi_fbank(resample(wave, 24000, 16000))
                    speaker_rows.append(speaker_statistics(fbank).numpy())
                clips.append(clip)
                seconds += len(wave) / 24000
            if text_id % 1000 == 999:
                print(f"{out.name}: {text_id + 1}/{n_texts} texts, {len(clips)} clips, "
                      f"{seconds / 3600:.2f} h, {time.monotonic() - began:.0f} s", flush=True)  # fmt: skip
    if pairs:
        np.stack(speaker_rows).tofile(out.with_suffix(".speaker"))
    out.with_suffix(".pkl").write_bytes(pickle.dumps([vars(clip) for clip in clips]))
    print(f"{out.name}: done, {len(clips)} clips, {seconds / 3600:.2f} h", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=("pairs", "single"))
    parser.add_argument("n_texts", type=int)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--folder", type=Path, default=Path(".mini"))
    args = parser.parse_args()
    generate(args.n_texts, seed=args.seed, out=args.out, folder=args.folder, pairs=args.kind == "pairs")


if __name__ == "__main__":
    main()
