"""Makes training data from Kokoro's speech, in parts of about five minutes. Existing parts are skipped.

    python -m mini.kokoro_data pairs --minutes 240      writes .mini/data/pairsNNN.*
    python -m mini.kokoro_data single --minutes 720     writes .mini/data/singleNNN.*
    python -m mini.kokoro_data low --minutes 40         writes .mini/data/lowNNN.*

`pairs` speaks each text in two timbres with the same prosody, so that both have the same timing to the
frame. `single` speaks each text once, `low` does so in low men's voices. A quarter of the clips are changed
as if a phone had recorded them. The tokenizer's features, the speaker's statistics and the file .recorded
(the mel of a prompt) come from the changed clips. A third of the pairs' texts are random words:
they have every Hanzi and syllable, which what people say repeats too seldom for the tokenizer. The format is
that of data.py, with an additional file .wave for the vocoders: 24 kHz int16 of one clip of each text. A part
depends only on its number and on the texts.
"""

import json
import pickle
import random
import re
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from glm_tts_api.model.mel import resample
from glm_tts_api.model.speaker_encoder import kaldi_fbank
from mini.data import Clip, speaker_statistics
from mini.features import N_MEL, TOKEN_SAMPLES, mel_and_pitch, whisper_features
from mini.kokoro import FRAME_SAMPLES, MAX_LETTERS, SAMPLE_RATE, Floats, Kokoro, Spoken
from mini.kokoro_reading import PAUSES, Reader, Reading
from mini.program import Program
from mini.recording import as_recorded
from mini.sayings import SayingMaker, prepared
from mini.sentences import Sentence, SentenceMaker
from mini.timbres import PROSODY, Timbre, low_timbres, trained_timbres

# Voices for each text, seed of the first part, share of the texts that are random words.
KINDS = {"pairs": (2, 1000, 0.35), "single": (1, 5000, 0.6), "low": (1, 9000, 0.6)}
PART_SECONDS = 300.0
RECORDED_SHARE = 0.25
SHORTEST_S, LONGEST_S = 0.5, 20.0
_SILENCE_S = 0.08  # kept before and after the speech
_LOUD = 0.006
_PAUSE_FRAMES = 6  # frames of 20 ms; a pause is longer than the silence of a plosive
_STRESS, _TONES, _COLOUR = frozenset("ˈˌ"), frozenset("ː→↗↘↓ᵝ"), frozenset("ʰʲ\u0303")
_F0_TEXTS = {"en": "a strong wind is blowing from the north.", "zh": "今天北风很大，出门记得穿外套。"}


class Speaker:
    """Speaks with Kokoro in any timbre at the timbre's own pitch, with the prosody of another voice."""

    def __init__(self, folder: Path) -> None:
        self.teacher = Kokoro(folder)
        self.reader = Reader(self.teacher.letters)
        self._file = folder / "median_f0.json"
        self._median_f0: dict[str, float] = json.loads(self._file.read_text()) if self._file.exists() else {}

    def median_f0(self, voice: str) -> float:
        """Returns the median F0 in Hz of a base voice, from a file or from a test sentence in its
        language."""
        if voice not in self._median_f0:
            language = "zh" if voice.startswith("z") else "en"
            letters = self.reader.read(_F0_TEXTS[language], language).letters
            f0 = self.teacher.say(letters, timbre={voice: 1.0}, prosody=voice).f0
            self._median_f0[voice] = float(np.median(f0[f0 > 60]))
            self._file.write_text(json.dumps(self._median_f0, indent=1))
        return self._median_f0[voice]

    def say(self, reading: Reading, timbre: Timbre, prosody: str, *, speed: float) -> Spoken:
        wanted = timbre.pitch * sum(share * self.median_f0(voice) for voice, share in timbre.shares)
        return self.teacher.say(
            reading.letters, timbre=dict(timbre.shares), prosody=prosody, speed=speed,
            pitch=wanted / self.median_f0(prosody),
        )  # fmt: skip


def speech_bounds(waves: list[Floats]) -> tuple[int, int]:
    """Returns the (start, end) samples to keep of waves with the same timing, or (0, 0) if all are silent.

    The range reaches from the first to the last loud sample of any wave, with _SILENCE_S more on both sides.
    """
    loud = np.flatnonzero(np.stack([np.abs(wave) for wave in waves]).max(0) > _LOUD)
    if len(loud) == 0:
        return 0, 0
    keep = round(_SILENCE_S * SAMPLE_RATE)
    return max(0, int(loud[0]) - keep), min(len(waves[0]), int(loud[-1]) + keep)


