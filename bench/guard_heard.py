"""Counts the wrong sounds that a recogniser hears in the bundled model's speech, with and without guard.

    python -m bench.guard --fresh --json OUTCOMES
    python -m bench.guard_heard FOLDER OUTCOMES --json FILE [--others 60]

The guard (glm_tts_api/engine/guard.py) decodes faulty segments again. FOLDER holds the recogniser
(docs/voices.md). Speaks the sentences that the guard decoded again, both with and without the guard. Of the
other sentences, whose speech is the same in both cases, it speaks the first ones. FILE keeps a line for each
sentence: the same command continues an interrupted run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from bench.guard import Outcome
from glm_tts_api.recognition.comparison import compare
from glm_tts_api.recognition.model import Whisper
from glm_tts_api.settings import BUNDLED_MODEL, SHIPPED_CONFIGS
from mini.speaking import Server

RATE = 24000


@dataclass(frozen=True)
class Row:
    """A sentence as the recogniser heard it.

    `wrong` is the weight of the wrong sounds, and `n_sounds` that of all sounds (comparison.py). `speak_s` is
    the time of speaking in CPU seconds.
    """

    guard: bool
    voice: str
    seed: int
    said: str
    heard: str
    wrong: float
    n_sounds: float
    audio_s: float
    speak_s: float

    @property
    def place(self) -> tuple[str, int]:
        return self.voice, self.seed


async def measure(arguments: argparse.Namespace, flagged: list[Outcome], others: list[Outcome]) -> None:
    rows = read(arguments.json)
    ear = Whisper(arguments.folder, threads=1)
    for guard, outcomes in ((True, [*flagged, *others]), (False, flagged)):
        done = {row.place for row in rows if row.guard is guard}
        left = [one for one in outcomes if (one.voice, one.seed) not in done]
        if not left:
            continue
        with tempfile.TemporaryDirectory() as scratch, arguments.json.open("a") as lines:
            server = Server(BUNDLED_MODEL, SHIPPED_CONFIGS, Path(scratch), guard=guard)
            async with server.running():
                for one in left:
                    row = await heard(server, ear, one, guard=guard)
                    print(json.dumps(asdict(row), ensure_ascii=False), file=lines, flush=True)


async def heard(server: Server, ear: Whisper, one: Outcome, *, guard: bool) -> Row:
    (segment,) = server.frontend.read(one.text).segments
    speech = await server.say(one.text, server.voice(one.voice), seed=one.seed)
    text = ear.hear(np.concatenate(speech.segments), RATE, segment.text).text
    found = compare(segment.text, text)
    return Row(
        guard,
        one.voice,
        one.seed,
        segment.text,
        text,
        found.wrong,
        found.n_sounds,
        speech.audio_s,
        speech.cpu_s,
    )


def read(file: Path) -> list[Row]:
    lines = file.read_text().splitlines() if file.exists() else []
    return [Row(**json.loads(line)) for line in lines]


def show(rows: list[Row], flagged: list[Outcome], n_all: int) -> None:
    known = {(row.guard, row.place): row for row in rows}
    wrong = {
        guard: share([known[guard, (one.voice, one.seed)] for one in flagged]) for guard in (True, False)
    }
    places = {(one.voice, one.seed) for one in flagged}
    rest = share([row for row in rows if row.place not in places])
    print(f"{len(flagged)} of {n_all} sentences were decoded again. Wrong sounds among those:")
    print(f"  without the guard {wrong[False]:.1%}, with it {wrong[True]:.1%}; others {rest:.1%}")
    for one in flagged:
        for words, guard in (("off", False), ("on", True)):
            row = known[guard, (one.voice, one.seed)]
            print(f"  {words:3s} {row.audio_s:4.1f} s, {share([row]):4.0%} wrong: {row.heard} ({row.said})")


def share(rows: list[Row]) -> float:
    return sum(row.wrong for row in rows) / max(1.0, sum(row.n_sounds for row in rows))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("outcomes", type=Path)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--others", type=int, default=60)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    outcomes = [Outcome(**json.loads(line)) for line in arguments.outcomes.read_text().splitlines()]
    flagged = [one for one in outcomes if one.first]
    others = [one for one in outcomes if not one.first][: arguments.others]
    asyncio.run(measure(arguments, flagged, others))
    show(read(arguments.json), flagged, len(outcomes))


if __name__ == "__main__":
    main()
