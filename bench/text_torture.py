"""Reads texts that are made to take long, each as long as a request may be, and prints their times.

    python -m bench.text_torture [--texts 1000] [--seed 1]

Each of the `--texts` repeats a unit of digits, marks, combining signs or several scripts until it has
MAX_TEXT_LENGTH characters. Further texts repeat marks in brackets, SSML, words of a lexicon and each block of
Unicode. Each text is processed as a request's text in phoneme mode: SSML, marks, lexicon, rules, the
tokenizer, the answer of /text/normalize, and the sentences of the WebSocket. Prints the slowest texts, those
that held up other threads longest, and those whose time grows fastest with their length. The same seed gives
the same texts. Exits 1 if a text took more than a second, held up other threads for more than 0.1 s, or took
more than three times as long as its half.

Times are CPU times of this process, so that other programs do not count. A pause is the CPU time of the
reading thread between two turns of another thread that asks for a turn every 2 ms, as the event loop does.
"""

from __future__ import annotations

import gc
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from bench.arguments import Arguments, progress
from bench.torture_texts import Torture, tortures
from glm_tts_api.model.tokenizer import TextTokenizer
from speech_text import ReadingOptions, RuleSet, SentenceSplitter, TextError, TextFrontend, with_marks
from speech_text.marks import voices_in

PROJECT = Path(__file__).resolve().parents[1]
LENGTH = 20_000
MOST_S, MOST_PAUSE_S, MOST_GROWTH = 1.0, 0.1, 1.5
TELLING_S = 0.1  # shorter times are too imprecise to measure growth
_FIGURES = ("seconds", "pause_s", "linear_s")
_TICK_S = 0.002
_TRIES = 3  # for a text over a limit; the least figure counts, since another process may cause a pause
TOKENIZER = PROJECT / "glm_tts_api" / "assets" / "mini" / "vq32k-phoneme-tokenizer"


@dataclass(frozen=True, slots=True)
class Reading:
    """The figures of one text: its CPU time, and the longest pause of other threads, in seconds.

    `linear_s` is the time the text would take if its time grew in proportion to its length, from its half.
    """

    name: str
    seconds: float
    pause_s: float
    linear_s: float = 0.0

    @property
    def growth(self) -> float:
        """How the time grows: 1 if twice the text takes twice the time, 2 if it takes four times, 0 if the
        times are too short to tell."""
        return self.seconds / self.linear_s if self.linear_s and self.seconds > TELLING_S else 0.0

    def __str__(self) -> str:
        figures = f"{self.seconds:6.2f} s, pause {1000 * self.pause_s:4.0f} ms, growth {self.growth:3.1f}"
        return f"{figures}  {self.name}"


class Ticker:
    """A thread that asks for a turn every 2 ms.

    `longest_s` is the most CPU time in seconds that the thread which made the Ticker used between two turns.
    """

    def __init__(self) -> None:
        self.longest_s = 0.0
        self._clock = time.pthread_getcpuclockid(threading.get_ident())
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Ticker:
        self._thread.start()
        time.sleep(2 * _TICK_S)
        return self

    def __exit__(self, *_: object) -> None:
        time.sleep(2 * _TICK_S)
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        last = time.clock_gettime(self._clock)
        while not self._done.is_set():
            time.sleep(_TICK_S)
            now = time.clock_gettime(self._clock)
            self.longest_s, last = max(self.longest_s, now - last), now


def read(case: Torture, frontend: TextFrontend, tokenizer: TextTokenizer) -> Reading:
    """Processes one text with empty caches, and returns its CPU time and the longest pause of other
    threads."""
    frontend.clear_cache()
    with Ticker() as ticker:
        began = time.thread_time()
        with suppress(TextError):
            read_as_requested(case, frontend, tokenizer)
        seconds = time.thread_time() - began
    return Reading(str(case), seconds, ticker.longest_s)


def read_as_requested(case: Torture, frontend: TextFrontend, tokenizer: TextTokenizer) -> None:
    """Processes a text as the server does before the LLM: SSML, marks, sentences, reading, tokenizer."""
    text = with_marks(case.text)[0] if case.ssml else case.text
    voices_in(text)
    SentenceSplitter().push(text)
    reading = frontend.read(text, ReadingOptions(use_phoneme=True, lexicon=case.lexicon))
    for segment in reading.segments:
        tokenizer.encode(segment.spoken)
    shown = reading.text, list(reading.parts), reading.changes, reading.warnings, reading.seconds
    assert all(part is not None for part in shown)


def grown(part: Torture, whole: Torture, frontend: TextFrontend, tokenizer: TextTokenizer) -> Reading:
    """Reads `part` and `whole`, and returns the figures of `whole`. If they are over a limit, it tries again,
    and takes the least of each figure over the tries."""
    tries: list[Reading] = []
    while not tries or (len(tries) < _TRIES and is_over(best_of(tries))):
        linear_s = read(part, frontend, tokenizer).seconds * len(whole.text) / len(part.text)
        tries.append(replace(read(whole, frontend, tokenizer), linear_s=linear_s))
    return best_of(tries)


def best_of(tries: list[Reading]) -> Reading:
    return Reading(tries[0].name, *(min(getattr(one, of) for one in tries) for of in _FIGURES))


def is_over(reading: Reading) -> bool:
    return reading.seconds > MOST_S or reading.pause_s > MOST_PAUSE_S or reading.growth > MOST_GROWTH


def main() -> int:
    parser = Arguments(__doc__)
    parser.add_argument("--texts", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    over = [report(rules, torture(rules, options.seed, options.texts)) for rules in get_args(RuleSet)]
    return 1 if any(over) else 0


def torture(rules: RuleSet, seed: int, n_texts: int) -> list[Reading]:
    tokenizer = TextTokenizer.from_dir(TOKENIZER)
    pairs = zip(*(tortures(seed, n_texts, n) for n in (LENGTH // 2, LENGTH)), strict=True)
    with tempfile.TemporaryDirectory() as cache:
        frontend = TextFrontend(cache_dir=Path(cache), rules=rules, max_characters=LENGTH)
        frontend.prepare("行长说了3 words", use_phoneme=True)  # loads jieba and pypinyin
        gc.collect()
        gc.freeze()  # as the server does
        return [grown(half, whole, frontend, tokenizer) for half, whole in progress(pairs)]


def report(rules: str, readings: list[Reading]) -> int:
    """Prints the texts with the largest figures. Returns the number of texts that are over a limit."""
    over = sum(map(is_over, readings))
    print(
        f"{rules}: {len(readings)} texts; more than {MOST_S:g} s, a pause of {MOST_PAUSE_S:g} s or a growth "
        f"of {MOST_GROWTH:g}: {over}"
    )
    for title, key in (
        ("longest", lambda one: one.seconds),
        ("longest pause", lambda one: one.pause_s),
        ("grown most", lambda one: one.growth),
    ):
        print(f"  {title}")
        for reading in sorted(readings, key=key, reverse=True)[:10]:
            print(f"    {reading}")
    return over


if __name__ == "__main__":
    sys.exit(main())
