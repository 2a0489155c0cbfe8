"""Utterances as the language model reads them: text ids, speech codes, and each code's place in the text."""

import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from scripts.mini.codes import load_codes
from scripts.mini.data import ClipSet
from scripts.mini.sentences import is_hanzi
from scripts.mini.vocabulary import Vocabulary, readings

MAX_HISTORY_TOKENS = 750
ENGLISH = 0.65  # of the targets: spelling tells less of the sound than Hanzi do
SAME_LANGUAGE = 0.5  # of what is spoken before a target: the default prompts are Chinese, whatever follows


@dataclass(frozen=True)
class Spoken:
    """`place` [n_codes]: the index of the text id that is being spoken, fractional."""

    text: str
    language: str
    voice: str
    text_ids: npt.NDArray[np.int32]
    codes: npt.NDArray[np.int16]
    char_place: npt.NDArray[np.float32]
    spans: tuple[tuple[int, int], ...]

    @property
    def place(self) -> npt.NDArray[np.float32]:
        return place_in_tokens(self.char_place, self.spans)


def place_in_tokens(
    chars: npt.NDArray[np.float32], spans: tuple[tuple[int, int], ...]
) -> npt.NDArray[np.float32]:
    """Fractional characters -> fractional tokens, so that k is the middle of token k."""
    starts = np.array([a for a, _ in spans] + [spans[-1][1]], np.float32)
    keep = np.concatenate([[True], np.diff(starts) > 0])
    edges = np.arange(len(starts), dtype=np.float32)[keep]
    places: npt.NDArray[np.float32] = (np.interp(chars, starts[keep], edges) - 0.5).astype(np.float32)
    return places


def load_utterances(folder: Path, names: list[str], vocabulary: Vocabulary) -> list[Spoken]:
    """All clips of the named parts whose text is covered by their times."""
    result = []
    for name in names:
        clips = ClipSet([folder / "data" / name], mel=False).clips
        for clip, codes in zip(clips, load_codes(folder / "codes", name), strict=True):
            ids, spans = vocabulary.encode_with_characters(clip.text)
            result.append(
                Spoken(
                    clip.text,
                    clip.language,
                    clip.voice,
                    np.array(ids, np.int32),
                    codes,
                    clip.token_chars(),
                    tuple(spans),
                )
            )
    return result


class PhonemeWriter:
    """Some Hanzi of a text written as phoneme tokens: only those with one reading, whose sound is certain."""

    def __init__(self, vocabulary: Vocabulary, hanzi: list[str]) -> None:
        self._ids = {}
        for char in hanzi:
            found = readings(char)
            if len(found) == 1:
                self._ids[char] = vocabulary.phoneme_ids(*found[0])

    def rewrite(self, spoken: Spoken, rng: random.Random) -> tuple[list[int], tuple[tuple[int, int], ...]]:
        share = rng.choice((0.15, 0.4, 0.8))
        ids: list[int] = []
        spans: list[tuple[int, int]] = []
        for token, span in zip(spoken.text_ids.tolist(), spoken.spans, strict=True):
            char = spoken.text[span[0] : span[1]]
            new = self._ids.get(char) if len(char) == 1 and is_hanzi(char) and rng.random() < share else None
            for part in new or [token]:
                ids.append(part)
                spans.append(span)
        return ids, tuple(spans)


def spread(spans: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    """Scales characters by two, so that two tokens of one character get half of it each."""
    result = []
    for i, (a, b) in enumerate(spans):
        first = i + 1 < len(spans) and spans[i + 1] == (a, b)
        second = i > 0 and spans[i - 1] == (a, b)
        result.append((2 * a + int(second), 2 * b - int(first and not second)))
    return tuple(result)


@dataclass(frozen=True)
class Sequence:
    """`ids` as the service sends them and the model goes on; `place` is -1 outside speech."""

    ids: npt.NDArray[np.int64]
    place: npt.NDArray[np.float32]
    speech_from: int  # the index of begin_of_audio


class SequenceMaker:
    """Random prompts, histories and targets of one voice in the service's order."""

    def __init__(self, utterances: list[Spoken], vocabulary: Vocabulary, writer: PhonemeWriter) -> None:
        self._vocabulary = vocabulary
        self._writer = writer
        self._space = vocabulary.encode(" ")
        self._begin, self._end = vocabulary.added["<|begin_of_audio|>"], vocabulary.added["<|user|>"]
        self.utterances = utterances
        self._by_language = {
            language: [spoken for spoken in utterances if spoken.language == language]
            for language in sorted({spoken.language for spoken in utterances})
        }
        self._by_voice: dict[tuple[str, str], list[Spoken]] = {}
        for spoken in utterances:
            self._by_voice.setdefault((spoken.voice, spoken.language), []).append(spoken)

    def draw(self, rng: random.Random, *, alone: float) -> Sequence:
        """`alone` is the chance of a target without anything before it."""
        language = "en" if rng.random() < ENGLISH else "zh"
        target = rng.choice(self._by_language.get(language, self.utterances))
        chosen = [target]
        if rng.random() >= alone:
            budget = MAX_HISTORY_TOKENS - len(target.codes)
            for _ in range(rng.choice((1, 1, 1, 1, 2, 2, 3, 4, 5))):
                another = "en" if target.language == "zh" else "zh"
                other = target.language if rng.random() < SAME_LANGUAGE else another
                earlier = rng.choice(self._by_voice[target.voice, other])
                if len(earlier.codes) <= budget:
                    budget -= len(earlier.codes)
                    chosen.insert(0, earlier)
        return self.build(chosen, rng)

    def build(self, chosen: list[Spoken], rng: random.Random | None) -> Sequence:
        """The sequence of these utterances, the first being the prompt; `rng` writes some in phonemes."""
        texts: list[int] = []
        codes, places = [], []
        for i, spoken in enumerate(chosen):
            ids, place = spoken.text_ids.tolist(), spoken.place
            prompt = i == 0 and len(chosen) > 1
            if not prompt and rng is not None and spoken.language == "zh" and rng.random() < 0.12:
                ids, spans = self._writer.rewrite(spoken, rng)
                place = place_in_tokens(2 * spoken.char_place, spread(spans))
            places.append(place + len(texts))
            texts += ids + (self._space if prompt else [])
            codes.append(spoken.codes)
        speech = np.concatenate(codes).astype(np.int64) + self._vocabulary.audio_start
        full = np.concatenate([np.array(texts), [self._begin], speech, [self._end]])
        place = np.full(len(full), -1, np.float32)
        place[len(texts) : len(texts) + len(speech)] = np.concatenate(
            places
        )  # begin_of_audio asks for the first code
        return Sequence(full, np.maximum(place, -1), len(texts))
