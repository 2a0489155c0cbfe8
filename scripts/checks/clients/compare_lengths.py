"""Decodes what the clients heard, and compares how long it is with the server's whole answer.

python scripts/checks/clients/compare_lengths.py URL FILE...
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from urllib.request import Request, urlopen

import av
import numpy as np
from heard import TEXT, URL

TOLERANCE_S = 0.1  # an encoder's delay and padding


def whole_seconds() -> float:
    said = json.dumps({"input_text": TEXT, "index": "exampleA"}).encode()
    request = Request(f"{URL}/api/v1/tts", said, {"Content-Type": "application/json"})
    with urlopen(request, timeout=120) as answer:
        return float(json.load(answer)["audio_seconds"])


def heard_seconds(path: str) -> tuple[float, float]:
    """How long the file is, and its loudest sample (full scale is 1)."""
    with av.open(path) as file:
        stream = file.streams.audio[0]
        resampler = av.AudioResampler("flt", "mono", stream.rate)
        frames = [part for frame in file.decode(stream) for part in resampler.resample(frame)]
        pcm = np.concatenate([frame.to_ndarray()[0] for frame in frames])
        return len(pcm) / stream.rate, float(np.abs(pcm).max())


def main() -> None:
    wanted = whole_seconds()
    print(f"whole answer: {wanted:.2f} s")
    amiss = []
    for path in sys.argv[2:]:
        seconds, peak = heard_seconds(path)
        is_right = abs(seconds - wanted) < TOLERANCE_S and peak > 0.05
        print(f"{Path(path).name}: {seconds:.2f} s, peak {peak:.2f}{'' if is_right else '  <- amiss'}")
        amiss += [] if is_right else [path]
    sys.exit(bool(amiss))


if __name__ == "__main__":
    main()
