"""Makes the LLM's training sequences: text ids, speech codes, and each code's place in the text."""

import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jieba
import numpy as np
import numpy.typing as npt

from mini.codes import PACES, load_codes
from mini.data import load_clips
from mini.sentences import is_hanzi
from mini.vocabulary import Vocabulary, readings

MAX_HISTORY_TOKENS = 750
ENGLISH = 0.65  # share of the targets; spelling determines the sound less than Hanzi do
SPLICED = 0.5  # share of the utterances that get the end of another one
_MIN_SPLICED, _MAX_SPLICED = 12, 450  # codes of a joined utterance
SAME_LANGUAGE = 0.5  # share of the utterances before a target; the default prompts are Chinese


@dataclass(frozen=True)
class Spoken:
    """One utterance. `char_place` [n_codes] is for each code the (fractional) index of its character.

    `spans` holds the characters (start, end) of each text id. `place` [n_codes] is for each code the index of
    the spoken text id, as a fraction.
    """

    text: str
    language: str
    voice: str
    text_ids: list[int]
    codes: npt.NDArray[np.int16]
    char_place: npt.NDArray[np.float32]
    spans: list[tuple[int, int]]

    @property
    def place(self) -> npt.NDArray[np.float32]:
        return place_in_tokens(self.char_place, self.spans)


def place_in_tokens(chars: npt.NDArray[np.float32], spans: list[tuple[int, int]]) -> npt.NDArray[np.float32]:
    """Converts fractional character indices to fractional token indices, where k is the middle of token k.

    `spans` holds the characters (start, end) of each token.
    """
    starts = np.array([a for a, _ in spans] + [spans[-1][1]], np.float32)
    keep = np.concatenate([[True], np.diff(starts) > 0])
    edges = np.arange(len(starts), dtype=np.float32)[keep]
    places: npt.NDArray[np.float32] = (np.interp(chars, starts[keep], edges) - 0.5).astype(np.float32)
    return places


def load_utterances(folder: Path, names: list[str], vocabulary: Vocabulary) -> list[Spoken]:
    """Loads all clips of the named parts of the data, with their speech codes and their text ids.

    Copies at other paces follow as other voices, so that no sequence has a text twice. codes.py makes them.
    """
    clips = {name: load_clips(folder / "data" / name) for name in names}
    texts = {name: [vocabulary.encode_with_characters(clip.text) for clip in clips[name]] for name in names}
    result = []
    for pace in (".", *PACES):
        for name in names:
            loaded = load_codes(folder / "codes" / pace, name)
            for clip, (ids, spans), codes in zip(clips[name], texts[name], loaded, strict=True):
                times = (np.arange(len(codes)) + 0.5) * (clip.n_tokens / len(codes)) - 0.5
                places = np.interp(times, np.arange(clip.n_tokens), clip.token_chars()).astype(np.float32)
                voice = f"{clip.voice} {pace}"
                result.append(Spoken(clip.text, clip.language, voice, ids, codes, places, spans))
    return result


def spliced(left: Spoken, right: Spoken, vocabulary: Vocabulary, rng: random.Random) -> Spoken:
    """Joins the beginning of an utterance with the end of another one of the same voice and language.

    Both are cut between words. The joined texts are new, so that the language model can't learn them by
    heart. Returns `left` if one of them can't be cut, or if the result would be too long.
    """
    ends, starts = cuts(left.text, left.language), cuts(right.text, right.language)
    if not ends or not starts:
        return left
    end, start = rng.choice(ends), rng.choice(starts)
    until, since = np.searchsorted(left.char_place, end), np.searchsorted(right.char_place, start)
    codes = np.concatenate([left.codes[:until], right.codes[since:]])
    if not _MIN_SPLICED <= len(codes) <= _MAX_SPLICED:
        return left
    text = left.text[:end] + right.text[start:]
    ids, spans = vocabulary.encode_with_characters(text)
    places = np.concatenate([left.char_place[:until], right.char_place[since:] + (end - start)])
    return Spoken(text, left.language, left.voice, ids, codes, places.astype(np.float32), spans)


@cache
def cuts(text: str, language: str) -> list[int]:
    """Returns where `text` can be cut: the indices of characters that begin a word.

    No Chinese word before a cut ends in a tone that the next word may change (the third tone, 一, 不).
    """
    if language == "en":
        return [i for i in range(1, len(text)) if text[i - 1] == " "]
    result, at = [], 0
    for word in jieba.cut(text):
        at += len(word)
        if at < len(text) and is_hanzi(text[at]) and not _changes(word[-1]):
            result.append(at)
    return result


def _changes(char: str) -> bool:
    return char in "一不" or any(final.endswith("3") for _, final in readings(char))


