"""Reads texts as long as a request may be that are made to take long, and tells what they took.

    python scripts/text_torture.py [--texts 1000] [--seed 1] [--rules default published] [--slowest 10]

Each text repeats a unit of digits, marks, combining signs or several scripts until it has MAX_TEXT_LENGTH
characters, and is prepared as a request's text is, in phoneme mode, and tokenised. Prints the slowest, and
those that held other threads up longest; the same seed gives the same texts. Exits 1 if one took more than
a second or held others up for more than 0.1 s.

Times are of this process's CPU, so that other work on the machine is not counted. A pause is what the reading
thread took between two turns of another thread that wants one every 2 ms, as the event loop does.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from glm_tts_api.errors import NothingToSay, TextTooLong
from glm_tts_api.model.tokenizer import TextTokenizer
from glm_tts_api.text.frontend import RuleSet, TextFrontend
from scripts.benchmarks.report import Progress

PROJECT = Path(__file__).resolve().parents[1]
LENGTH = 20_000
MOST_S, MOST_PAUSE_S = 1.0, 0.1
_TICK_S = 0.002
_TRIES = 3  # of what was over a limit: the least counts, since a pause may be another process's
TOKENIZER = PROJECT / "glm_tts_api" / "assets" / "mini" / "vq32k-phoneme-tokenizer"

_BLANKS = ["  ", " ", "\n", "\t", "\u3000", "\u00a0", "\u200b", "\x00", "\u2028", "\r\n", "\ufeff", "\u202e"]
_ITEMS = (
    "1 0 7 12 2024 3.5 1,234 0.1 10:30 3/4 1-2 2024-01-05 13812345678",
    r"/ // - -- — – _ ~ = -> <- | \ * ** # ^ + & @ ` \n",
    ". , ... ! ? ?! : ; ' \" 。 ， 、 ！ ？ ： ； … · “",
    "( ) () [ ] [] { } < > </ （ ） 【 《 ]( [x] <a>",
    "\u0301 e\u0301 \u0323\u0302 \u0e48 \u093f \u20e3 \u200d \ufe0f \u3099 \u0345 \uff9e\u0301",
    "a I A. km no. www. http:// .com x@y.z é ß ﬁ word M.V.P QQ per",
    "中 一 亿 第 年 月 儿 咯 比分 电话 时长 行 长 𠮷 㐂 约",
    "か 한 ю Ω ا अ ก ① ½ Ⅳ ９ １ ㎡ ² ℃ ￥ \ufdfa ｈ",
    "$ € ¥ % ‰ ° µ ± × ÷ √ ≤ → ★ 😀 1️⃣ 👨\u200d👩\u200d👧 🇨🇳",
)
_POOLS = (*map(str.split, _ITEMS), _BLANKS)


def torture_texts(seed: int, count: int, length: int = LENGTH) -> Iterator[str]:
    """`count` texts of `length` characters. Of half of them at most the unit is one item of the pools, of the
    rest it is several; some begin otherwise (rules look at what stands before a figure) or end in a second
    unit."""
    draw = random.Random(seed)
    singles = [item for pool in _POOLS for item in pool]
    draw.shuffle(singles)
    for number in range(count):
        if number < min(len(singles), count // 2):
            unit = singles[number]
        else:
            pools = draw.choices(_POOLS, k=draw.randint(1, 3))
            unit = "".join(draw.choice(draw.choice(pools)) for _ in range(draw.randint(1, 6)))
        start = draw.choice(("", "", "中", "a ", "1", "$", "第", "I am ", "比分", "\n"))
        if draw.random() < 0.2:
            half = length // 2 // len(unit) * unit
            other = "".join(draw.choice(draw.choice(_POOLS)) for _ in range(draw.randint(1, 3)))
            yield (start + half + other * length)[:length]
        else:
            yield (start + unit * (length // len(unit) + 1))[:length]


@dataclass(frozen=True, slots=True)
class Reading:
    text: str
    seconds: float
    pause_s: float

    def __str__(self) -> str:
        ends = f"{self.text[:24]!a} ... {self.text[-12:]!a}"
        return f"{self.seconds:6.2f} s, pause {1000 * self.pause_s:4.0f} ms  {ends}"


class Ticker:
    """Wants a turn every 2 ms; `longest_s`: the most CPU time that its maker's thread took in between."""

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


def read(text: str, frontend: TextFrontend, tokenizer: TextTokenizer) -> Reading:
    """What one reading of `text` takes, nothing of it known before."""
    frontend.clear_cache()
    with Ticker() as ticker:
        began = time.thread_time()
        try:
            for segment in frontend.prepare(text, use_phoneme=True):
                tokenizer.encode(segment)
        except (NothingToSay, TextTooLong):
            pass
        seconds = time.thread_time() - began
    return Reading(text, seconds, ticker.longest_s)


def least(text: str, frontend: TextFrontend, tokenizer: TextTokenizer) -> Reading:
    """The reading of `text`, again if it was over a limit: of some tries the least of either figure."""
    tries: list[Reading] = []
    while not tries or (len(tries) < _TRIES and is_over(best_of(tries))):
        tries.append(read(text, frontend, tokenizer))
    return best_of(tries)


def best_of(tries: list[Reading]) -> Reading:
    return Reading(tries[0].text, min(one.seconds for one in tries), min(one.pause_s for one in tries))


def is_over(reading: Reading) -> bool:
    return reading.seconds > MOST_S or reading.pause_s > MOST_PAUSE_S


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--rules", nargs="+", choices=("default", "published"), default=["default", "published"]
    )
    parser.add_argument("--slowest", type=int, default=10, help="how many to print of each kind")
    options = parser.parse_args()
    tokenizer = TextTokenizer.from_dir(TOKENIZER)
    over = 0
    for rules in options.rules:
        readings = torture(rules, options, tokenizer)
        over += sum(map(is_over, readings))
        report(rules, readings, options.slowest)
    return 1 if over else 0


def torture(rules: RuleSet, options: argparse.Namespace, tokenizer: TextTokenizer) -> list[Reading]:
    progress = Progress(options.texts)
    readings = []
    with tempfile.TemporaryDirectory() as cache:
        frontend = TextFrontend(
            PROJECT / "configs", cache_dir=Path(cache), rules=rules, max_characters=LENGTH
        )
        frontend.prepare("行长说了3 words", use_phoneme=True)  # jieba and pypinyin load
        for text in torture_texts(options.seed, options.texts):
            readings.append(least(text, frontend, tokenizer))
            progress.step()
    progress.close()
    return readings


def report(rules: str, readings: list[Reading], n_slowest: int) -> None:
    over = sum(map(is_over, readings))
    print(f"{rules}: {len(readings)} texts; more than {MOST_S:g} s or a pause of {MOST_PAUSE_S:g} s: {over}")
    for title, key in (("longest", lambda one: one.seconds), ("longest pause", lambda one: one.pause_s)):
        print(f"  {title}")
        for reading in sorted(readings, key=key, reverse=True)[:n_slowest]:
            print(f"    {reading}")


if __name__ == "__main__":
    sys.exit(main())
