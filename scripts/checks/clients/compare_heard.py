"""Decodes the audio files that the clients saved, and compares their length with that of a whole answer of
the server. If the extra `mini` is installed, Whisper tiny.en also transcribes the audio and its words are
checked.

python scripts/checks/clients/compare_heard.py URL FILE...
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import av
import numpy as np
from heard import TEXT, URL

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
TOLERANCE_S, LOST_S = 0.1, {"pipecat-twilio": 0.1}  # an encoder's padding; an end that its resampler drops
WORDS = ["this", "is", "test"]  # without "a", which the model speaks unclearly
RATE = 24000  # Hz, the input rate of the recogniser


def whole_seconds() -> float:
    said = json.dumps({"input_text": TEXT, "index": "exampleA"}).encode()
    request = Request(f"{URL}/api/v1/tts", said, {"Content-Type": "application/json"})
    with urlopen(request, timeout=120) as answer:
        return float(json.load(answer)["audio_seconds"])


def heard(path: str) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Returns the samples of the audio file `path`, mono at RATE, in the range -1 to 1."""
    with av.open(path) as file:
        resampler = av.AudioResampler("flt", "mono", RATE)
        frames = [part for frame in [*file.decode(audio=0), None] for part in resampler.resample(frame)]
        return np.concatenate([frame.to_ndarray()[0] for frame in frames])


def recogniser() -> Callable[[np.ndarray[Any, np.dtype[np.float32]]], list[str]] | None:
    try:
        from mini.measures import tiny_english_ear, words

        ear = tiny_english_ear()
        return lambda wave: words(ear.hear(wave, "en"))
    except ImportError:
        return None


def main() -> None:
    wanted, listen = whole_seconds(), recogniser()
    print(f"whole answer: {wanted:.2f} s{'' if listen else '; without the extra mini no words are heard'}")
    amiss = []
    for path in sys.argv[2:]:
        pcm = heard(path)
        seconds, peak = len(pcm) / RATE, float(np.abs(pcm).max())
        words = listen(pcm) if listen else WORDS
        is_near = abs(seconds + LOST_S.get(Path(path).stem, 0.0) - wanted) < TOLERANCE_S
        is_right = is_near and peak > 0.05 and set(WORDS) <= set(words)
        said = f", {' '.join(words)!r}" if listen else ""
        print(f"{Path(path).name}: {seconds:.2f} s, peak {peak:.2f}{said}{'' if is_right else '  <- amiss'}")
        amiss += [] if is_right else [path]
    sys.exit(bool(amiss))


if __name__ == "__main__":
    main()
