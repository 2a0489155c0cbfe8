"""Counts the wrong sounds that a recogniser hears in the bundled model's speech, with and without guard.

    python -m bench.guard --json OUTCOMES
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

from bench.arguments import Arguments
from bench.guard import Outcome
from glm_tts_api.recognition.comparison import compare
from glm_tts_api.recognition.process import Whisper
from mini.speaking import Server

RATE = 24000
Place = tuple[bool, str, int]  # with the guard or without it, voice, seed


@dataclass(frozen=True)
class Row:
    """A sentence as the recogniser heard it."""

    guard: bool
    voice: str
    seed: int
    said: str
    heard: str
    audio_s: float


def read(file: Path) -> dict[Place, Row]:
    rows = [Row(**json.loads(line)) for line in file.read_text().splitlines()] if file.exists() else []
    return {(row.guard, row.voice, row.seed): row for row in rows}


async def measure(arguments: argparse.Namespace, flagged: list[Outcome], others: list[Outcome]) -> None:
    done, ear = read(arguments.json), Whisper(arguments.folder, threads=1)
    for guard, outcomes in ((True, [*flagged, *others]), (False, flagged)):
        left = [one for one in outcomes if (guard, one.voice, one.seed) not in done]
        if not left:
            continue
        with tempfile.TemporaryDirectory() as scratch, arguments.json.open("a") as lines:
            async with Server(Path(scratch), guard=guard).running() as server:
                for one in left:
                    (segment,) = server.frontend.read(one.text).segments
                    speech = await server.say(one.text, server.voice(one.voice), seed=one.seed)
                    heard = ear.hear(np.concatenate(speech.segments), RATE, segment.text).text
                    row = Row(guard, one.voice, one.seed, segment.text, heard, speech.audio_s)
                    print(json.dumps(asdict(row), ensure_ascii=False), file=lines, flush=True)


def show(rows: dict[Place, Row], flagged: list[Outcome], n_all: int) -> None:
    on, off = ([rows[guard, one.voice, one.seed] for one in flagged] for guard in (True, False))
    rest = [row for row in rows.values() if row not in on and row not in off]
    print(f"{len(flagged)} of {n_all} sentences were decoded again. Wrong sounds among those:")
    print(f"  without the guard {wrong(off)}; with it {wrong(on)}; others {wrong(rest)}")
    for row in (row for pair in zip(off, on, strict=True) for row in pair):
        print(f"  {'on ' if row.guard else 'off'} {row.audio_s:4.1f} s: {row.heard} ({row.said})")


def wrong(rows: list[Row]) -> str:
    """Says the share of wrong sounds, by weight, and in how many rows four of them follow each other."""
    found = [compare(row.said, row.heard) for row in rows]
    share = sum(one.wrong for one in found) / max(1.0, sum(one.n_sounds for one in found))
    return f"{share:.1%} (four in a row in {sum(one.longest >= 4 for one in found)} of {len(rows)})"


def main() -> None:
    parser = Arguments(__doc__)
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