class PhonemeWriter:
    """Writes some Hanzi of a text as phoneme tokens.

    The class chooses only Hanzi with one reading, since their sound is certain.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        phonemes, tokens = vocabulary.phonemes, (t.decode("utf8", "ignore") for t in vocabulary.ranks)
        hanzi = {char: readings(char) for char in tokens if len(char) == 1 and is_hanzi(char)}
        self._ids = {
            char: [phonemes[name] for name in found[0] if name]
            for char, found in hanzi.items()
            if len(found) == 1
        }

    def rewrite(self, spoken: Spoken, rng: random.Random) -> tuple[list[int], list[tuple[int, int]]]:
        share = rng.choice((0.15, 0.4, 0.8))
        ids: list[int] = []
        spans: list[tuple[int, int]] = []
        for token, span in zip(spoken.text_ids, spoken.spans, strict=True):
            char = spoken.text[span[0] : span[1]]
            new = self._ids.get(char) if len(char) == 1 and is_hanzi(char) and rng.random() < share else None
            for part in new or [token]:
                ids.append(part)
                spans.append(span)
        return ids, spans


def spread(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Doubles the character indices of `spans`, the characters (start, end) of each token.

    Two successive tokens with the same character (its initial and its final in phonemes) get half of it each.
    """
    result = []
    for i, (a, b) in enumerate(spans):
        first = i + 1 < len(spans) and spans[i + 1] == (a, b)
        second = i > 0 and spans[i - 1] == (a, b)
        result.append((2 * a + int(second), 2 * b - int(first and not second)))
    return result


@dataclass(frozen=True)
class Sequence:
    """A training sequence. `ids` is the server's prompt and the codes that follow it.

    `place` is for each position the index of the text id that the next code speaks, and -1 outside of speech.
    """

    ids: npt.NDArray[np.int64]
    place: npt.NDArray[np.float32]
    speech_from: int  # the index of begin_of_audio


class SequenceMaker:
    """Makes training sequences of prompts, histories and targets of one voice, in the server's order."""

    def __init__(self, utterances: list[Spoken], vocabulary: Vocabulary, writer: PhonemeWriter) -> None:
        self._vocabulary = vocabulary
        self._writer = writer
        self._space, _ = vocabulary.encode(" ")
        self.utterances = utterances
        self._by_language = {
            language: [spoken for spoken in utterances if spoken.language == language]
            for language in sorted({spoken.language for spoken in utterances})
        }
        self._by_voice: dict[tuple[str, str], list[Spoken]] = {}
        for spoken in utterances:
            self._by_voice.setdefault((spoken.voice, spoken.language), []).append(spoken)

    def draw(self, rng: random.Random, *, alone: float) -> Sequence:
        """Returns a random sequence. `alone` is the probability of a target without a prompt and history."""
        language = "en" if rng.random() < ENGLISH else "zh"
        target = rng.choice(self._by_language.get(language, self.utterances))
        chosen = [target]
        if rng.random() >= alone:
            budget = MAX_HISTORY_TOKENS - len(target.codes)
            for _ in range(rng.choice((1, 1, 1, 1, 2, 2, 3, 4, 5))):
                another = "en" if target.language == "zh" else "zh"
                other = target.language if rng.random() < SAME_LANGUAGE else another
                clips = self._by_voice.get(
                    (target.voice, other), self._by_voice[target.voice, target.language]
                )
                earlier = rng.choice(clips)
                if len(earlier.codes) <= budget:
                    budget -= len(earlier.codes)
                    chosen.insert(0, earlier)
        return self.build([self._spliced(spoken, rng) for spoken in chosen], rng)

    def _spliced(self, spoken: Spoken, rng: random.Random) -> Spoken:
        if rng.random() >= SPLICED:
            return spoken
        other = rng.choice(self._by_voice[spoken.voice, spoken.language])
        return spliced(spoken, other, self._vocabulary, rng)

    def build(self, chosen: list[Spoken], rng: random.Random | None) -> Sequence:
        """Returns the sequence of the utterances `chosen`. The first of several utterances is the prompt.

        With `rng`, some Chinese utterances are written partly as phonemes.
        """
        texts: list[int] = []
        codes, places = [], []
        for i, spoken in enumerate(chosen):
            ids, place = spoken.text_ids, spoken.place
            prompt = i == 0 and len(chosen) > 1
            if not prompt and rng is not None and spoken.language == "zh" and rng.random() < 0.12:
                ids, spans = self._writer.rewrite(spoken, rng)
                place = place_in_tokens(2 * spoken.char_place, spread(spans))
            places.append(place + len(texts))
            texts += ids + (self._space if prompt else [])
            codes.append(spoken.codes)
        speech = np.concatenate(codes).astype(np.int64) + self._vocabulary.audio_start
        full = np.concatenate([np.array(texts), [self._vocabulary.begin], speech, [self._vocabulary.end]])
        place = np.full(len(full), -1, np.float32)
        place[len(texts) : len(texts) + len(speech)] = np.concatenate(
            places
        )  # the position of begin_of_audio predicts the first code
        return Sequence(full, np.maximum(place, -1), len(texts))
