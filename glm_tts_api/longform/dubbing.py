"""Puts the speech of each subtitle at its time, to dub a film. Blocking calls, which hold the audio of a few
subtitles at a time. Equal units give equal samples.

The speech of a subtitle begins at the subtitle's start. Speech that is longer than its subtitle goes on into
the silence behind, up to 50 ms before the next subtitle. If that is not enough, it is made faster, 1.6 times
at most, and what is still too long is cut off. Subtitles that overlap in the file are mixed; one of no length
waits for the end of those before it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from glm_tts_api.audio.mastering import mastered, quiet_tail
from glm_tts_api.audio.tempo import FASTEST, Paced, cut_off
from glm_tts_api.contracts import Float32
from glm_tts_api.longform.script import Cue
from glm_tts_api.longform.shelf import Look
from glm_tts_api.longform.speech import speech_of

_GAP_S = 0.05
_SLIP_S = 0.25  # files whose subtitles overlap by less mean that one follows the other
_LONGEST_MIX_S = 60.0  # so long may a row of overlapping subtitles be; the next one waits for its end
_LONGEST_SILENCE_S = 60.0  # of one piece, which is held in memory


@dataclass(frozen=True, slots=True)
class Dubbed:
    """How the speech of a `cue`, which is that of `units`, fits. It begins at sample `at`. It has `natural`
    samples as it was spoken, is made `tempo` times as fast, and has `n_samples` then."""

    cue: Cue
    units: range
    at: int
    natural: int
    tempo: float
    n_samples: int

    def row(self, rate: int) -> dict[str, Any]:
        """Returns it as clients see it, with times in seconds at `rate` samples a second."""
        wanted = self.cue.end_s - self.cue.start_s
        borrowed = max(0.0, self.n_samples / rate - wanted)
        times = {"natural_s": self.natural / rate, "tempo": self.tempo, "borrowed_s": borrowed}
        times |= {"cut_s": self.natural / self.tempo / rate - self.n_samples / rate}
        times |= {"late_s": self.at / rate - self.cue.start_s}
        times = {"start_s": self.cue.start_s, "wanted_s": wanted, **times}
        shown = {name: round(value, 3) + 0.0 for name, value in times.items()}
        return {"number": self.cue.number, "speaker": self.cue.speaker, **shown}


def dubbed(look: Look, n_units: int) -> Iterator[Dubbed]:
    """Yields how each subtitle of a job fits, in order, as far as its units are among the first `n_units`,
    which must be spoken; none of a job that is not timed. Raises JobRefuses for damaged audio."""
    if not look.job.is_timed:
        return
    rate, begun, end, cues = look.job.sample_rate, 0, 0, list(_cues(look))
    limits = [_limit_s(cue, after) for (cue, _), (after, _) in pairwise(cues)]
    for (cue, units), limit_s in zip(cues, [*limits, math.inf], strict=True):
        if units.stop > n_units:
            return
        natural, at = len(_spoken(look, units)), round(cue.start_s * rate)
        if at < end and (at - begun > _LONGEST_MIX_S * rate or cue.start_s == cue.end_s):
            at = end
        begun = begun if at < end else at
        room = natural if limit_s == math.inf else max(0, round(limit_s * rate) - at)
        fitting = math.ceil(1000 * natural / room) / 1000 if room else FASTEST
        tempo = min(max(1.0, fitting), FASTEST)
        n_samples = min(room, round(natural / tempo))
        end = max(end, at + n_samples)
        yield Dubbed(cue, units, at, natural, tempo, n_samples)


def _cues(look: Look) -> Iterator[tuple[Cue, range]]:
    for _, group in groupby(look.folder.units(), lambda unit: (unit.chapter, unit.block)):
        first, *others = group
        assert first.cue is not None
        yield first.cue, range(first.index, first.index + 1 + len(others))


def _limit_s(cue: Cue, after: Cue) -> float:
    """Returns the time at which the speech of `cue` has to end; infinity if that left no room for it."""
    limit_s = max(min(cue.end_s, after.start_s), after.start_s - _GAP_S)
    if cue.end_s - after.start_s > _SLIP_S:
        limit_s = cue.end_s
    return limit_s if limit_s > cue.start_s else math.inf


def dub_pieces(
    look: Look, cues: Sequence[Dubbed], speaker: str | None = None
) -> Iterator[tuple[Float32, float]]:
    """Yields the audio of `cues`, or with `speaker` of this speaker's alone: pieces of speech, each with the
    silence in seconds after it. All speakers' audio has the same length."""
    rate, begun, mix = look.job.sample_rate, 0, np.zeros(0, np.float32)
    for cue in cues:
        if speaker not in (None, cue.cue.speaker):
            continue
        if cue.at >= begun + len(mix):
            yield from _spaced(mix, cue.at - begun - len(mix), rate)
            begun, mix = cue.at, np.zeros(0, np.float32)
        start, said = cue.at - begun, _heard(look, cue)
        mix = np.pad(mix, (0, max(0, start + len(said) - len(mix))))
        mix[start : start + len(said)] += said
    yield from _spaced(mix, length_of(cues) - begun - len(mix), rate)


def length_of(cues: Sequence[Dubbed]) -> int:
    return max((cue.at + cue.n_samples for cue in cues), default=0)


def _spaced(pcm: Float32, silence: int, rate: int) -> Iterator[tuple[Float32, float]]:
    most = round(_LONGEST_SILENCE_S * rate)
    yield pcm, min(silence, most) / rate
    for start in range(most, silence, most):
        yield np.zeros(0, np.float32), min(silence - start, most) / rate


def _spoken(look: Look, units: range) -> Float32:
    """Returns the speech of a subtitle without the quiet before and after it."""
    rate = look.job.sample_rate

    def pieces() -> Iterator[tuple[Float32, float]]:
        for index in units:
            yield speech_of(look, index), look.made.silence[index] / rate * (index + 1 < units.stop)

    pcm = np.concatenate(list(mastered(pieces, rate)))
    return pcm[quiet_tail(pcm[::-1], rate) : len(pcm) - quiet_tail(pcm, rate)]


def _heard(look: Look, cue: Dubbed) -> Float32:
    pcm = _spoken(look, cue.units)
    if cue.tempo > 1.0:
        paced = Paced(look.job.sample_rate)
        pcm = np.concatenate([paced.push(pcm, cue.tempo), paced.finish()])
    return cut_off(pcm, cue.n_samples, look.job.sample_rate)


def write_report(path: Path, look: Look, n_units: int) -> Iterator[None]:
    """Writes the file `path`, which says in JSON how each subtitle fits (see `dubbed`)."""
    rows = []
    for cue in dubbed(look, n_units):
        rows.append(cue.row(look.job.sample_rate))
        yield
    path.write_bytes(msgspec.json.encode({"success": True, "count": len(rows), "cues": rows}))