def whole_tokens(wave: Floats) -> Floats:
    padded: Floats = np.pad(wave.clip(-1, 1), (0, -len(wave) % TOKEN_SAMPLES))
    return padded


Event = tuple[float, str]  # a start in ms, and the phoneme


def label(letters: str, starts_ms: npt.NDArray[np.float64]) -> list[Event]:
    """Converts Kokoro's letters to phonemes with their start times in ms. "_" is a pause.

    `starts_ms` gives the start of each letter, and the end of the last one. A space, a tone or a length mark
    belongs to the phoneme before it, a stress mark to the phoneme after it.
    """
    events: list[Event] = [(0.0, "_")]
    stress: float | None = None
    for letter, start in zip(letters, starts_ms[:-1], strict=True):
        if letter in _STRESS:
            stress = start
        elif letter in PAUSES:
            events.append((start, "_"))
        elif letter in _COLOUR:
            events[-1] = (events[-1][0], events[-1][1] + letter)
        elif letter != " " and letter not in _TONES:
            events.append((start if stress is None else stress, letter))
            stress = None
    return [*events, (float(starts_ms[-1]), "_")]


def with_silences(events: list[Event], wave: Floats) -> list[Event]:
    """Adds the silences of `wave` (24 kHz) to the events as pauses.

    Kokoro's durations count a silence as part of the phoneme before it.
    """
    frame = SAMPLE_RATE // 50
    quiet = np.abs(wave[: len(wave) // frame * frame]).reshape(-1, frame).max(1) < _LOUD
    edges = np.flatnonzero(np.diff(np.concatenate([[0], quiet, [0]]).astype(np.int8)))
    for start, end in ((20.0 * a, 20.0 * b) for a, b in edges.reshape(-1, 2) if b - a >= _PAUSE_FRAMES):
        active = [event for event in events if event[0] <= end][-1]
        outside = [event for event in events if not start <= event[0] <= end]
        events = sorted([*outside, (start, "_"), (end, active[1])])
    return events


def make_clip(
    sentence: Sentence, reading: Reading, wave: Floats, starts_ms: npt.NDArray[np.float64], *,
    text_id: int, voice: str,
) -> Clip:  # fmt: skip
    """Makes the Clip of a trimmed 24 kHz wave, with the times of its phonemes and of characters of the text.

    `starts_ms` gives the start of each letter of `reading` in ms, and the end of the last one.
    """
    events = with_silences(label(reading.letters, starts_ms), wave)
    end_ms = len(wave) * 1000 / SAMPLE_RATE - 80
    chars = [(float(starts_ms[i]), place) for i, place in reading.places]
    chars = [(t, place) for t, place in chars if t < end_ms] + [(end_ms, len(sentence.text) - 1)]
    return Clip(
        text_id, prepared(sentence), sentence.language, voice, len(wave) // TOKEN_SAMPLES,
        np.array([t for t, _ in events]).clip(0).astype(np.int32), tuple(name for _, name in events),
        np.array([t for t, _ in chars]).clip(0).astype(np.int32), np.array([p for _, p in chars], np.int32),
    )  # fmt: skip


def say_alike(
    speaker: Speaker, sentence: Sentence, timbres: list[Timbre], prosody: str, *, speed: float, text_id: int
) -> list[tuple[Clip, Floats]]:
    """Speaks a text in each of `timbres` with the same timing. Returns (clip, wave at 24 kHz) for each.

    Returns an empty list if the speech is too short or too long, or if the timings differ.
    """
    reading = speaker.reader.read(sentence.text, sentence.language)
    if not 0 < len(reading.letters) <= MAX_LETTERS:
        return []
    spoken = [speaker.say(reading, timbre, prosody, speed=speed) for timbre in timbres]
    start, end = speech_bounds([one.wave for one in spoken])
    same = all(np.array_equal(one.frames, spoken[0].frames) for one in spoken)
    if not same or not SHORTEST_S <= (end - start) / SAMPLE_RATE <= LONGEST_S:
        return []
    starts_ms = (spoken[0].frames.cumsum()[:-1] * FRAME_SAMPLES - start) * 1000 / SAMPLE_RATE
    waves = [whole_tokens(one.wave[start:end]) for one in spoken]
    return [
        (make_clip(sentence, reading, wave, starts_ms, text_id=text_id, voice=timbre.name), wave)
        for timbre, wave in zip(timbres, waves, strict=True)
    ]


class PartWriter:
    """Writes the clips of one part of the data.

    `close` writes all files. The list of clips is the last file, so that a part with a list is complete.
    """

    def __init__(self, out: Path) -> None:
        self._out = out
        self._clips: list[Clip] = []
        self._rows: dict[str, list[bytes]] = {
            name: [] for name in ("whisper", "mel", "recorded", "speaker", "wave")
        }
        self.seconds = 0.0

    def add(self, clip: Clip, wave: Floats, *, recorded: Floats, keep_wave: bool) -> None:
        samples, heard = torch.from_numpy(wave), torch.from_numpy(recorded)
        fbank = kaldi_fbank(resample(heard, SAMPLE_RATE, 16000))
        mel, heard_mel = (mel_and_pitch(sound) for sound in (samples, heard))
        self._rows["whisper"].append(whisper_features(heard).half().numpy().tobytes())
        self._rows["mel"].append(mel.half().numpy().tobytes())
        self._rows["recorded"].append(heard_mel[:, :N_MEL].half().numpy().tobytes())
        self._rows["speaker"].append(speaker_statistics(fbank).numpy().tobytes())
        if keep_wave:
            self._rows["wave"].append((samples * 32767).to(torch.int16).numpy().tobytes())
        self._clips.append(clip)
        self.seconds += len(wave) / SAMPLE_RATE

    def close(self) -> None:
        for name, rows in self._rows.items():
            self._out.with_suffix(f".{name}").write_bytes(b"".join(rows))
        temporary = self._out.with_suffix(".tmp")
        temporary.write_bytes(pickle.dumps([vars(clip) for clip in self._clips]))
        temporary.replace(self._out.with_suffix(".pkl"))


class Texts:
    """Makes what people say, and as a share of the texts random words.

    The same state of the random generator gives the same texts.
    """

    def __init__(self, words_share: float) -> None:
        self._words_share = words_share
        self._sayings, self._words = SayingMaker(), SentenceMaker()

    def make(self, rng: random.Random) -> Sentence:
        if not self._words_share or rng.random() >= self._words_share:
            return self._sayings.make(rng)
        while True:
            sentence = self._words.make(rng)
            if sentence.language == "en" and len(sentence.text) < 150:
                return sentence
            if len(sentence.text) < 45 and not re.search("[a-z]", sentence.text):  # not a mixture
                return sentence


def make_part(
    speaker: Speaker, texts: Texts, out: Path, *, seed: int, voices: int, timbres: list[Timbre]
) -> float:
    """Writes a part of the data with `voices` random timbres for each text. Returns its seconds of speech."""
    rng, writer = random.Random(seed), PartWriter(out)
    text_id = 0
    while writer.seconds < PART_SECONDS:
        sentence = texts.make(rng)
        prosody, speed = rng.choice(PROSODY[sentence.language]), rng.uniform(0.9, 1.15)
        chosen = rng.sample(timbres, voices)
        clips = say_alike(speaker, sentence, chosen, prosody, speed=speed, text_id=text_id)
        for i, (clip, wave) in enumerate(clips):
            recorded = as_recorded(wave, rng) if rng.random() < RECORDED_SHARE else wave
            writer.add(clip, wave, recorded=recorded, keep_wave=i == 0)
        text_id += 1
    writer.close()
    return writer.seconds


def main() -> None:
    parser = Program(__doc__)
    parser.add_argument("kind", choices=tuple(KINDS))
    parser.add_argument("--minutes", type=float, default=240)
    parser.add_argument("--timbres", type=int, default=48)
    args = parser.parse_args()
    data: Path = args.folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    speaker = Speaker(args.folder / "kokoro")
    timbres = (low_timbres if args.kind == "low" else trained_timbres)(args.timbres)
    voices, first_seed, words_share = KINDS[args.kind]
    texts = Texts(words_share)
    for part in range(round(args.minutes * 60 / PART_SECONDS)):
        out = data / f"{args.kind}{part:03d}"
        if not out.with_suffix(".pkl").exists():
            seed = first_seed + part
            seconds = make_part(speaker, texts, out, seed=seed, voices=voices, timbres=timbres)
            print(f"{out.name}: {seconds / 60:.1f} min, CPU {time.process_time():.0f} s so far", flush=True)


if __name__ == "__main__":
    main()
