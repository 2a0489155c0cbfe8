"""Measures the errors of the times of words and sentences that are estimated from the sound.

The speech comes from espeak-ng, which reports the true beginning of each word.

    python -m bench.word_times      100 sentences, and pairs of them (needs libespeak-ng1)
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from glm_tts_api.contracts import AudioChunk, SpeechRequest, UploadedVoice
from glm_tts_api.speech.times import SegmentTimes, TimeKeeper
from mini.espeak import SAMPLE_RATE, VOICES, Espeak
from mini.heldout import CHINESE, ENGLISH
from speech_text import TextFrontend


def errors(
    texts: list[str], language: str, espeak: Espeak, frontend: TextFrontend
) -> Iterator[tuple[list[float], list[float]]]:
    """Yields for each text of one segment (the errors of its words, the errors of its sentences), in seconds.

    An error is the estimated minus the true beginning. The first sentence of a text is left out.
    """
    for number, text in enumerate(texts):
        written = frontend.read(text).written()
        if len(written) > 1:
            continue
        voice = VOICES[number % len(VOICES)].name
        speech = espeak.synthesize(text, language=language, voice=voice)
        pcm = speech.wave.astype(np.float32) / np.float32(32768)
        keeper = TimeKeeper(SpeechRequest("-", text, UploadedVoice(bytes, ""), timestamps="word"))
        keeper.hear(AudioChunk(pcm, SAMPLE_RATE, 0, written=written[0]))
        (times,) = keeper.done
        begin_s = {at: start_ms / 1000 for start_ms, at, _ in speech.words}
        yield (
            [
                told.start_s - begin_s[word.start]
                for word, told in zip(written[0].words, times.words, strict=True)
                if word.start in begin_s
            ],
            [start_s - begin_s[at] for at, start_s in _sentences(times) if at in begin_s],
        )


def _sentences(times: SegmentTimes) -> Iterator[tuple[int, float]]:
    """Yields for each sentence but the first (its index in the text, its estimated beginning in seconds)."""
    at = 0
    for sentence in times.sentences:
        at = times.whole.text.index(sentence.text, at)
        if at:
            yield at, sentence.start_s


def shown(found: list[float]) -> str:
    ms = 1000 * np.abs(found)
    return (
        f"{len(ms)}: mean {ms.mean():.0f} ms, half within {np.median(ms):.0f}, 95 % within "
        f"{np.percentile(ms, 95):.0f}, all within {ms.max():.0f}; on average {1000 * np.mean(found):+.0f}"
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        espeak = Espeak(Path(folder))
        frontend = TextFrontend(cache_dir=Path(folder))
        for language, sentences, between in (("en", ENGLISH, " "), ("zh", CHINESE, "")):
            pairs = [between.join(pair) for pair in zip(sentences[::2], sentences[1::2], strict=True)]
            words = [
                each for found, _ in errors(list(sentences), language, espeak, frontend) for each in found
            ]
            starts = [each for _, found in errors(pairs, language, espeak, frontend) for each in found]
            print(f"{language}, words: {shown(words)}")
            print(f"{language}, sentences within a segment: {shown(starts)}")


if __name__ == "__main__":
    main()
